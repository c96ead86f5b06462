"""The two pictures of README.md, drawn from a run: `python docs/figures/make_pictures.py`."""

from __future__ import annotations

from pathlib import Path

from simulator import run, twin
from simulator.report import figures
from simulator.report.notebook import picture

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    both = twin("digits-mlp", "generic-22nm", timesteps=4)
    picture(figures.energy_bars([both.snn, both.qnn])).save(HERE / "digits-energy.svg")
    cnn = run("digits-cnn", "generic-22nm", "snn", limit=20)
    cnn.plot.chip_map().save(HERE / "digits-map.svg")
