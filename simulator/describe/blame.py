"""Who is to blame for a fault: the file, or an option without which the file is sound."""

from __future__ import annotations

from collections.abc import Callable

from simulator.describe.corners import NOMINAL
from simulator.describe.documents import Document
from simulator.errors import SpikemeshError

#: reads the same file with these overrides at this corner, without refusing it
Read = Callable[[tuple[str, ...], str], Document]


def blame(document: Document, read: Read, overrides: tuple[str, ...], corner: str) -> None:
    """Place each fault of the document that the file alone does not have at the options that make
    it.
    """
    causes: dict[str, tuple[tuple[str, ...], str]] = {
        f"--set {text}": ((text,), NOMINAL) for text in overrides
    }
    if corner != NOMINAL:
        causes[f"--corner {corner}"] = ((), corner)
    if not causes or not document.faults:
        return
    alone = _faults(read, (), NOMINAL)
    single = {option: _faults(read, *choice) for option, choice in causes.items()}
    placed = []
    for line, text in document.faults:
        place = f"{document.shown}:{line}: "
        if text.startswith(place) and text not in alone:
            options = [option for option, faults in single.items() if text in faults] or list(
                causes
            )
            text = (
                f"{', '.join(options)}: "
                f"{text.removeprefix(place)}{_advice(text.removeprefix(place), options)}"
            )
        placed.append((line, text))
    document.faults = placed


def _faults(read: Read, overrides: tuple[str, ...], corner: str) -> set[str]:
    try:
        return {text for _, text in read(overrides, corner).faults}
    except SpikemeshError:  # an option that cannot stand alone makes no fault of its own
        return set()


def _advice(fault: str, options: list[str]) -> str:
    """Return what to set beside the option, where the fault is of one value that can be set."""
    key = fault.partition(":")[0]
    settable = (
        "." in key and "[" not in key and all(option.startswith("--set ") for option in options)
    )
    return f"; set {key} too" if settable else ""
