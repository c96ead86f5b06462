# Two commands: `make demo` and `make test`.  Each makes its own environment in .venv first (Python 3.11 or newer, pip).
PYTHON ?= python3
N ?= 2000
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-slow fuzz fuzz-stop lint bench clean

demo: $(VENV)/run.stamp  ## install and run the main job: both twins of the digits on the default chip
	$(BIN)/spikemesh twin digits-mlp --chip generic-22nm --timesteps 4

test: $(VENV)/test.stamp  ## install and run the tests
	$(BIN)/python -m pytest -n 2

test-slow: $(VENV)/test.stamp  ## the long sweeps: N random machines and N / 4 random graphs on both engines, recorded runs, mutants
	SPIKEMESH_SWEEP=$(N) $(BIN)/python -m pytest -n 2 -m slow

fuzz: $(VENV)/test.stamp  ## N hostile inputs from SEED on (default 10000, 0); hours with more
	$(BIN)/python tests/fuzz $(or $(N),10000) $(or $(SEED),0) 2

fuzz-stop: $(VENV)/test.stamp  ## Ctrl-C and kill -9 at N random moments of every verb (default 20)
	$(BIN)/python tests/fuzz/stops.py $(or $(N),20) $(or $(SEED),0)

lint: $(VENV)/lint.stamp  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/bench.stamp  ## the figures of docs/performance.md beside those of peers; BOOKSIM=path of a BookSim 2 binary
	$(BIN)/python -m benchmarks $(if $(BOOKSIM),--booksim $(BOOKSIM))

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, not " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/test.stamp: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@

$(VENV)/lint.stamp: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[lint]'
	touch $@

$(VENV)/bench.stamp: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	touch $@
