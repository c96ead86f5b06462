"""A run in a notebook: its pictures, and its numbers as pandas tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import InputError
from simulator.report import figures
from simulator.report.charts import safe
from simulator.report.chip_map import chip_map
from simulator.report.files import tables
from simulator.report.page import COLOURS, DRAWING, Figure
from simulator.report.writing import whole_file
from simulator.study.simulation import Result

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Picture:
    """An SVG that a notebook shows and `save` writes."""

    svg: str
    caption: str

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> None:
        """Write it as an SVG file; raises InputError when it cannot be written."""
        with whole_file(Path(path)) as file:
            file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n{self.svg}\n'.encode())


def picture(figure: Figure) -> Picture:
    """Return a figure of a page with its colours inside, so that it can stand alone."""
    svg = figure.svg[: figure.svg.index("</svg>") + len("</svg>")]  # without a page's controls
    head, rest = svg.split(">", 1)
    style = (COLOURS + DRAWING).replace(":root", "svg")
    title = f"<title>{safe(figure.caption)}</title>"
    return Picture(f"{head}>{title}<style>{style}</style>{rest}", figure.caption)


@dataclass(frozen=True)
class Plots:
    """The pictures of a run's report.html, one by one."""

    result: Result

    def chip_map(self, cores: str = "busy", links: str = "load") -> Picture:
        """Return the chip, cores coloured by 'busy', 'energy' or 'memory', links by 'load' or
        'blocked'; raises InputError for anything else.
        """
        svg = chip_map(self.result, cores=cores, links=links)
        return picture(Figure(svg, f"Cores by {cores}, links by {links}."))

    def energy(self) -> Picture:
        """Return the joules of an inference by component."""
        return picture(figures.energy_bars([self.result]))

    def populations(self) -> Picture:
        """Return the joules of an inference by population."""
        return picture(figures.population_energy([self.result]))

    def units(self) -> Picture:
        """Return where the cycles of each core's units go."""
        return picture(figures.unit_time(self.result))

    def latency(self) -> Picture:
        """Return the latency of every inference."""
        return picture(figures.latency([self.result]))

    def raster(self, inference: int = 0) -> Picture:
        """Return who sends what in an inference; raises InputError where there is none."""
        n = self.result.raster.n_inferences
        if not 0 <= inference < n:
            raise InputError(f"inference: must be 0 to {n - 1}, not {inference}")
        return picture(figures.raster(self.result, inference))


@dataclass(frozen=True)
class Tables:
    """The tables of a run's folder as pandas frames: a row per core, link, layer or step; columns
    are named as in docs/results.md, those of an array by its name and the name of the entry.
    """

    result: Result

    def cores(self) -> pandas.DataFrame:
        """Return one row per core."""
        return _frame(tables(self.result)["cores"], "core")

    def layers(self) -> pandas.DataFrame:
        """Return one row per population, without what belongs to none."""
        found = tables(self.result)["populations"]
        own = found | {"energy_by_action_j": found["energy_by_action_j"][: len(found["name"])]}
        return _frame(own, "name")

    def steps(self) -> pandas.DataFrame:
        """Return one row per chip step."""
        found = tables(self.result)["steps"]
        own = {name: found[name] for name in found if name not in PER_INFERENCE}
        return _frame(own, None).rename_axis("step")

    def links(self) -> pandas.DataFrame:
        """Return one row per router and output port: x, y, port, flits, blocked_cycles,
        utilisation.
        """
        import_pandas()
        import pandas

        found = tables(self.result)["links"]
        ports = found["port_names"]
        n = len(found["router_x"])
        columns = {
            "x": np.repeat(found["router_x"], len(ports)),
            "y": np.repeat(found["router_y"], len(ports)),
            "port": np.tile(ports, n),
        }
        for name in ("flits", "blocked_cycles", "utilisation"):
            columns[name] = found[name].reshape(-1)
        return pandas.DataFrame(columns)


#: arrays of steps.npz that have a row per inference
PER_INFERENCE = ("latency_cycles", "outputs", "predictions")
#: array -> the array of the names of its last axes, outermost first
NAMED = {
    "neurons": ("population_names",),
    "counters": ("counter_names",),
    "port_counters": ("counter_names",),
    "operand_macs": ("operand_names",),
    "unit_cycles": ("unit_names", "unit_state_names"),
    "state_cycles": ("state_names",),
    "router_state_cycles": ("state_names",),
    "queue_peak": ("queue_names",),
    "energy_j": ("action_names",),
    "energy_by_action_j": ("action_names",),
}


def import_pandas() -> None:
    """Raise InputError that says how to get pandas where it is not there."""
    try:
        import pandas  # noqa: F401
    except ImportError:
        raise InputError(
            "pandas: must be installed for tables: pip install -e '.[notebook]'"
        ) from None


def _frame(arrays: dict[str, np.ndarray], index: str | None) -> pandas.DataFrame:
    import_pandas()
    import pandas

    columns: dict[str, Any] = {}
    for name, array in arrays.items():
        if name.endswith("_names"):
            continue
        if array.ndim == 1:
            columns[name] = array
            continue
        axes = [arrays[axis].tolist() for axis in NAMED[name]]
        for place in np.ndindex(*array.shape[1:]):
            words = [names[k] for names, k in zip(axes, place)]
            columns[".".join((name, *words))] = array[(slice(None), *place)]
    frame = pandas.DataFrame(columns)
    return frame if index is None else frame.set_index(index)
