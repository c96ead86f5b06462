"""Which importer reads which file: by suffix, each with the package it needs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.describe.messages import alternatives, shown_value
from simulator.errors import InputError
from simulator.importers.choices import Choices
from simulator.importers.imported import Imported

if TYPE_CHECKING:
    from simulator.importers.events import Stimuli


@dataclass(frozen=True)
class Format:
    """One format: `module` of this folder has read(path, choices, recording) -> Imported; `extra`
    of pyproject.toml brings `package`.
    """

    name: str
    module: str
    package: str
    extra: str


FORMATS: dict[str, Format] = {
    ".nir": Format("NIR", "nir", "h5py", "nir"),
    ".onnx": Format("ONNX", "onnx", "onnx", "onnx"),
}


def import_file(
    path: str | Path, choices: Choices | None = None, recording: Stimuli | None = None
) -> Imported:
    """Return the network of an exported file, its format told by the suffix.

    recording: a stimulus the scales are calibrated on, where they depend on one.  Raises
    SpikemeshError: every fault of the file at once, each by the node it belongs to.
    """
    path = Path(path)
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise InputError(
            f"{path}: must end in {alternatives(tuple(FORMATS))}, not {shown_value(path.suffix)}"
        )
    try:
        if not path.is_file():
            raise InputError(f"{path}: must be a file; there is none")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    require(found)
    module = import_module(f"simulator.importers.{found.module}")
    return module.read(path, Choices() if choices is None else choices, recording)


def require(needed: Format) -> None:
    """Raise InputError where the package a format is read with is not installed."""
    if find_spec(needed.package) is None:
        raise InputError(
            f"{needed.name}: needs the package {needed.package}, which is not installed: pip "
            f"install -e '.[{needed.extra}]'"
        )
