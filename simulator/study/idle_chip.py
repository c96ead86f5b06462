"""A chip with nothing to do."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from simulator import units
from simulator.describe.chip import Chip
from simulator.mapping.core_mapping import CoreMapping, Slices
from simulator.mapping.plan import NO_TREES, Activity, uncounted
from simulator.study.pipeline import by_hand


def idle_watts(chip: Chip, seconds: Fraction) -> float:
    """Return the average power of a chip all of whose cores wait for so many seconds, W."""
    end = units.cycles(seconds, Fraction(str(chip.period)), f"{float(seconds):g} s")
    n, none = chip.n_cores, np.zeros(0, np.int64)
    unused = np.zeros(n, np.int64)
    mapping = CoreMapping(
        core_of=(np.arange(n),),
        populations=(Slices.of(np.arange(n)),),
        targets=(),
        synapse_bits=unused,
        neuron_bits=unused,
        axon_bits=unused,
    )
    nobody, entry = none.astype(np.int32), ("endpoint", "flits")
    amounts = ("cycles", "operations", "words", "events")
    activity = Activity(
        work_start=np.zeros(2, np.int64),
        work_core=nobody,
        work_visits=none,
        work_message=np.zeros(1, np.int64),
        message_position=nobody,
        message_row=nobody,
        inject_start=np.zeros(2, np.int64),
        inject_port=nobody,
        inject_offset=none,
        inject_row=nobody,
        row_start=np.zeros(1, np.int64),
        row_tree=nobody,
        **{f"entry_{name}": nobody for name in entry},
        **{f"entry_{name}": none.astype(np.uint8) for name in ("class", "kind")},
        **{f"entry_{name}": none for name in amounts},
        step_release=np.array([0, end]),
        **NO_TREES,
        **uncounted(0, 0),
    )
    # a step of such work begins on time, not after a barrier
    record, ledger = by_hand(chip, mapping, activity, barrier_cycles=1)
    return ledger.total / (record.cycles * chip.period)
