"""Events that a synapse unit serves together: what their rows take to read from the banks they lie
in, and their synapses to add (docs/machine.md, Core and Work).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.describe.chip import Chip


@dataclass(frozen=True)
class Together:
    """What a synapse unit does at once with the events of one projection: `group` of them, whose
    rows have one length.
    """

    group: int
    lanes: int
    banks: int
    operation: int  # cycles per synapse and lane
    shared: int  # of them, that the accumulators take once

    @classmethod
    def of(cls, chip: Chip, multiply: bool) -> Together:
        """Return what a chip's synapse units do at once."""
        synapse = chip.core.synapse
        operation = synapse.multiply_accumulate if multiply else synapse.accumulate
        return cls(synapse.group, synapse.lanes, synapse.banks, operation, synapse.shared)

    def cycles(
        self, events: np.ndarray, words: np.ndarray, targets: np.ndarray, reading: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the busy cycles of groups of so many events, each of so many words and targets,
        without lookups, and the cycles more that their busiest bank, which reads so many of the
        words, keeps the unit waiting [C21] [C22].
        """
        opened = -(-targets // self.lanes) * (events > 0)
        adding = -(-events * targets // self.lanes) * (self.operation - self.shared)
        adding = adding + opened * self.shared
        busy = np.maximum(adding, -(-events * words // self.banks))
        return busy, np.maximum(adding, reading) - busy


def parts(start: np.ndarray, group: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where groups of at most so many events begin, in events, (n_parts + 1,), and in whose
    packet each is, (n_parts,): packets start[p] .. start[p + 1] - 1 are cut from their first event
    on.
    """
    size = np.diff(start)
    count = -(-size // group)
    packet = np.repeat(np.arange(len(size)), count)
    within = np.arange(len(packet)) - np.repeat(np.cumsum(count) - count, count)
    return np.append(start[packet] + within * group, start[-1]), packet


def busiest(address: np.ndarray, words: int, start: np.ndarray, banks: int) -> np.ndarray:
    """Return how many words the bank reads that is asked for the most, for each group of events,
    (n_groups,).

    address: of the first of each event's `words` words; groups start[g] .. start[g + 1] - 1, none
    empty.  Word w lies in bank w mod `banks` [C20].
    """
    size = np.diff(start)
    whole, rest = divmod(words, banks)
    if not rest or not len(size):
        return size * whole
    # a row takes `rest` neighbouring banks once more; the most rows meet where one of them begins
    group = np.repeat(np.arange(len(size)), size) * (2 * banks)
    first = group + address % banks
    order = np.sort(np.concatenate([first, first + banks]))  # once more, one round further
    meets = np.searchsorted(order, first + banks, side="right")
    meets -= np.searchsorted(order, first + banks - rest, side="right")
    return size * whole + np.maximum.reduceat(meets, start[:-1])
