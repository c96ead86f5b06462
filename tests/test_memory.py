"""Nothing big is made before it was estimated; what does not fit is refused in one line that says
what drives it.
"""

import io
import os
import resource
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simulator import Chip, Workload, memory, run
from simulator.behaviour import raster as behaviour
from simulator.describe import library
from simulator.errors import DescriptionError, InputError
from simulator.mapping.activity import compile_activity
from simulator.mapping.machine import compile_plan
from simulator.mapping.partition import partition
from simulator.study.controlled import named
from simulator.study.curve import measure
from simulator.study.noc import mesh
from simulator.study.synthetic import Traffic
from simulator.timing.engine import state

ROOT = Path(__file__).resolve().parent.parent
GIB = 1 << 30


def simulated(*changes: str, **choices: object) -> Callable[[], object]:
    return lambda: run("digits-mlp", Chip.load("generic-22nm", changes), limit=1, **choices)


def offered(rate: float, cycles: int) -> Callable[[], object]:
    return lambda: measure(mesh(32, 32), Traffic("uniform", 32, 32, rate), cycles)


LONG = "link.east_west.latency=10000000 cycles"
WIDE = ("mesh.width=1024", "mesh.height=1024", "mesh.cores_per_tile=8")
# what is asked, allowed, what drives it
TOO_MUCH = [
    (simulated(LONG), "8GiB", "for links of 10,000,000 cycles on 64 routers"),
    (simulated(*WIDE), "6GiB", "for 1,048,576 routers with 8,388,608 cores"),
    (lambda: named("mlp-100000-100000"), "8GiB", "for mlp-100000-100000: 10,000,000,000 synapses"),
    (lambda: named("mlp-9-99999-99999"), "8GiB", "synapses"),
    (offered(0.5, 10**8), "8GiB", "cycles at a rate of 0.5 on 1,024 nodes"),
    (simulated(draws=1_000_000), "1GiB", "for 1,000,000 draws of every constant"),
    (
        lambda: run("digits-mlp", timesteps=4096, limit=450, chunk=450),
        "2GiB",
        "of 'hidden1' in 1,843,200 timesteps",
    ),
]


@pytest.mark.parametrize(("ask", "limit", "words"), TOO_MUCH)
def test_what_does_not_fit_is_refused_before_it_is_made(ask, limit: str, words: str) -> None:
    before = memory.resident()
    with memory.limited(limit), pytest.raises(memory.MemoryLimitError) as error:
        ask()
    text = str(error.value)
    assert text.startswith("memory: must be at most ") and words in text
    assert "\n" not in text and text.endswith(f"SPIKEMESH_MEMORY={error.value.limit} allows more")
    assert memory.resident() - before < GIB


CASES = [
    ("digits-mlp", "snn", 64, 200, ()),
    ("digits-cnn", "snn", 16, 60, ()),
    ("digits-cnn", "qnn", 16, 100, ("packet.activations=dense", "core.synapse.zero_skip=false")),
    ("digits-cnn", "snn", 16, 60, ("packet.spikes=bitmap", "core.soma.update=touched")),
    ("digits-cnn", "snn", 8, 10, ("mesh.width=64", "mesh.height=64")),
]


@pytest.mark.parametrize(("workload", "mode", "timesteps", "limit", "changes"), CASES)
def test_estimates_are_no_less_than_what_is_taken_and_of_its_size(
    workload: str, mode: str, timesteps: int, limit: int, changes: tuple[str, ...], monkeypatch
) -> None:
    loaded, chip = Workload.load(workload), Chip.load("generic-22nm", changes)
    mapping = partition(loaded, chip)
    plan = compile_plan(chip, mapping)
    raster = behaviour.run(loaded.network, loaded.stimulus, mode, timesteps, loaded.firing, limit)
    estimates: list[int] = []
    monkeypatch.setattr(memory, "need", lambda what, size: estimates.append(size))

    def peak(make: Callable[[], object]) -> tuple[object, int, int]:
        estimates.clear()
        tracemalloc.start()
        made = make()
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return made, max(estimates), taken

    schedule, estimate, taken = peak(lambda: compile_activity(loaded, chip, mapping, plan, raster))
    assert taken <= estimate <= 8 * taken
    # of a state the record and the ledger are estimated with it
    _, estimate, taken = peak(lambda: state.build(plan, schedule.activity, True))
    assert taken <= estimate <= 8 * taken


@pytest.fixture
def bomb(tmp_path: Path) -> Path:
    """Return digits-mlp with one more array, whose header promises 32 GB."""
    folder = library.find("workload", "digits-mlp").parent
    shutil.copy(folder / "workload.yaml", tmp_path)
    shutil.copy(folder / "arrays.npz", tmp_path)
    header = io.BytesIO()
    form = {"descr": "|i1", "fortran_order": False, "shape": (32 * 10**9,)}
    np.lib.format.write_array_header_1_0(header, form)
    with zipfile.ZipFile(tmp_path / "arrays.npz", "a") as archive:
        archive.writestr("huge.npy", header.getvalue())
    return tmp_path / "workload.yaml"


def test_an_array_nobody_names_is_never_read(bomb: Path) -> None:
    assert Workload.load(bomb).name == "digits-mlp"


def test_a_named_array_is_refused_by_its_header(bomb: Path) -> None:
    text = bomb.read_text()
    assert "weight: hidden1.weight" in text
    bomb.write_text(text.replace("weight: hidden1.weight", "weight: huge"))
    with memory.limited("4GiB"), pytest.raises(DescriptionError) as error:
        Workload.load(bomb)
    (fault,) = error.value.faults
    assert "must hold arrays that fit in memory: must be at most " in fault
    assert "not 29.8 GiB for array 'huge' of 32000000000 int8" in fault


def spikemesh(*arguments: str, most: int | None = None, **environment: str) -> tuple[int, str]:
    def limit() -> None:
        if most is not None:
            resource.setrlimit(resource.RLIMIT_AS, (most, most))

    found = subprocess.run(
        [sys.executable, "-m", "simulator", "run", "digits-mlp", "--mode", "snn", "--limit", "1",
         *arguments],
        capture_output=True, text=True, timeout=300, preexec_fn=limit, cwd=ROOT,
        env={**os.environ, **environment},
    )  # fmt: skip
    return found.returncode, found.stderr


# options, environment, exit code, how stderr begins and ends
LIMITS = [
    (
        ["--memory", "32MiB"],
        {},
        2,
        "memory: must be at most 0 B, not ",
        " --memory 1GiB\n",
    ),
    ([], {"SPIKEMESH_MEMORY": "32MiB"}, 2, "memory: must be at most 0 B, not ", " 1GiB\n"),
    (["--memory", "8GiB"], {"SPIKEMESH_MEMORY": "32MiB"}, 0, "", ""),
    (["--memory", "8"], {}, 2, "--memory: must be a size such as 8GiB, 1MiB or more, not '8'", ""),
    (["--memory", "nanGiB"], {}, 2, "--memory: must be a size such as 8GiB", "not 'nanGiB'\n"),
    ([], {"SPIKEMESH_MEMORY": "x"}, 2, "memory: must be a size such as 8GiB", "not 'x'\n"),
]


@pytest.mark.parametrize(("options", "environment", "code", "begins", "ends"), LIMITS)
def test_the_limit_is_an_option_or_the_environment(
    options: list[str], environment: dict[str, str], code: int, begins: str, ends: str
) -> None:
    found, said = spikemesh("--timesteps", "64", "--limit", "100", *options, **environment)
    assert (code, True, True) == (found, said.startswith(begins), said.endswith(ends)), said
    assert said.count("\n") <= 1


def test_memory_that_is_not_there_is_one_line() -> None:
    code, said = spikemesh("--set", LONG, "--memory", "900GiB", most=6 * GIB)
    assert (2, 1) == (code, said.count("\n")) and said.startswith("memory: this machine has not")


@pytest.mark.parametrize("text", ["", "8", "8GB", "-1GiB", "1e3GiB", "8 GiB GiB", "9" * 12 + "TiB"])
def test_a_size_is_a_number_and_a_unit(text: str) -> None:
    with pytest.raises(InputError, match="memory: must be a size such as 8GiB"):
        memory.read_size(text)


def test_what_is_free_is_less_than_the_limit_of_the_process() -> None:
    code = (
        "import resource; from simulator import memory; free = memory.free();"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30));"
        "print(free > memory.free() and memory.free() < 2 << 30)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "True\n" == found.stdout, found.stderr
