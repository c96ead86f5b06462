"""What reading a file may come to, for tests: functions of a path."""

import os
import signal
from pathlib import Path

import numpy as np

from simulator.errors import InputError


def whole(path: Path) -> tuple[str, np.ndarray, int]:
    return path.read_text(), np.arange(3), os.getpid()


def endless(path: Path) -> None:
    while True:
        pass


def gigabytes(path: Path) -> None:
    np.ones(1 << 30)


def crash(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def refused(path: Path) -> None:
    raise InputError(f"{path.name}: must be another")


def odd(path: Path) -> None:
    raise ValueError("of\n a kind")
