"""Which packets of a mapped network travel over trees, and what they then pass."""

import numpy as np
import pytest

from simulator import Chip, Workload, run
from simulator.describe.connections import DENSE, SPARSE, Connection
from simulator.describe.network import Layer, Neuron, chain, fed
from simulator.errors import MappingError
from simulator.timing.record import COUNTER

T = 3


def workload(kind: str = DENSE) -> Workload:
    """Forty neurons on core 0 of a row of tiles, which reach six on the cores 1, 2 and 3."""
    sparse = Connection(
        SPARSE,
        np.ones(40, np.int32),
        8,
        (40,),
        (6,),
        start=np.arange(41),
        index=np.arange(40) % 6,
    )
    first = Connection(DENSE, np.ones((1, 40), np.int32), 8, (1,), (40,))
    second = Connection(DENSE, np.ones((40, 6), np.int32), 8, (40,), (6,))
    layers = []
    for name, n, connection in (
        ("forty", 40, first),
        ("six", 6, second if kind == DENSE else sparse),
    ):
        nothing = np.zeros(n, np.int64)
        layers.append(Layer(name, (n,), connection, Neuron("if", nothing + 1, nothing, nothing)))
    placement = {"forty": [0], "six": [1, 2, 3]}
    stimulus = fed("raster", np.ones((1, T, 1), np.int32), 1)
    return Workload("streams", chain((1,), layers), stimulus, T, placement=placement)


def chip(**changes: object) -> Chip:
    return Chip.load("generic-22nm", {"packet.activations": "dense", **changes})


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_stream_passes_every_edge_of_its_tree_once(engine: str) -> None:
    # forty values of two bits and 24 of header: 104 bits in four flits; three links in a row
    alone, tree = (
        run(workload(), chip(**{"router.multicast": one}), "qnn", engine=engine)
        for one in (False, True)
    )
    hops, packets = COUNTER["flit_hops_east_west"], COUNTER["packets_sent"]
    assert [4 * (1 + 2 + 3), 4 * 3] == [int(one.record.counters[0, hops]) for one in (alone, tree)]
    assert [3, 1] == [int(one.record.counters[0, packets]) for one in (alone, tree)]
    received = COUNTER["flits_received"]
    assert [4, 4, 4] == tree.record.counters[1:4, received].tolist()
    assert alone.count("macs") == tree.count("macs")


def test_packets_that_differ_travel_alone() -> None:
    # bitmaps of the same neurons are alike; events of several neurons in one packet are not, where
    # each reaches one core only
    several = {"router.multicast": True, "packet.events_per_packet": 20}
    result = run(workload(SPARSE), chip(**several), "snn")
    assert (result.schedule.activity.row_tree == -1).all()
    bitmap = run(workload(), chip(**{"router.multicast": True, "packet.spikes": "bitmap"}), "snn")
    assert (bitmap.schedule.activity.row_tree >= 0).any()


def test_a_buffer_that_holds_less_than_a_stream_is_refused() -> None:  # [W26]
    small = chip(**{"router.multicast": True, "router.buffer": "3 flits"})
    with pytest.raises(MappingError) as caught:
        run(workload(), small, "qnn")
    assert (
        "router.buffer: must hold the longest multicast packet, 4 flits, not only 3: the branches "
        "of its tree could wait for each other in a circle" == str(caught.value)
    )
    assert run(workload(), small.changed({"router.multicast": False}), "qnn").is_complete
