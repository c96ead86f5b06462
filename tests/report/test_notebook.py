"""A run in a notebook: pictures that stand alone, and tables whose sums are the record's."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.study.simulation import Result, run
from simulator.timing.record import BUSY, COUNTER


@pytest.fixture(scope="module")
def result() -> Result:
    return run("digits-mlp", mode="snn", limit=2)


@pytest.mark.parametrize(
    "name", ["chip_map", "energy", "populations", "units", "latency", "raster"]
)
def test_a_picture_stands_alone(result: Result, name: str, tmp_path: Path) -> None:
    picture = getattr(result.plot, name)()
    root = ElementTree.fromstring(picture._repr_svg_())
    assert root.tag.endswith("}svg") and "fill: var(--a)" in picture.svg
    assert picture.caption.endswith(".")
    picture.save(tmp_path / "it.svg")
    assert ElementTree.parse(tmp_path / "it.svg").getroot().tag == root.tag


def test_a_map_is_coloured_by_what_is_asked(result: Result) -> None:
    maps = {result.plot.chip_map(cores, "blocked").svg for cores in ("busy", "energy", "memory")}
    assert 3 == len(maps)
    for wrong in ({"cores": "heat"}, {"links": "busy"}):
        with pytest.raises(InputError, match=f"{next(iter(wrong))}: must be one of "):
            result.plot.chip_map(**wrong)
    with pytest.raises(InputError, match="inference: must be 0 to 1, not 2"):
        result.plot.raster(2)


def test_tables_hold_the_record(result: Result) -> None:
    record, tables = result.record, result.tables
    cores, links = tables.cores(), tables.links()
    steps, layers = tables.steps(), tables.layers()
    n = result.plan.n_cores
    received = record.counters[:n, COUNTER["packets_received"]]
    assert received.tolist() == cores["counters.packets_received"].tolist()
    busy = record.unit_cycles[:, 1, BUSY]
    assert busy.tolist() == cores["unit_cycles.soma.busy"].tolist()
    assert record.link_flits.sum() == links["flits"].sum() and {"east", "local 0"} <= set(
        links.port
    )
    assert record.step_start.tolist() == steps["start"].tolist()
    energy = steps.filter(like="energy_j.").to_numpy().sum()
    assert energy == pytest.approx(result.ledger.total, rel=1e-12)  # sums in another order
    assert [p.name for p in result.workload.network.populations] == layers.index.tolist()
    own = result.ledger.by_population[:, :-1].sum()  # the last column belongs to none
    assert np.isclose(layers["energy_j"].sum(), own, rtol=1e-12)
