"""Shipped files, changed a little: what every test of the descriptions starts from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from shipped import edited, refusal

from simulator.describe import library
from simulator.describe.chip import Chip
from simulator.describe.workload import Workload


@pytest.fixture
def said_of_chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, str]]:
    """Return a function: edits of the shipped generic chip -> (the edited text, what loading it
    says).
    """
    monkeypatch.chdir(tmp_path)
    shipped = library.find("chip", "generic-22nm").read_text()

    def said(*edits: tuple[str, str], overrides: tuple[str, ...] = ()) -> tuple[str, str]:
        text = edited(shipped, edits)
        Path("chip.yaml").write_text(text)
        return text, refusal(lambda: Chip.load("chip.yaml", overrides))

    return said


@pytest.fixture
def said_of_workload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[str, str]]:
    """Return a function: edits of the shipped digits-mlp, changed arrays -> (the edited text, what
    loading it says).
    """
    monkeypatch.chdir(tmp_path)
    folder = library.find("workload", "digits-mlp").parent
    shipped = (folder / "workload.yaml").read_text()
    shutil.copy(folder / "arrays.npz", tmp_path)

    def said(
        *edits: tuple[str, str], overrides: tuple[str, ...] = (), **arrays: np.ndarray | None
    ) -> tuple[str, str]:
        text = edited(shipped, edits)
        Path("workload.yaml").write_text(text)
        if arrays:
            with np.load(folder / "arrays.npz") as archive:
                content = {
                    **archive,
                    **{name.replace("_", "."): array for name, array in arrays.items()},
                }
            np.savez(
                "arrays.npz",
                **{name: array for name, array in content.items() if array is not None},
            )
        return text, refusal(lambda: Workload.load("workload.yaml", overrides))

    return said
