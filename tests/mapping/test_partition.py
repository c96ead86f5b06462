"""What fits where, and what is said when it does not."""

import numpy as np
import pytest

from simulator.describe.chip import Chip
from simulator.describe.workload import Workload
from simulator.errors import MappingError
from simulator.mapping import stages
from simulator.mapping.partition import partition
from simulator.mapping.placement import snake

# what is changed on the chip or (workload.) the workload                what the error says, word
# for word
TOO_SMALL = [
    (
        ("mesh.width=2", "mesh.height=2"),
        (),
        "workload digits-mlp does not fit on chip generic-22nm: it needs 7 cores (hidden1 4, "
        "hidden2 2, output 1), "
        "the chip has 4, 3 too few",
    ),
    (
        ("core.memory.synapses=100 bit",),
        (),
        "'hidden1' does not fit: one neuron needs 512 bits of synapses and 74 bits of state, "
        "a core of generic-22nm has 100 and 131072, 412 too few",
    ),
    (
        ("core.soma.state=16 bit",),
        (),
        "'hidden1' does not fit: its potentials have 24 bits, core.soma.state of "
        "generic-22nm is 16 bits",
    ),
    (
        ("core.memory.axons=31 bit",),
        (),
        "'output' does not fit: its axons need 32 bits on a core, core.memory.axons of "
        "generic-22nm is 31 bits, 1 too few",
    ),
    (
        ("core.memory.axons=0 bit",),
        (),
        "'output' does not fit: its axons need 32 bits on a core, core.memory.axons of "
        "generic-22nm is 0 bits, 32 too few",
    ),
    (
        (),
        ("mapping.placement={hidden1: [0], hidden2: [1], output: [99]}",),
        "'output': must be placed on cores 0..63 of generic-22nm, not on 99",
    ),
    (
        ("core.memory.neurons=74 bit",),
        ("mapping.placement={hidden1: [0], hidden2: [1], output: [2]}",),
        "'hidden1' does not fit on 1 cores of generic-22nm: a core needs 65536 bits of "
        "synapses (has 524288) and 9472 bits "
        "of neurons (has 74); 128 cores would do",
    ),
    (
        ("router.multicast=true", "router.routing=yx"),
        (),
        "chip generic-22nm: router.routing must be one of xy, west-first with router.multicast, "
        "not yx: its packets "
        "and the XY trees could wait for each other in a circle",
    ),
    (
        ("barrier.tree=null", "barrier.points=[[1, 114 ns], [4, 148 ns]]"),
        (),
        "chip generic-22nm: barrier.points must cover 7 tiles in use, not only 1 tiles: 114 ns, 4 "
        "tiles: 148 ns",
    ),
]


@pytest.mark.parametrize(("chip", "workload", "message"), TOO_SMALL)
def test_what_does_not_fit_says_what_where_and_by_how_much(chip, workload, message) -> None:
    from simulator.mapping.machine import compile_plan

    loaded, described = Workload.load("digits-mlp", workload), Chip.load("generic-22nm", chip)
    with pytest.raises(MappingError) as error:
        compile_plan(described, partition(loaded, described))
    assert str(error.value) == message


def test_every_neuron_is_on_exactly_one_core() -> None:
    for name in ("digits-mlp", "digits-cnn"):
        workload, chip = Workload.load(name), Chip.load("generic-22nm")
        mapping = partition(workload, chip)
        for number, layer in enumerate(workload.network.populations[1:], start=1):
            assert layer.n_neurons == len(mapping.core_of[number])
            assert sorted(mapping.populations[number].neuron_at) == list(range(layer.n_neurons))
            assert mapping.neurons[:, number].sum() == layer.n_neurons
        assert (mapping.synapse_bits <= chip.core.memory.synapses).all()
        assert (mapping.neuron_bits <= chip.core.memory.neurons).all()
        assert (mapping.axon_bits <= chip.core.memory.axons).all()


def test_a_tight_memory_takes_more_cores() -> None:
    workload = Workload.load("digits-mlp", ("mapping.neurons_per_core=128",))
    used = [
        partition(workload, Chip.load("generic-22nm", (f"core.memory.synapses={kib} KiB",))).n_used
        for kib in (64, 8, 4, 2)
    ]
    assert used == [3, 3, 5, 9]  # 8 KiB of weights in each hidden layer, 640 B in the output


def test_the_snake_visits_neighbours() -> None:
    chip = Chip.load("generic-22nm")
    order = snake(chip)
    assert sorted(order) == list(range(64))
    x, y = order % 8, order // 8
    assert (np.abs(np.diff(x)) + np.abs(np.diff(y)) == 1).all()


def test_on_a_wide_mesh_the_snake_fills_bands_of_rows() -> None:
    chip = Chip.load("generic-22nm", ("mesh.width=32", "mesh.height=20"))
    order = snake(chip)
    assert sorted(order) == list(range(640))
    x, y = order % 32, order // 32
    far = np.flatnonzero(np.abs(np.diff(x)) + np.abs(np.diff(y)) != 1)
    assert [255, 511] == far.tolist()  # from one band of 8 rows to the next
    assert (y[:256] < 8).all() and [0, 0, 0, 1] == x[[0, 1, 7, 8]].tolist()


# tiles -> cycles: 57 at 1, 416 at 64, linear, half up
@pytest.mark.parametrize(("tiles", "cycles"), [(1, 57), (64, 416), (2, 63), (32, 234), (33, 239)])
def test_barrier_is_linear_between_stated_points(tiles: int, cycles: int) -> None:
    points = "barrier.points=[[1, 57 cycles], [64, 416 cycles]]"
    chip = Chip.load("generic-22nm", ("barrier.tree=null", points))
    assert stages.barrier_cycles(chip, np.arange(tiles)) == cycles


# a tree to the middle of the mesh: tiles in use, mesh, what links take -> 2 cycles and two link
# latencies for every tile from the middle to the farthest
TREES = [
    ([36],        (8, 8),   (1, 1), 2),
    ([0],         (8, 8),   (1, 1), 18),
    ([36, 37],    (8, 8),   (1, 1), 4),
    (range(64),   (8, 8),   (1, 1), 18),
    (range(64),   (8, 8),   (3, 1), 34),
    ([7],         (8, 8),   (3, 2), 36),
    (range(1089), (33, 33), (1, 1), 66),
    ([0],         (1, 1),   (5, 5), 2),
]  # fmt: skip


@pytest.mark.parametrize(("tiles", "mesh", "links", "cycles"), TREES)
def test_a_tree_of_gates_follows_the_mesh(tiles, mesh, links, cycles) -> None:
    size = [f"mesh.{name}={n}" for name, n in zip(("width", "height"), mesh)]
    slow = [f"link.{way}.latency={n}" for way, n in zip(("east_west", "north_south"), links)]
    chip = Chip.load("generic-22nm", (*size, *slow))
    assert cycles == stages.barrier_cycles(chip, np.array(tiles))
