"""Multicast trees against unicasts, and traffic classes that do not hold each other up."""

import numpy as np
import pytest
from traces import packets_of

from simulator.errors import InputError
from simulator.study.multicast import compare_with_unicasts
from simulator.study.noc import PIPELINE, mesh, run_trace
from simulator.study.synthetic import Traffic

# ---------------------------------------------------------------- multicast


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_tree_to_everyone_has_an_edge_less_than_nodes(engine):
    saving = compare_with_unicasts(
        mesh(4, 4), Traffic("uniform", 4, 4, 0.01), 16, 400, engine=engine
    )
    n = saving.messages
    assert (n, 16 * n, 15 * n) == (
        saving.tree.injected_flits,
        saving.unicast.injected_flits,
        saving.tree.flit_hops,
    )
    assert n > 30 and saving.tree.latency.n == saving.unicast.latency.n == n
    assert saving.tree.busiest_link <= saving.unicast.busiest_link
    # a message has arrived when its last copy has: 4 hops or more of 3 cycles from anywhere, and 5
    # more
    assert min(saving.tree.latency.quantile(0.0), saving.unicast.latency.quantile(0.0)) >= 17
    # each source reaches every node: the sum of its distances is what unicasts pay
    packets = packets_of(Traffic("uniform", 4, 4, 0.01), 400)
    far = [
        sum(abs(x - s % 4) + abs(y - s // 4) for x in range(4) for y in range(4))
        for s in packets[:, 1].tolist()
    ]
    assert sum(far) == saving.unicast.flit_hops


def test_one_destination_saves_nothing():
    saving = compare_with_unicasts(mesh(4, 4), Traffic("uniform", 4, 4, 0.05), 1, 300)
    tree, unicast = saving.tree, saving.unicast
    assert (
        0 == saving.flit_hops_saved
        and tree.latency.packets.tolist() == unicast.latency.packets.tolist()
    )
    assert (tree.flit_hops, tree.busiest_link, tree.cycles) == (
        unicast.flit_hops,
        unicast.busiest_link,
        unicast.cycles,
    )


def test_more_destinations_save_more():
    saved = [
        compare_with_unicasts(mesh(6, 6), Traffic("uniform", 6, 6, 0.005), k, 500).flit_hops_saved
        for k in (1, 2, 6, 18, 36)
    ]
    assert saved == sorted(set(saved)) and saved[0] == 0 and saved[-1] > 0.7


def test_groups_are_different_nodes_and_every_node_alike():
    traffic = Traffic("uniform", 4, 4, 1.0)
    packets = packets_of(traffic, 500)
    groups = traffic.groups(packets, 3)
    assert (np.diff(groups, axis=1) > 0).all()
    count, expected = np.bincount(groups.reshape(-1), minlength=16), len(packets) * 3 / 16
    assert (abs(count - expected) <= 4 * expected**0.5).all()


# arguments, the message
REFUSED_MULTICAST = [
    (["--multicast", "17"], "--multicast: must be 1 to 16 destinations, not 17"),
    (["--multicast", "0"], "--multicast: must be a whole number from 1 to 1048576, not '0'"),
    (
        ["--multicast", "2", "--packet-size", "2"],
        "--packet-size: a multicast packet has one flit, not 2",
    ),
    (
        ["--multicast", "2", "--routing", "yx"],
        "--routing: must be xy: multicast trees are unions of XY ways",
    ),
    (["--multicast", "2", "--plot", "p.png"], "--plot: has no meaning with --multicast"),
    (
        ["--multicast", "2", "--rate", "0.1,0.2"],
        "--multicast: needs one --rate, in messages per node and cycle",
    ),
]


@pytest.mark.parametrize("arguments, message", REFUSED_MULTICAST)
def test_multicast_that_cannot_be_is_refused(noc, arguments, message):
    rate = [] if "--rate" in arguments else ["--rate", "0.1"]
    with pytest.raises(InputError) as refused:
        noc("--mesh", "4x4", "--traffic", "uniform", *rate, *arguments)
    assert message == str(refused.value)


# ---------------------------------------------------------------- classes

HOPS = 5  # spikes from 1 to 6 on a row of 8; streams from 0 and 1 to 7 fill the links between
STREAMS = [(0, 0, 7, 1500, 1), (0, 1, 7, 1500, 1)]
SPIKES = [(cycle, source, 6, 1, 0) for cycle in range(100, 1200, 37) for source in (1, 2, 4)]


def worst_spike(engine, packets, **choices):
    packets = np.array(sorted(packets, key=lambda packet: packet[0]), np.int64)
    return run_trace(mesh(8, 1, **choices), [packets], engine=engine).latency[0].quantile(1.0)


# own VCs, whatever fills the link: buffers of 8 flits let a stream take every cycle, buffers of 4
# leave gaps
@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("pipeline, buffer", [("canonical", 8), ("lookahead", 8), ("lookahead", 4)])
def test_a_stream_never_holds_a_spike_longer_than_arbitration(engine, pipeline, buffer):
    choices = {"pipeline": PIPELINE[pipeline], "virtual_channels": 2, "buffer": buffer}
    alone = worst_spike(engine, SPIKES, **choices, class_vcs=(1, 1))
    apart = worst_spike(engine, STREAMS + SPIKES, **choices, class_vcs=(1, 1))
    # one turn of the interface, and at each of the routers a turn for each other input: west or
    # local
    assert alone <= apart <= alone + 1 + (HOPS + 1) * 2


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("pipeline", ["canonical", "lookahead"])
def test_a_stream_that_shares_its_vcs_holds_spikes_until_it_ends(engine, pipeline):
    choices = {"pipeline": PIPELINE[pipeline], "virtual_channels": 2}
    assert worst_spike(engine, STREAMS + SPIKES, **choices) > 1500


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_multicast_tells_how_far_it_is_and_is_the_same(engine):
    traffic, told = Traffic("uniform", 4, 4, 0.05), []
    watched = compare_with_unicasts(
        mesh(4, 4), traffic, 3, 400, engine=engine, progress=lambda *call: told.append(call)
    )
    assert str(compare_with_unicasts(mesh(4, 4), traffic, 3, 400, engine=engine)) == str(watched)
    for name in ("trees", "unicasts"):
        done = [done for what, done, total in told if (what, total) == (name, 400)]
        assert done == list(range(2, 401, 2))
