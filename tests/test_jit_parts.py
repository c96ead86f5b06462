"""Parts of kernels: they are in those that took them in, and nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

import simulator

ROOT = Path(simulator.__file__).parent.parent
#: a kernel that calls a part
TWO = """
from simulator import jit
@jit.kernel(inline=False)
def part(n: int) -> int:
    return n + n
@jit.kernel
def triple(n: int) -> int:
    return part(n) + n
"""
#: compiles it, and says of which of both instructions were made
MADE = """
from numba.core import codegen
made, add = [], codegen.JITCPUCodegen._add_module
codegen.JITCPUCodegen._add_module = lambda own, module: made.append(module.name) or add(own, module)
import two
print(two.triple(14), [name for name in ("part", "triple") if name in made])
"""


def test_no_instructions_are_made_of_a_part_by_itself(tmp_path) -> None:
    """They would be those of the part as it was written, and kernels would call them instead of
    what they have made of it.
    """
    (tmp_path / "two.py").write_text(TWO)
    environment = os.environ | {
        "SPIKEMESH_CACHE": str(tmp_path / "cache"),
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
    }
    command = [sys.executable, "-W", "error", "-c", MADE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout == "42 ['triple']\n", done.stderr
