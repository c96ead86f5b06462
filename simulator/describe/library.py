"""Where chips and workloads are found by name: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal

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


def find(kind: Kind, given: str | Path) -> Path:
    """Return the file of a shipped name, or of a path to a YAML file (or to a folder that holds workload.yaml)."""
    text = str(given)
    known = names(kind)
    if text in known:
        return folder(kind) / (f"{text}.yaml" if kind == "chip" else f"{text}/workload.yaml")
    path = Path(text)
    if path.is_dir() and (path / f"{kind}.yaml").is_file():
        return path / f"{kind}.yaml"
    if path.is_file():
        return path
    close = difflib.get_close_matches(text, known, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise InputError(f"{kind} {text!r}: must be a file or one of {', '.join(known) or '(none shipped)'}{hint}")
