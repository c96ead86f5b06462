"""Importing from Python in one call, choices and recording by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.importers.choices import Choices
from simulator.importers.events import Recording
from simulator.importers.formats import import_file
from simulator.importers.imported import Imported


def brought(file: str | Path, stimulus: str | Path | None = None, **choices: Any) -> Imported:
    """Return the network of an exported file; stimulus: a recording to calibrate on (npz, npy, CSV,
    NIR data); choices: those of Choices, by name.
    """
    recording = None if stimulus is None else Recording.load(stimulus)
    return import_file(file, Choices(**choices), recording)
