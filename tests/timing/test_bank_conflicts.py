"""Events served together that meet in a bank of the synapse memory wait, as worked out by hand from
docs/machine.md, and nobody else does.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from engines import ENGINES, simulate_with
from hypothesis import given, settings
from hypothesis import strategies as st
from small_machines import CORE, Row, Step, core_and_port, work

from simulator import Chip, run
from simulator.mapping import banks
from simulator.mapping.plan import ACCUMULATE, MULTIPLY_ACCUMULATE
from simulator.timing.record import COUNTER, UNIT_STATES, UNITS, first_divergence

ACC, MAC = ACCUMULATE, MULTIPLY_ACCUMULATE
#: the words in which rows begin, words and synapses of each; lanes, banks, kind, cycles of a lane
#: (accumulate, mac, shared), lookup of each -> busy cycles of the group, in bank conflict
#: [C20] [C21] [C22]
TABLE = [
    ([0, 1], 1, 4, 8, 2, ACC, (1, 1, 0), 0, 1, 0),  # both at once, each from its bank
    ([0, 2], 1, 4, 8, 2, ACC, (1, 1, 0), 0, 1, 1),  # both from bank 0: one waits
    ([0, 1], 1, 4, 8, 1, ACC, (1, 1, 0), 0, 2, 0),  # a single bank: nothing else was possible
    ([0, 4, 8, 12], 1, 2, 8, 4, ACC, (1, 1, 0), 0, 1, 3),  # four from bank 0
    ([0, 5, 10, 15], 1, 2, 8, 4, ACC, (1, 1, 0), 0, 1, 0),  # banks 0, 1, 2, 3
    ([0, 4, 8, 12], 1, 2, 2, 4, ACC, (1, 1, 0), 0, 4, 0),  # the lanes take four cycles anyhow
    ([0, 4, 8, 12], 1, 2, 4, 4, ACC, (1, 1, 0), 0, 2, 2),  # and here two of them
    ([0, 3, 6], 3, 1, 8, 2, ACC, (1, 1, 0), 0, 5, 0),  # 5 of 9 words from bank 0
    ([0, 2, 4], 3, 1, 8, 2, ACC, (1, 1, 0), 0, 5, 1),  # 6 of them
    ([0, 6], 4, 1, 8, 3, ACC, (1, 1, 0), 0, 3, 1),  # 2 + 2 from bank 0, 1 + 1 from 1 and 2
    ([0, 5], 4, 1, 8, 3, ACC, (1, 1, 0), 0, 3, 0),  # the second begins in bank 2
    ([0, 2], 16, 1, 8, 2, ACC, (1, 1, 0), 0, 16, 0),  # whole rounds of the banks never meet
    ([0, 1], 1, 16, 8, 2, ACC, (4, 9, 2), 0, 4 * 2 + 2 * 2, 0),  # accumulators are opened once
    ([0, 1], 1, 16, 8, 2, MAC, (4, 9, 2), 0, 4 * 7 + 2 * 2, 0),  # macs take longer
    ([0, 2], 1, 12, 8, 2, ACC, (1, 1, 0), 0, 3, 0),  # 24 synapses: three rounds, not two and two
    ([0, 2], 1, 4, 8, 2, ACC, (1, 1, 0), 3, 7, 1),  # lookups come one after the other
    ([0, 2], 0, 0, 8, 2, ACC, (1, 1, 0), 0, 1, 0),  # at least a cycle
]


def served(engine, address, words, synapses, lanes, banks, kind, adds, lookup, events=1, group=8):
    """Return the record of a core that finds packets of a group waiting, each of so many events,
    when it is done with one of its own.
    """
    plan = core_and_port(
        event_group=group,
        lanes=lanes,
        banks=banks,
        add_cycles=np.array(adds[:2]),
        shared_cycles=adds[2],
    )
    n = len(address) // events
    # the first packet is there in 5, taken in 6 and done in 26; the others are there before
    rows = [Row([(CORE, 1, 20, 0)])] + [Row([(CORE, 1, 99, 0)])] * n
    activity = work(plan, rows, [Step(injects=[(0, row) for row in range(n + 1)])])
    activity = replace(
        activity,
        entry_group=np.array([-1] + [0] * n, np.int32),
        entry_kind=np.array([ACC] + [kind] * n, np.uint8),
        entry_events=np.array([1] + [events] * n),
        entry_words=np.array([1] + [events * words] * n),
        entry_operations=np.array([1] + [events * synapses] * n),
        entry_lookup_cycles=np.array([0] + [lookup] * n),
        entry_first_event=np.array([0, *range(0, n * events, events)]),
        event_address=np.array(address),
    )
    return simulate_with(engine)(plan, activity)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("row", TABLE)
def test_events_that_meet_in_a_bank_wait(engine, row) -> None:  # [C20] [C21] [C22] [K50]
    *given, busy, waits = row
    record = served(engine, *given)
    assert [26 + busy + waits] == record.step_quiet.tolist()
    spent = dict(zip(UNIT_STATES, record.unit_cycles[CORE, UNITS.index("synapse")].tolist()))
    assert [20 + busy, waits] == [spent["busy"], spent["bank conflict"]]
    assert record.cycles == sum(spent.values())
    assert waits == record.counters[CORE, COUNTER["bank_conflicts"]]
    assert waits == record.step_counters[0, COUNTER["bank_conflicts"]]
    others = record.unit_cycles[CORE, 1:, UNIT_STATES.index("bank conflict")]
    assert [0, 0] == others.tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_packets_of_several_events_wait_for_all_of_them(engine) -> None:  # [C20]
    # banks 0, 1, 0, 1, 0, 0: the rows of three packets of two, one word each, from two banks
    record = served(engine, [0, 1, 2, 3, 4, 6], 1, 1, 8, 2, ACC, (1, 1, 0), 0, events=2)
    assert [26 + 3 + 1] == record.step_quiet.tolist()
    assert 1 == record.counters[CORE, COUNTER["bank_conflicts"]]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_packet_alone_waits_as_long_as_it_says(engine) -> None:  # [C23] [K50]
    plan = core_and_port()
    activity = work(plan, [Row([(CORE, 1, 4, 0)])], [Step(injects=[(0, 0)] * 2)])
    record = simulate_with(engine)(
        plan, replace(activity, entry_conflict_cycles=np.array([3], np.int64))
    )
    assert [6 + 2 * (4 + 3)] == record.step_quiet.tolist()
    spent = dict(zip(UNIT_STATES, record.unit_cycles[CORE, 0].tolist()))
    assert [8, 6] == [spent["busy"], spent["bank conflict"]]
    assert 6 == record.counters[CORE, COUNTER["bank_conflicts"]]


@pytest.mark.parametrize("engine", ENGINES)
def test_with_one_event_at_a_time_banks_keep_nobody_waiting(engine) -> None:
    record = served(engine, [0, 4, 8, 12], 1, 2, 8, 4, ACC, (1, 1, 0), 0, group=1)
    assert [26 + 4 * 99] == record.step_quiet.tolist()
    assert 0 == record.counters[:, COUNTER["bank_conflicts"]].sum()


@settings(derandomize=True, deadline=None, max_examples=300, database=None)
@given(
    groups=st.lists(st.lists(st.integers(0, 200), min_size=1, max_size=9), max_size=6),
    words=st.integers(0, 30),
    n_banks=st.integers(1, 12),
)
def test_the_busiest_bank_is_that_of_a_count_word_by_word(groups, words, n_banks) -> None:
    expected = [
        max(Counter((one + k) % n_banks for one in group for k in range(words)).values(), default=0)
        for group in groups
    ]
    address = np.array([one for group in groups for one in group], np.int64)
    start = np.cumsum([0, *map(len, groups)])
    assert expected == banks.busiest(address, words, start, n_banks).tolist()


def test_both_engines_agree_on_a_network_whose_spikes_meet_in_banks() -> None:
    changes = {"core.synapse.lanes": 64, "core.synapse.banks": 8, "core.synapse.group": 8}
    chip = Chip.load("generic-22nm", changes)
    plain, grouped = (
        run("digits-mlp", one, "snn", engine="compiled", limit=1)
        for one in (chip.changed({"core.synapse.group": 1}), chip)
    )
    assert 0 == plain.count("bank_conflicts") < grouped.count("bank_conflicts")
    said = run("digits-mlp", chip, "snn", engine="reference", limit=1)
    assert first_divergence(grouped.record, said.record) is None


def test_groups_are_cut_within_their_packets() -> None:
    start, packet = banks.parts(np.array([0, 5, 5, 7]), 2)
    assert ([0, 2, 4, 5, 7], [0, 0, 0, 2]) == (start.tolist(), packet.tolist())
