"""Where chips and workloads are found by name: beside the package in a checkout, inside it in an
installed wheel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from simulator.describe.messages import near_miss, shown_value
from simulator.errors import InputError

Kind = Literal["chip", "workload"]
_PACKAGE = Path(__file__).resolve().parent.parent


def folder(kind: Kind) -> Path:
    """Return the folder of the shipped chips or workloads."""
    for place in (_PACKAGE / "_library" / f"{kind}s", _PACKAGE.parent / f"{kind}s"):
        if place.is_dir():
            return place
    raise InputError(f"the shipped {kind}s are missing: looked beside {_PACKAGE}")


def names(kind: Kind) -> list[str]:
    """Return the names of the shipped chips or workloads, sorted."""
    if kind == "chip":
        return sorted(path.stem for path in folder(kind).glob("*.yaml"))
    return sorted(path.parent.name for path in folder(kind).glob("*/workload.yaml"))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the system allows, say
        return False


def _found(path: Path, kind: Kind) -> str:
    """Return what a path is that cannot be read as a description; nothing for a word that is no
    path.
    """
    try:
        if path.is_dir():
            return f"is a folder without {kind}.yaml; "
        if path.exists():
            return "is no regular file; "
    except OSError:
        return ""
    return "no such file, and no name; " if path.suffix or len(path.parts) > 1 else ""


def find(kind: Kind, given: str | Path) -> Path:
    """Return the file of a shipped name, or of a path to a YAML file (or to a folder that holds
    workload.yaml).
    """
    text = str(given)
    known = names(kind)
    if text in known:
        return folder(kind) / (f"{text}.yaml" if kind == "chip" else f"{text}/workload.yaml")
    path = Path(text)
    for file in (path / f"{kind}.yaml", path):
        if _is_file(file):
            return file
    allowed = (
        f"must be a file or one of {', '.join(known) or '(none shipped)'}{near_miss(text, known)}"
    )
    raise InputError(f"{kind} {shown_value(text)}: {_found(path, kind)}{allowed}")
