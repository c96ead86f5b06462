"""The cache of compiled kernels is named after everything that is compiled into them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import simulator
from simulator import jit

ROOT = Path(simulator.__file__).parent


def test_the_digest_covers_kernels_and_the_modules_their_constants_come_from() -> None:
    found = jit._kernel_sources(ROOT)
    kernels = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if "\n@kernel" in path.read_text()
    }
    constants = {"mapping/plan.py", "timing/record.py", "timing/engine/layout.py", "jit.py"}
    assert kernels | constants <= set(found)
    assert not [name for name in found if name.startswith(("timing/reference", "commands"))]


@pytest.mark.parametrize("edited", ["timing/engine/wheel.py", "mapping/plan.py"])
def test_an_edit_of_a_callee_or_of_a_constant_renames_the_folder(edited, monkeypatch) -> None:
    before = jit.cache_folder()
    read = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: read(path) + (b"\n" if path == ROOT / edited else b"")
    )
    assert jit.cache_folder() != before


def test_a_cache_that_cannot_be_written_moves_to_the_temporary_folder() -> None:
    script = "import os; from simulator import jit; print(os.environ['NUMBA_CACHE_DIR'])"
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment["SPIKEMESH_CACHE"] = str(Path(os.devnull) / "nowhere")
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert Path(run.stdout.strip()).name == jit._digest(), run.stderr
    assert os.devnull not in run.stdout
