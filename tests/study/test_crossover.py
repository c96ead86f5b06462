"""EventSource is what was asked for, and a crossing is where the twins cost the same."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from simulator import Chip, Workload
from simulator.behaviour import raster as behaviour
from simulator.behaviour.twins import compare
from simulator.commands.crossover import sweeps
from simulator.errors import InputError
from simulator.study.controlled import EventSource, named, replay, spread_out
from simulator.study.crossover import METRICS, Machine, find, mean_hops, sweep

FREE = ("energy.payload_bit_hop.value=0 pJ", "energy.stream_bit_hop.value=0 pJ")


def places(raster, number: int) -> set[tuple[int, int]]:
    trace = raster.traces[number]
    return set(
        zip(
            np.repeat(np.arange(len(trace.start) - 1), np.diff(trace.start)).tolist(),
            trace.neuron.tolist(),
        )
    )


@pytest.fixture(scope="module")
def drawn() -> EventSource:
    return EventSource(named("mlp-50-20"), 4, 3, 0.2, seed=7)


@pytest.mark.parametrize("rate", [0.0, 0.013, 0.1, 0.5, 1.0])
def test_a_rate_is_exact_to_one_event_in_every_layer(drawn: EventSource, rate: float) -> None:
    for trace in drawn.raster("snn", rate).traces:
        assert len(trace.neuron) == round(rate * trace.n_neurons * 4 * 3)


def test_a_density_is_held_whatever_the_rate(drawn: EventSource) -> None:
    for rate in (0.0, 0.7):
        for trace in drawn.raster("qnn", rate).traces:
            assert len(trace.neuron) == round(0.2 * trace.n_neurons * 3)
            assert trace.value.min() >= 1 and trace.value.max() <= 4


def test_a_higher_rate_only_adds_events(drawn: EventSource) -> None:
    few, many = drawn.raster("snn", 0.1), drawn.raster("snn", 0.3)
    for number in range(len(few.traces)):
        assert places(few, number) < places(many, number)


def test_a_seed_is_the_same_events_and_another_seed_others(drawn: EventSource) -> None:
    again, other = replace(drawn, seed=7), replace(drawn, seed=8)
    assert places(drawn.raster("snn", 0.2), 1) == places(again.raster("snn", 0.2), 1)
    assert places(drawn.raster("snn", 0.2), 1) != places(other.raster("snn", 0.2), 1)


@pytest.mark.parametrize("firing", ["streaming", "accumulate"])
@pytest.mark.parametrize(("case", "spikes"), [("best", 1), ("average", 2.5), ("worst", 4)])
def test_a_tied_density_is_theorem_2_and_the_spikes_are_the_activations(
    case: str, spikes: float, firing: str
) -> None:
    activity = EventSource(replace(named("mlp-500-500"), firing=firing), 4, 2, case)
    snn, qnn = activity.raster("snn", 0.1), activity.raster("qnn", 0.1)
    assert compare(snn, qnn).is_equal
    density = len(qnn.traces[1].neuron) / 1000
    assert density == pytest.approx(4 * 0.1 / spikes, abs=0.001)
    assert len(snn.traces[1].neuron) / 4000 == pytest.approx(
        0.1, rel=0.1 if case == "average" else 0.01
    )


def test_a_real_trace_is_thinned_and_filled() -> None:
    activity = EventSource(Workload.load("digits-mlp"), 4, 2, "trace")
    real = behaviour.run(
        activity.workload.network, activity.workload.stimulus, "snn", 4, activity.workload.firing, 2
    )
    half, same, more = (
        activity.raster("snn", activity.real_rate * factor) for factor in (0.5, 1, 2)
    )
    for number in (1, 2):
        assert (
            places(half, number)
            < places(real, number)
            == places(same, number)
            < places(more, number)
        )
        assert len(half.traces[number].neuron) == round(0.5 * len(real.traces[number].neuron))


# two neurons cost the same compare; synapses S, neurons M of mlp-64-16: 64 + 64 * 16 and 64 + 16
def test_where_transport_is_free_the_crossing_is_the_formula_s() -> None:
    chip, synapses, neurons, window, density = (
        Chip.load("yan-2024", FREE),
        64 + 1024,
        64 + 16,
        3,
        0.25,
    )
    machine = Machine(EventSource(named("mlp-64-16"), window, 2, density), chip)
    accumulate, read, multiply, compare_ = 0.05448, 0.31, 0.08831, 0.05448
    quantised = synapses * density * (multiply + read) + neurons * 2 * compare_
    by_rate = window * (synapses * (accumulate + read) + neurons * accumulate)
    expected = (quantised - window * neurons * compare_) / by_rate
    resolution = 0.0002
    crossing = machine.crossing("energy", resolution)
    assert crossing.below == "snn"
    # half a bracket, and the places a rate is rounded to
    assert crossing.rate == (pytest.approx(expected, abs=resolution / 2 + 1 / (2 * 3 * 16)),)


@pytest.mark.parametrize("metric", METRICS)
def test_the_costs_change_order_within_the_resolution(metric: str) -> None:
    machine = Machine(EventSource(named("mlp-64-16"), 4, 2, 0.2), Chip.load("yan-2024"))
    crossing = machine.crossing(metric, 0.001)
    for rate in crossing.rate:
        assert (machine.excess(metric, rate - 0.001) < 0) != (
            machine.excess(metric, rate + 0.001) < 0
        )
    assert crossing.rate


def test_the_cheapest_encoding_is_no_dearer_than_the_chip_s() -> None:
    activity, chip = EventSource(named("mlp-64-16"), 4, 1, 0.3), Chip.load("generic-22nm")
    free, bound = (Machine(activity, chip, encodings=name) for name in ("cheapest", "chip"))
    for twin in ("snn", "qnn"):
        assert all(
            free.cost(twin, 0.2).value[metric] <= bound.cost(twin, 0.2).value[metric]
            for metric in METRICS
        )
    assert free.cost("qnn", 0.2).value["energy"] < bound.cost("qnn", 0.2).value["energy"]


def test_spreading_the_cores_lengthens_the_ways_and_nothing_else() -> None:
    activity, chip = (
        EventSource(replace(named("mlp-64-16"), neurons_per_core=16), 4, 1, 0.2),
        Chip.load("generic-22nm"),
    )
    near, far = (
        replay(activity, chip, "snn", 0.1, spread_out(activity.workload, chip, stride))
        for stride in (1, 4)
    )
    assert near.count("packets_sent") == far.count("packets_sent")
    assert mean_hops(near) < mean_hops(far)


def test_a_sweep_has_a_row_for_every_window_chip_and_spread(tmp_path) -> None:
    from simulator.commands.crossover import crossover

    arguments = [
        "mlp-16-8",
        "--chip",
        "yan-2024",
        "--timesteps",
        "3,4",
        "--chip-set",
        "packet.axon=0 bit,12 bit",
    ]
    options = ["--spread", "1,2", "--resolution", "0.01", "--limit", "1", "-o", str(tmp_path)]
    out = CliRunner().invoke(crossover, [*arguments, *options], catch_exceptions=False)
    assert out.exit_code == 0, out.output
    rows = list(csv.DictReader((tmp_path / "crossover.csv").read_text().splitlines()))
    keys = [(row["timesteps"], row["packet.axon_bit"], row["spread"]) for row in rows]
    assert keys == [(t, axon, spread) for t in "34" for axon in ("0", "12") for spread in "12"]
    assert all(float(row["formula_rate_1"]) < 0.3 and row["formula_below"] == "snn" for row in rows)


def test_a_trace_holds_the_measured_density_in_the_formula() -> None:
    workload, chip = Workload.load("digits-mlp"), Chip.load("generic-22nm")
    (finding,) = sweep(workload, [({}, chip)], [4], density="trace", resolution=0.01)
    traces = behaviour.run(
        workload.network, workload.stimulus, "qnn", 4, workload.firing, 2
    ).traces[1:-1]
    assert finding.active == sum(len(trace.neuron) for trace in traces) / (
        2 * sum(trace.n_neurons for trace in traces)
    )


# texts of --chip-set, and the combinations they ask for
SWEEPS = [
    ((), [{}]),
    (("link.flit=8 bit,32 bit",), [{"link.flit": "8 bit"}, {"link.flit": "32 bit"}]),
    (("a=1,2", "b=3"), [{"a": "1", "b": "3"}, {"a": "2", "b": "3"}]),
    (("ports.0.tile=[0, 0],[3, 1]",), [{"ports.0.tile": "[0, 0]"}, {"ports.0.tile": "[3, 1]"}]),
]


@pytest.mark.parametrize(("texts", "expected"), SWEEPS)
def test_sweeps_multiply(texts: tuple[str, ...], expected: list) -> None:
    assert sweeps(texts) == expected


def activity(density: float | str) -> EventSource:
    return EventSource(named("mlp-2-2"), 2, 1, density)


# what is refused, and the words
REFUSED = [
    (lambda: sweeps(("link.flit",)), "--chip-set: must be key.path=v1,v2,..., not 'link.flit'"),
    (lambda: activity(1.5), "density: must be from 0 to 1, not 1.5"),
    (
        lambda: activity("some"),
        "density: must be a number, or one of best, average, worst, trace, not 'some'",
    ),
    (
        lambda: Machine(activity(0.1), Chip.load("yan-2024"), encodings="x"),
        "encodings: must be 'cheapest' or 'chip', not 'x'",
    ),
    (
        lambda: spread_out(named("mlp-40-2"), Chip.load("yan-2024"), 8),
        "spread: must leave 42 cores on yan-2024, not 32 (every 8 of 256)",
    ),
]


@pytest.mark.parametrize(("ask", "message"), REFUSED)
def test_refused(ask, message: str) -> None:
    with pytest.raises(InputError) as error:
        ask()
    assert str(error.value) == message


@pytest.mark.parametrize("name", ["digits-mlp", "mlp-3", "mlp", "mlp-0-2", "mlp-2-x"])
def test_only_sizes_name_a_network(name: str) -> None:
    assert named(name) is None


def test_one_finding_names_both_encodings_and_the_formula() -> None:
    finding = find(
        Machine(EventSource(named("mlp-64-16"), 5, 1, 0.2), Chip.load("yan-2024")), resolution=0.01
    )
    assert set(finding.encoding) == {"snn", "qnn"} and finding.bits == 3
    assert set(finding.flat()) >= {
        "timesteps",
        "energy_rate_1",
        "latency_below",
        "energy_delay_product_ratio_at_zero",
        "formula_rate_1",
    }


WHOLE_FLITS = (
    "energy.payload_bit_hop.value=0 pJ",
    "energy.stream_bit_hop.value=0 pJ",
    "energy.link_east_west.value=3 pJ",
    "energy.link_north_south.value=3 pJ",
    "packet.destination=12 bit",
    "packet.axon=12 bit",
    "packet.maximum=8 flits",
)


@pytest.mark.parametrize(("changes", "eight_is_better"), [((), True), (WHOLE_FLITS, False)])
def test_eight_timesteps_beat_seven_only_where_a_bit_has_a_price(
    changes: tuple[str, ...], eight_is_better: bool
) -> None:
    chip = Chip.load("yan-2024", changes)
    seven, eight = (
        Machine(EventSource(named("mlp-64-16"), window, 2, 0.2), chip)
        .crossing("energy", 0.001)
        .rate[0]
        for window in (7, 8)
    )
    assert (eight > seven) == eight_is_better


def test_every_command_the_verdict_names_is_in_its_script() -> None:
    docs = Path(__file__).parents[2] / "docs"
    script = (docs / "verdict.sh").read_text()
    groups = re.findall(r"\[(`[a-z0-9`, -]+`)\]", (docs / "verdict.md").read_text())
    names = {name for group in groups for name in re.findall(r"`(.+?)`", group)}
    assert len(names) > 20
    for name in names - {"chip-seed-1", "chip-seed-2"}:
        assert re.search(rf"^ *(show|flits|without|compared) {name} ", script, re.MULTILINE), name


def test_a_crossing_s_spread_over_seeds_is_what_each_seed_gives() -> None:
    network, chips = named("mlp-40-20"), [({}, Chip.load("yan-2024"))]
    alone = [sweep(network, chips, [4], seed=seed, resolution=0.005)[0] for seed in (3, 4, 5)]
    (finding,) = sweep(network, chips, [4], seed=3, seeds=3, resolution=0.005)
    assert alone[0].crossing == finding.crossing
    for metric in METRICS:
        rates = tuple(each.crossing[metric].rate[0] for each in alone if each.crossing[metric].rate)
        assert rates == finding.over_seeds[metric]
    rates = finding.over_seeds["energy"]
    assert f"; {min(rates):.2%} to {max(rates):.2%} of 3 seeds" in finding.show("energy")
    assert "seeds" not in alone[0].show("energy")
    row = finding.flat()
    assert (min(rates), max(rates)) == (row["energy_rate_least"], row["energy_rate_most"])


def test_a_tied_density_is_sought_only_where_there_is_a_twin() -> None:
    # in the best case every input is active at a rate of 1/T: 12.5 %, below the last rate scanned
    activity = EventSource(named("mlp-20-10"), 8, 2, "best", seed=1)
    with pytest.raises(InputError, match="rate: must be at most 0.125 at T = 8 in the best case"):
        activity.raster("qnn", 0.15)
    machine = Machine(activity, Chip.load("generic-22nm"))
    crossing = machine.crossing("energy", 0.02)
    most = machine.cost("snn", 0.125).value["energy"] / machine.cost("qnn", 0.125).value["energy"]
    assert most == crossing.ratio_at_end
