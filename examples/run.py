"""Runs every study of this folder and prints its answer.

python examples/run.py [FOLDER] [JOBS]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(folder: str = "results/examples", jobs: str = "2") -> None:
    """Run the studies one after the other; a killed one goes on where it was."""
    for study in sorted(HERE.glob("*.yaml")):
        place = Path(folder) / study.stem
        command = ["sweep", str(study), "-o", str(place), "--jobs", jobs, "--resume"]
        subprocess.run([sys.executable, "-m", "simulator", *command], check=True)
        print(flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
