"""A mapping on disk: mapping.yaml, which names a core for every neuron or the cores of slices, and
the arrays it names in mapping.npz (docs/mapping.md).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from simulator.describe.arrays import Arrays
from simulator.describe.documents import Description, Document, write
from simulator.describe.fields import Natural
from simulator.describe.placement import read
from simulator.describe.workload_file import Name
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.describe.workload import Workload

FILE, ARRAYS = "mapping.yaml", "mapping.npz"


class MappingFile(Description):
    """The keys of mapping.yaml."""

    schema_version: Literal[1]
    workload: Name  # whose mapping it is; not held against what it is used for
    chip: Name  # what it was made for
    arrays: Name | None = None
    placement: dict[Name, list[Natural] | Name]


def load(folder: str | Path, workload: Workload) -> Workload:
    """Return the workload placed as a folder or a mapping.yaml says; raises DescriptionError with
    every fault at once.
    """
    path = Path(folder)
    document = Document(path / FILE if path.is_dir() else path)
    written = document.validate(MappingFile)
    if written is None:
        document.refuse()
    assert written is not None
    arrays = None if written.arrays is None else Arrays(document, written.arrays)
    found = read(document, ("placement",), written.placement, arrays, workload.network)
    document.refuse()
    files = (document.path, *(() if arrays is None else (arrays.path,)))
    return replace(workload, placement=found, files=tuple(dict.fromkeys((*workload.files, *files))))


def tree(
    workload: Workload, chip: str, core_of: dict[str, np.ndarray]
) -> tuple[dict, dict[str, np.ndarray]]:
    """Return what mapping.yaml and mapping.npz hold for neurons on cores, by population."""
    names = {name: f"population-{number}.core" for number, name in enumerate(core_of)}
    written = {
        "schema_version": 1,
        "workload": workload.name,
        "chip": chip,
        "arrays": ARRAYS,
        "placement": names,
    }
    return written, {names[name]: cores.astype(np.int32) for name, cores in core_of.items()}


def save(folder: str | Path, workload: Workload, chip: str, core_of: dict[str, np.ndarray]) -> None:
    """Write mapping.yaml and mapping.npz into an existing folder."""
    place = Path(folder)
    written, arrays = tree(workload, chip, core_of)
    try:
        write(place / FILE, written)
        np.savez_compressed(place / ARRAYS, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}") from error
