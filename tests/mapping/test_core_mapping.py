"""Any neuron on any core: slices and seats, memory sums counted independently, one work item for
all slices of a core, the same spikes and agreeing engines whatever the mapping [W40] [W41] [W42].
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from simulator import Chip, Workload, run
from simulator.errors import MappingError
from simulator.mapping import fan_out
from simulator.mapping.core_mapping import Slices, moved
from simulator.mapping.memories import mapped, size_of
from simulator.mapping.partition import partition
from simulator.study.pipeline import compute, prepare
from simulator.timing.record import COUNTER, first_divergence

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "behaviour"))
from random_networks import networks  # noqa: E402


def test_slices_follow_their_first_neurons_and_seats_the_slices():
    slices = Slices.of(np.array([7, 3, 7, 3, 9]))
    assert [7, 3, 9] == slices.cores.tolist()
    assert [0, 1, 0, 1, 2] == slices.slice_of.tolist()
    assert [0, 2, 1, 3, 4] == slices.neuron_at.tolist()
    assert [0, 2, 4, 5] == slices.bounds.tolist()
    assert [0, 2, 1, 3, 4] == slices.seat_of.tolist()
    moment, seat = slices.seated(np.array([0, 0, 1]), np.array([1, 2, 0]))
    assert ([0, 0, 1], [1, 2, 0]) == (moment.tolist(), seat.tolist())
    assert slices.is_in_order is False and Slices.of(np.array([4, 4, 2])).is_in_order is True


def scattered(workload: Workload, cores: int, seed: int) -> Workload:
    """Every neuron on a core of its own choice."""
    draw, network = np.random.default_rng(seed), workload.network
    placement = {
        network.populations[n].name: draw.integers(0, cores, network.populations[n].n_neurons)
        for n in network.computed
    }
    return replace(workload, placement=placement, neurons_per_core=None)


ROOM = ("core.memory.synapses=256 KiB", "core.memory.neurons=1024 KiB", "period=4 ns")


@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn"])
@pytest.mark.parametrize("sharing", ["neuron", "population"])
@pytest.mark.parametrize("multicast", ["true", "false"])
def test_memory_sums_are_those_of_an_independent_count(name, sharing, multicast):
    """Core by core, over sets of what is there: weights or kernels, neurons, destinations."""
    workload = scattered(Workload.load(name), 5, 1)
    changes = (f"core.axon_out.sharing={sharing}", f"router.multicast={multicast}", *ROOM)
    chip = Chip.load("generic-22nm", (*changes, "core.memory.axons=256 KiB"))
    network, mapping = workload.network, partition(workload, chip)
    held = [set(), *(workload.placement[one.name].tolist() for one in network.populations[1:])]
    synapses, neurons, axons = (dict.fromkeys(range(5), 0) for _ in range(3))
    kernels, shared = set(), set()
    for path in network.projections:
        joined, pixels = path.connection, int(np.prod(path.connection.output_shape[1:]))
        for current, neuron in enumerate(path.neuron_of_current.tolist()):
            core = held[path.target][neuron]
            if joined.kind == "convolution":
                kernels.add((path.target, core, current // pixels))
            else:
                synapses[core] += joined.n_in * joined.weight_bits
    for target, core, _ in kernels:
        joined = network.projections[target - 1].connection
        synapses[core] += int(np.prod(joined.weight.shape[1:])) * joined.weight_bits
    for number in network.computed:
        outgoing = [network.projections[k] for k in network.outgoing[number]]
        for neuron, core in enumerate(held[number]):
            neurons[core] += size_of(workload, chip, number).state
            sets = [("port",)] if number in network.outputs else []
            for path in outgoing:
                reached = fan_out.touched(path, np.array([neuron]))
                sets.append(tuple(sorted({held[path.target][n] for n in np.flatnonzero(reached)})))
            for place, cores in enumerate(sets):
                if sharing == "neuron" or (number, core, place, cores) not in shared:
                    axons[core] += min(len(cores), 1) if multicast == "true" else len(cores)
                shared.add((number, core, place, cores))
    assert list(synapses.values()) == mapping.synapse_bits[:5].tolist()
    assert list(neurons.values()) == mapping.neuron_bits[:5].tolist()
    assert [32 * each for each in axons.values()] == mapping.axon_bits[:5].tolist()
    assert 5 == mapping.n_used


@pytest.mark.parametrize("mode", ["snn", "qnn"])
@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn"])
def test_a_core_visits_its_populations_in_order_and_counts_what_slices_count(name, mode):
    """[W40]: one item for a core and step; all that is counted is that of the plain mapping."""
    plain, chip = Workload.load(name), Chip.load("generic-22nm", ROOM)
    one = run(plain, chip, mode, limit=2)
    other = run(scattered(plain, 3, 2), chip, mode, limit=2)
    for counter in ("neuron_updates", "spikes", "accumulates", "macs", "events_generated"):
        assert one.count(counter) == other.count(counter)
    activity, network = other.schedule.activity, plain.network
    step = np.repeat(np.arange(activity.n_steps), np.diff(activity.work_start))
    assert len(np.unique(step * 64 + activity.work_core)) == len(activity.work_core)
    position, work = activity.message_position, activity.work_message
    for item, visits in enumerate(activity.work_visits):
        mine = position[work[item] : work[item + 1]]
        assert (np.diff(mine) > 0).all() and (mine < visits).all()
    full = (activity.work_core == 0) & (activity.work_visits > 1)
    whole = other.mapping.neurons[0].sum()
    assert (
        activity.work_visits[full].max()
        <= whole
        == sum(
            int((other.workload.placement[population.name] == 0).sum())
            for population in network.populations[1:]
        )
    )
    assert np.array_equal(one.raster.outputs, other.raster.outputs)


def test_shares_of_a_core_add_up_and_populations_to_the_total():
    result = run(scattered(Workload.load("digits-mlp"), 2, 0), Chip.load("generic-22nm"), limit=2)
    assert [1, 1, 0] == result.mapping.share.sum(axis=1)[:3].tolist()
    assert result.ledger.total == pytest.approx(result.ledger.by_population.sum(), rel=1e-12)
    rows = result.populations()
    for key, counter in (("packets", "packets_sent"), ("flits", "flits_sent")):
        assert abs(sum(row[key] for row in rows) - result.count(counter)) <= len(rows)


def test_every_memory_that_overflows_is_named_with_what_it_lacks():
    """All faults of a mapping at once."""
    changes = ("core.memory.synapses=1 KiB", "core.memory.neurons=740 bit")
    workload = scattered(Workload.load("digits-mlp"), 1, 0)
    with pytest.raises(MappingError) as error:
        partition(workload, Chip.load("generic-22nm", (*changes, "core.memory.axons=64 bit")))
    held = "core 0 (128 of 'hidden1', 64 of 'hidden2', 10 of 'output') needs"
    assert str(error.value) == (
        "workload digits-mlp does not fit on chip generic-22nm as it is mapped: "
        f"{held} 136192 bits of synapses, core.memory.synapses of generic-22nm is 8192 bits, "
        f"128000 too few; {held} 14948 bits of neurons, core.memory.neurons of generic-22nm is 740 "
        f"bits, 14208 too few; {held} 96 bits of axons, core.memory.axons of generic-22nm is 64 "
        "bits, 32 too few"
    )


def test_moved_slices_take_their_memories_with_them():
    workload, chip = Workload.load("digits-cnn"), Chip.load("generic-22nm")
    mapping, to = partition(workload, chip), np.random.default_rng(0).permutation(64)
    other = moved(mapping, to)
    again = mapped(workload, chip, {n: other.core_of[n] for n in workload.network.computed})
    assert again.digest() == other.digest()


@pytest.mark.parametrize("more", [(), ("core.soma.update=touched", "packet.spikes=bitmap")])
@given(drawn=networks(), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None, derandomize=True, phases=[Phase.generate])
def test_any_mapping_gives_the_same_spikes_and_both_engines_agree(drawn, seed, more):
    network, stimulus, timesteps = drawn
    assume(all(
        side % path.pool.size == 0
        for path in network.projections
        if path.pool is not None
        for side in path.connection.output_shape[1:]
    ))  # fmt: skip
    chip = Chip.load("generic-22nm", (
        "core.soma.state=96 bit", "core.synapse.accumulator=60 bit", *ROOM[1:], *more
    ))  # fmt: skip
    workload = Workload("drawn", network, stimulus, timesteps)
    computed = compute(workload, "snn", limit=1)
    found = []
    for one in (scattered(workload, 1, seed), scattered(workload, 4, seed)):
        prepared = prepare(one, chip)
        scheduled = prepared.schedule(computed)
        record, other = (
            scheduled.execute(engine, events=True).record for engine in ("reference", "compiled")
        )
        assert first_divergence(record, other, prepared.plan) is None
        names = ("events_generated", "neuron_updates")
        found.append([int(record.counters[:, COUNTER[name]].sum()) for name in names])
    assert found[0] == found[1]
