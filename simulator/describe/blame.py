"""Finds whether a fault belongs to the file or to one of the changes applied to it."""

from __future__ import annotations

from collections.abc import Callable

from simulator.describe.corners import NOMINAL
from simulator.describe.documents import Document
from simulator.describe.messages import as_typed
from simulator.describe.settings import Setting
from simulator.errors import SpikemeshError

#: reads the same file with these changes at this corner, without refusing it
Read = Callable[[tuple[Setting, ...], str], Document]


def blame(document: Document, read: Read, changes: tuple[Setting, ...], corner: str) -> None:
    """Place each fault of the document that the file alone does not have at the changes that make
    it.
    """
    causes: dict[str, tuple[tuple[Setting, ...], str]] = {
        change.place: ((change,), NOMINAL) for change in changes
    }
    if corner != NOMINAL:
        causes[f"corner {as_typed(corner)}"] = ((), corner)
    if not causes or not document.faults:
        return
    alone = _faults(read, (), NOMINAL)
    single = {cause: _faults(read, *choice) for cause, choice in causes.items()}
    placed = []
    for line, text in document.faults:
        place = f"{document.shown}:{line}: "
        if text.startswith(place) and text not in alone:
            fault = text.removeprefix(place)
            made = [cause for cause, faults in single.items() if text in faults] or list(causes)
            text = f"{', '.join(made)}: {fault}{_advice(fault, made)}"
        placed.append((line, text))
    document.faults = placed


def _faults(read: Read, changes: tuple[Setting, ...], corner: str) -> set[str]:
    try:
        return {text for _, text in read(changes, corner).faults}
    except SpikemeshError:  # a change that cannot stand alone makes no fault of its own
        return set()


def _advice(fault: str, causes: list[str]) -> str:
    """Return what to set beside the changes, where the fault is of one value that can be set."""
    key = fault.partition(":")[0]
    settable = "." in key and "[" not in key
    return f"; set {key} too" if settable and all(_is_setting(cause) for cause in causes) else ""


def _is_setting(cause: str) -> bool:
    return cause.startswith("setting ")
