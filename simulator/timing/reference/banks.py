"""How long packets that a synapse unit takes together keep it, and how long they wait for each
other's banks (docs/machine.md, Core).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from simulator.mapping.plan import MULTIPLY_ACCUMULATE, Activity, Plan


def served(plan: Plan, activity: Activity, entries: Sequence[int]) -> tuple[int, int]:
    """Return the cycles in which a synapse unit is busy with the packets it took, and those in
    which it then waits for banks.
    """
    if len(entries) == 1:  # [C23]
        entry = entries[0]
        return int(activity.entry_cycles[entry]), int(activity.entry_conflict_cycles[entry])
    words = [word for entry in entries for word in _words(activity, entry)]
    asked = Counter(word % plan.banks for word in words)  # [C20]
    adding = _adding(plan, activity, entries)
    busy = max(-(-len(words) // plan.banks), adding)  # [C21]
    waits = max(max(asked.values(), default=0), adding) - busy  # [C22]
    lookup = sum(int(activity.entry_lookup_cycles[entry]) for entry in entries)
    return max(lookup + busy, 1), waits


def _words(activity: Activity, entry: int) -> list[int]:
    """Return the words of synapse memory that an entry's events read."""
    events, first = int(activity.entry_events[entry]), int(activity.entry_first_event[entry])
    each = int(activity.entry_words[entry]) // events
    rows = activity.event_address[first : first + events].tolist()
    return [word for row in rows for word in range(row, row + each)]


def _adding(plan: Plan, activity: Activity, entries: Sequence[int]) -> int:
    """Return the cycles the lanes take to add all synapses [C21]."""
    first = entries[0]
    per_event = int(activity.entry_operations[first]) // int(activity.entry_events[first])
    is_product = int(activity.entry_kind[first]) == MULTIPLY_ACCUMULATE
    operation, once = int(plan.add_cycles[int(is_product)]), plan.shared_cycles
    all_of_them = sum(int(activity.entry_operations[entry]) for entry in entries)
    rounds, accumulators = -(-all_of_them // plan.lanes), -(-per_event // plan.lanes)
    return rounds * (operation - once) + accumulators * once
