"""Which kind of description a file is."""

from __future__ import annotations

from simulator.describe import library
from simulator.describe.documents import Document
from simulator.errors import DescriptionError, InputError


def kind_of(given: str) -> library.Kind:
    """Return 'chip' or 'workload' for a shipped name or a file, by what the file holds."""
    for kind in ("chip", "workload"):
        if given in library.names(kind):  # type: ignore[arg-type]
            return kind  # type: ignore[return-value]
    try:
        document = Document(library.find("workload", given))
    except InputError as error:
        known = ", ".join(library.names("chip") + library.names("workload"))
        raise InputError(f"{given}: must be a file, or one of {known}") from error
    if "network" in document.tree or "layers" in document.tree or "stimulus" in document.tree:
        return "workload"
    if "mesh" in document.tree or "router" in document.tree or "energy" in document.tree:
        return "chip"
    raise DescriptionError(
        [
            f"{document.shown}:1: must be a chip (with mesh, core, energy) or a workload (with "
            f"layers, stimulus)"
        ]
    )
