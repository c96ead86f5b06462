"""The page from snnTorch to a verdict shows the training that made its files, and it runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT, blocks

SCRIPT = ROOT / "workloads" / "train_snntorch.py"


def test_the_page_shows_the_script() -> None:
    shown = [block.text for block in blocks(ROOT / "docs" / "from-snntorch.md")]
    assert SCRIPT.read_text() in shown


def test_the_training_runs_where_snntorch_is_installed(tmp_path: Path) -> None:
    for package in ("snntorch", "nir", "nirtorch", "sklearn"):
        pytest.importorskip(package)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert {"digits.nir", "digits.npz", "recorded.npz"} == {p.name for p in tmp_path.iterdir()}
    assert done.stdout.startswith("snnTorch: 9")
