"""Encodings of each projection: what a workload asks for, and the cheapest by count [W25]."""

from dataclasses import replace

import numpy as np
import pytest

from simulator import Chip, Workload, run
from simulator.describe.connections import DENSE, Connection
from simulator.describe.library import names
from simulator.describe.network import Layer, Neuron, chain, fed
from simulator.errors import DescriptionError, InputError, MappingError
from simulator.study.pipeline import prepare
from simulator.timing.record import COUNTER

CHIP = "generic-22nm"  # 12 bits of destination, 12 of axon, flits of 32 bits


def workload(active: int, **changes) -> Workload:
    """Twenty neurons, of which the first `active` fire at once, and one that they all reach over
    one mesh link; they stand on core 0, it on core 1.
    """
    layers = []
    for name, n_in, n in (("hidden", 1, 20), ("out", 20, 1)):
        connection = Connection(DENSE, np.ones((n_in, n), np.int32), 8, (n_in,), (n,))
        threshold = np.where(np.arange(n) < (active if n > 1 else 0), 1, 1000)
        layers.append(
            Layer(name, (n,), connection, Neuron("if", threshold, 0 * threshold, 0 * threshold))
        )
    stimulus = fed("raster", np.ones((1, 1, 1), np.int32), 1)
    placement = {"hidden": [0], "out": [1]}
    network = chain((1,), layers)
    return Workload("small", network, stimulus, 1, placement=placement, **changes)


# spikes -> encoding: each takes a flit, and a bitmap of 20 neurons two, but that leaves when the
# last neuron was visited, and three events end sooner
@pytest.mark.parametrize(
    ("active", "encoding"), [(0, "events"), (2, "events"), (3, "events"), (20, "bitmap")]
)
def test_the_cheapest_is_chosen(active: int, encoding: str) -> None:
    result = run(workload(active, encoding="auto"), CHIP, "snn")
    assert ("events", encoding, "events") == result.schedule.encoding
    flits = active if encoding == "events" else 2
    grants = result.record.counters[0, :].tolist()
    assert 2 * flits == grants[COUNTER["router_grants"]]


@pytest.mark.parametrize("asked", [{"hidden": "bitmap"}, {"hidden -> out": "bitmap"}, "auto"])
def test_a_population_or_a_projection_can_be_named(asked) -> None:
    result = run(workload(20, encoding=asked), CHIP, "snn")
    assert ("events", "bitmap", "events") == result.schedule.encoding


def test_dense_spikes_are_a_bitmap_and_dense_activations_a_stream() -> None:
    spikes, values = (
        run(workload(20, encoding={"hidden": "dense"}), CHIP, mode) for mode in ("snn", "qnn")
    )
    bitmap = run(workload(20, encoding={"hidden": "bitmap"}), CHIP, "snn")
    assert (bitmap.record.counters == spikes.record.counters).all()
    stream = run(workload(20), Chip.load(CHIP, ("packet.activations=dense",)), "qnn")
    assert (stream.record.counters == values.record.counters).all()


# what is asked -> message
WRONG = [
    (
        {"hiden": "bitmap"},
        "workload: encoding.hiden: must name what sends to a population; did you mean 'hidden'?",
    ),
    (
        {"hidden": "counts"},
        "workload: encoding.hidden: must be 'events', 'bitmap', 'dense' or 'auto', not 'counts'",
    ),
    ("dense", "workload: encoding: must be 'auto', or encodings by population, not 'dense'"),
]


@pytest.mark.parametrize(("asked", "message"), WRONG)
def test_what_cannot_be_meant_is_refused(asked, message: str) -> None:
    with pytest.raises(InputError) as caught:
        workload(1, encoding=asked)
    assert message == str(caught.value)


def test_a_file_says_it_too_with_its_line(tmp_path) -> None:
    workload(1, encoding={"hidden": "bitmap"}).save(tmp_path / "one")
    assert {"hidden": "bitmap"} == Workload.load(tmp_path / "one").encoding
    with pytest.raises(DescriptionError, match="mapping.encoding.hiden: must name what sends"):
        Workload.load(tmp_path / "one", ("mapping.encoding.hiden=bitmap",))


def test_windows_that_travel_whole_leave_nothing_to_choose() -> None:
    counts = Chip.load(CHIP, ("packet.spikes=counts",))
    with pytest.raises(MappingError) as caught:
        run(workload(1, firing="accumulate", encoding="auto"), counts, "snn")
    assert (
        "workload small: mapping.encoding: must be left out where packet.spikes is counts, not "
        "auto for hidden -> out" == str(caught.value)
    )


#: workload -> inferences, chip; every workload that sends anything of its own
SHIPPED = {
    "digits-mlp": (2, ()),
    "digits-cnn": (2, ()),
    "digits-residual": (2, ()),
    "digits-recurrent": (2, ()),
    "keyword-stream": (48, ()),
    "fanout": (2, ()),
    "shd-like": (1, ()),
    "vgg16-cifar": (1, ("mesh.width=20", "mesh.height=20")),
}
HAS_NO_TWIN = ("digits-recurrent", "keyword-stream", "shd-like")
EACH = [
    pytest.param(name, mode, marks=[pytest.mark.slow] * (name in ("shd-like", "vgg16-cifar")))
    for name in SHIPPED
    for mode in ("snn", "qnn")
    if mode == "snn" or name not in HAS_NO_TWIN
]


def test_every_shipped_workload_is_asked() -> None:
    assert {*SHIPPED, "recurrent-million"} == set(names("workload"))


@pytest.mark.parametrize(("name", "mode"), EACH)
def test_auto_is_never_dearer_than_the_best_single_encoding(name: str, mode: str) -> None:
    key = "packet.spikes" if mode == "snn" else "packet.activations"
    single = ("events", "bitmap") if mode == "snn" else ("events", "bitmap", "dense")
    loaded, (limit, more) = Workload.load(name), SHIPPED[name]
    core_of = prepare(loaded, Chip.load(CHIP, more)).mapping.core_of
    called = [population.name for population in loaded.network.populations]
    placement = {called[number]: core_of[number] for number in loaded.network.computed}
    placed = replace(loaded, placement=placement)  # every way on the same cores
    alone = [
        run(placed, Chip.load(CHIP, (*more, f"{key}={one}")), mode, limit=limit).ledger.total
        for one in single
    ]
    auto = run(replace(placed, encoding="auto"), Chip.load(CHIP, more), mode, limit=limit)
    # the same work costs the same but for the order of its sums
    assert auto.ledger.total <= min(alone) * (1 + 1e-12)


def test_changed_prices_change_no_encoding() -> None:
    asked = workload(20, encoding="auto")
    free = Chip.load(CHIP, ("energy.axon_lookup.value=90 nJ", "energy.axon_lookup.band=null"))
    cheap, dear = (run(asked, chip, "snn").schedule.encoding for chip in (CHIP, free))
    assert cheap == dear


def test_the_ways_that_are_simulated_tell_how_far_they_are() -> None:
    told = []
    run(workload(20, encoding="auto"), CHIP, "snn", progress=lambda what, *_: told.append(what))
    assert "snn steps of a way to send" in told
    assert "snn steps" == told[-1]
    told.clear()
    run(workload(20), CHIP, "snn", progress=lambda what, *_: told.append(what))
    assert {"snn arithmetic", "snn steps"} == set(told)
