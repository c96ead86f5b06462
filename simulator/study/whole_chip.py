"""Work written by hand for whole chips, of which only the counts matter."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from simulator import units
from simulator.describe.chip import Chip
from simulator.describe.connections import DENSE, Connection
from simulator.mapping import stages
from simulator.mapping.core_mapping import CoreMapping, Slices
from simulator.mapping.plan import ACCUMULATE, NO_TREES, WORK_COUNTERS, Activity, uncounted
from simulator.study.pipeline import by_hand


class HandWork:
    """The work of some steps of a whole chip, core by core: every neuron is visited, some fire at
    one core each.
    """

    def __init__(self, chip: Chip, steps: int) -> None:
        """Start with nothing to do."""
        self.chip, self.steps = chip, steps
        self.visits = np.zeros((steps, chip.n_cores), np.int64)
        self.place = np.zeros(0, np.int64)
        self.target = np.zeros(0, np.int64)
        self.operations = 0

    def fire(self, place: np.ndarray, target: np.ndarray, operations: int) -> None:
        """Let neurons fire: their places in (step, core, neuron) order, the core each reaches, and
        synapses there.
        """
        self.place, self.target, self.operations = place, target, operations

    def activity(self, end: int) -> Activity:
        """Return the work, each step starting at its share of `end` cycles."""
        n, per_core = len(self.place), int(self.visits.max(initial=0))
        items = np.flatnonzero(self.visits.reshape(-1))
        synapse = self.chip.core.synapse
        cycles = synapse.lookup + -(-self.operations // synapse.lanes) * synapse.accumulate
        owner = self.place // max(per_core, 1)
        messages = np.concatenate([np.searchsorted(owner, items), [n]]).astype(np.int64)
        return Activity(
            work_start=np.searchsorted(items, np.arange(self.steps + 1) * self.chip.n_cores).astype(
                np.int64
            ),
            work_core=(items % self.chip.n_cores).astype(np.int32),
            work_visits=self.visits.reshape(-1)[items],
            work_message=messages,
            message_position=(self.place % max(per_core, 1)).astype(np.int32),
            message_row=np.arange(n, dtype=np.int32),
            inject_start=np.zeros(self.steps + 1, np.int64),
            inject_port=np.zeros(0, np.int32),
            inject_offset=np.zeros(0, np.int64),
            inject_row=np.zeros(0, np.int32),
            row_start=np.arange(n + 1, dtype=np.int64),
            row_tree=np.full(n, -1, np.int32),
            entry_endpoint=self.target.astype(np.int32),
            entry_flits=np.ones(n, np.int32),
            entry_class=np.zeros(n, np.uint8),
            entry_cycles=np.full(n, max(cycles, 1), np.int64),
            entry_operations=np.full(n, self.operations, np.int64),
            entry_kind=np.full(n, ACCUMULATE, np.uint8),
            entry_words=np.full(n, -(-self.operations // synapse.word), np.int64),
            entry_events=np.ones(n, np.int64),
            step_release=np.arange(self.steps + 1) * (end // self.steps),
            **NO_TREES,
            **self._counts(items, np.diff(messages)),
        )

    def _counts(self, items: np.ndarray, spikes: np.ndarray) -> dict[str, np.ndarray]:
        """Return what the work counts beside what it takes: every visit reads, compares and
        writes, every spike resets its neuron and becomes a packet of headers alone.
        """
        n, visits = len(self.place), self.visits.reshape(-1)[items]
        words = stages.visit_words(self.chip, 1, True) * visits
        count = dict.fromkeys(("membrane_reads", "membrane_writes"), words)
        count |= {"threshold_tests": visits, "resets": spikes, "events_generated": spikes}
        counts = [count.get(name, 0 * visits) for name in WORK_COUNTERS]
        packet = self.chip.packet
        row = Connection(DENSE, np.zeros((1, 1), np.int32), 1, (1,), (1,))
        touched = stages.accumulator_words(self.chip, row, np.array(self.operations))
        return uncounted(len(items), n) | {
            "entry_accumulator_words": np.full(n, int(touched)),
            "entry_header_bits": np.full(n, packet.destination + packet.axon, np.int32),
            "work_counts": np.stack(counts, axis=1),
        }


def average_power(chip: Chip, work: HandWork, seconds: Fraction) -> float:
    """Run a whole chip for so many seconds on work written by hand; return its average power, W."""
    end = units.cycles(seconds, Fraction(str(chip.period)), f"{float(seconds):g} s")
    n = chip.n_cores
    none = np.zeros(n, np.int64)
    mapping = CoreMapping(
        core_of=(np.arange(n),),
        populations=(Slices.of(np.arange(n)),),
        targets=(),
        synapse_bits=none,
        neuron_bits=none,
        axon_bits=none,
    )
    activity = work.activity(end)
    # a step of such work begins on time, not after a barrier
    record, ledger = by_hand(chip, mapping, activity, barrier_cycles=1)
    return ledger.total / (record.cycles * chip.period)
