"""A record's events as histories: what each unit and each power state did in every cycle, when each
packet was taken, and how full each queue was.

They are worked out from the logs alone and agree with the counters of the same record: the slices
of a unit with its row of `unit_cycles`, the depths of a queue with its `queue_peak`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.mapping.plan import LOCAL, Activity, Plan
from simulator.mapping.tokens import takes_part
from simulator.timing.record import (
    BARRIER,
    BUSY,
    GATED,
    OFF,
    QUEUES,
    STARVED,
    UNIT_GATED,
    UNIT_OFF,
    UNIT_WAKING,
    UNITS,
    WAKING,
    Record,
)

#: what units are while their core is in a power state
ASLEEP = {GATED: UNIT_GATED, OFF: UNIT_OFF, WAKING: UNIT_WAKING}
SOMA, AXON_OUT = UNITS.index("soma"), UNITS.index("axon_out")
#: first cycle, the cycle after the last, state
Slice = tuple[int, int, int]
#: a cycle, and what is added to a queue in it
Change = tuple[int, int]


@dataclass(frozen=True, eq=False)
class History:
    """A run that was made with events, read by place and cycle."""

    plan: Plan
    activity: Activity
    record: Record

    @cached_property
    def has_tokens(self) -> bool:
        """Whether endpoints had steps of their own."""
        return bool(takes_part(self.plan, self.activity).any())

    def power(self, index: int, is_router: bool = False) -> list[Slice]:
        """Return the power states of a core or router over the whole run [K9]."""
        rows = self._states[is_router].get(index, ())
        starts = [int(self.record.states["cycle"][row]) for row in rows]
        ends = [*starts[1:], self.record.cycles]
        states = (int(self.record.states["state"][row]) for row in rows)
        return [one for one in zip(starts, ends, states) if one[1] > one[0]]

    def units(self, core: int) -> list[list[Slice]]:
        """Return for each unit of a core the states of all its cycles in order [U1]: asleep where
        the core is, else at the barrier, busy, in conflict for a bank, blocked, waiting between
        steps [K71] or starved.
        """
        record = self.record
        asleep = [(a, b, ASLEEP[state]) for a, b, state in self.power(core) if state in ASLEEP]
        between = self._stretches(core, -1)
        if not self.has_tokens:
            ends = [*record.step_start.tolist()[1:], record.cycles]
            barrier = [(a, b, BARRIER) for a, b in zip(record.step_quiet.tolist(), ends)]
            asleep = _stacked((asleep, barrier))
        return [
            _filled((asleep, self._stretches(core, unit), between), record.cycles)
            for unit in range(len(UNITS))
        ]

    def taken(self) -> dict[tuple[int, int], int]:
        """Return the cycle in which each packet was taken at its core, by (packet, core): VCs are
        first in, first out, and its last grant says on which VC a packet came.
        """
        return self._taken

    def depths(self, core: int) -> dict[str, list[Change]]:
        """Return the changes of a core's queues, by the names of QUEUES and in their units."""
        messages = [(put, 1) for put in self._message_puts(core)]
        takes = self._message_takes(core)
        found = (self._flits(core), [*messages, *((cycle, -1) for cycle in takes)], self._out(core))
        return {name: sorted(changes) for name, changes in zip(QUEUES, found)}

    @cached_property
    def _states(self) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        found: tuple[dict[int, list[int]], ...] = ({}, {})
        states = self.record.states
        for row, (part, index) in enumerate(
            zip(states["is_router"].tolist(), states["index"].tolist())
        ):
            found[part].setdefault(index, []).append(row)
        return found[0], found[1]

    @cached_property
    def _units(self) -> dict[tuple[int, int], np.ndarray]:
        """Return the rows of the log of units by core and unit, each in their order."""
        log = self.record.units
        log = log[np.lexsort((log["unit"], log["core"]))]
        keys = np.stack([log["core"], log["unit"]], axis=1)
        edges = np.flatnonzero(np.any(np.diff(keys, axis=0) != 0, axis=1)) + 1
        groups = np.split(log, edges) if len(log) else []
        return {(int(group[0]["core"]), int(group[0]["unit"])): group for group in groups}

    def _stretches(self, core: int, unit: int) -> list[Slice]:
        rows = self._units.get((core, unit), self.record.units[:0])
        return [
            (start, start + cycles, state)
            for start, cycles, state in zip(
                rows["cycle"].tolist(), rows["cycles"].tolist(), rows["state"].tolist()
            )
            if cycles
        ]

    @cached_property
    def _ejected(self) -> dict[int, list[tuple[int, int, int, int]]]:
        """Return the grants to each core, in order: cycle, VC, packet, number of the flit."""
        plan, grants = self.plan, self.record.grants
        grants = grants[grants["out_port"] >= LOCAL]
        at = np.full((plan.n_routers, plan.ports), -1)
        at[plan.endpoint_router, plan.endpoint_local] = np.arange(plan.n_endpoints)
        endpoint = at[grants["router"], grants["out_port"]].tolist()
        columns = [grants[name].tolist() for name in ("cycle", "out_vc", "packet", "flit")]
        found: dict[int, list[tuple[int, int, int, int]]] = {}
        for core, cycle, vc, packet, flit in zip(endpoint, *columns):
            if core < plan.n_cores:
                found.setdefault(core, []).append((cycle, vc, packet, flit))
        return found

    @cached_property
    def _sizes(self) -> dict[tuple[int, int], int]:
        columns = [self.record.packets[name].tolist() for name in ("packet", "destination", "size")]
        return {(packet, target): size for packet, target, size in zip(*columns)}

    @cached_property
    def _taken(self) -> dict[tuple[int, int], int]:
        found: dict[tuple[int, int], int] = {}
        for core, grants in self._ejected.items():
            waiting: dict[int, list[int]] = {}
            for _, vc, packet, flit in grants:
                if flit == self._sizes.get((packet, core), 0) - 1:
                    waiting.setdefault(vc, []).append(packet)
            served = dict.fromkeys(waiting, 0)
            rows = self._units.get((core, UNITS.index("synapse")), self.record.units[:0])
            rows = rows[rows["vc"] >= 0]  # without waiting for banks
            for cycle, vc in zip(rows["cycle"].tolist(), rows["vc"].tolist()):
                found[waiting[vc][served[vc]], core] = cycle
                served[vc] += 1
        return found

    def _flits(self, core: int) -> list[Change]:
        """Return the flits that come into a core's input queue, and leave it packet by packet."""
        grants = self._ejected.get(core, [])
        changes = [(cycle + self._way_in, 1) for cycle, *_ in grants]
        for _, _, packet, flit in grants:
            key = packet, core
            if key in self._taken and flit == self._sizes[key] - 1:
                changes.append((self._taken[key], -self._sizes[key]))
        return changes

    @cached_property
    def _way_in(self) -> int:
        """Return the cycles from a grant to the arrival at an endpoint."""
        packets = self.record.packets
        for core, grants in self._ejected.items():
            for cycle, _, packet, flit in grants:
                if flit == self._sizes.get((packet, core), 0) - 1:
                    here = (packets["packet"] == packet) & (packets["destination"] == core)
                    return int(packets["tail_arrive_cycle"][here][0]) - cycle
        return 0

    @cached_property
    def _sent(self) -> dict[int, list[tuple[int, int]]]:
        """Return when each endpoint's packets were put and their heads sent, copies once."""
        packets = self.record.packets
        _, first = np.unique(packets["packet"], return_index=True)
        found: dict[int, list[tuple[int, int]]] = {}
        names = ("source", "inject_cycle", "head_entry_cycle")
        for source, put, sent in zip(*(packets[name][first].tolist() for name in names)):
            found.setdefault(source, []).append((put, sent))
        return found

    def _out(self, core: int) -> list[Change]:
        return [
            change for put, sent in self._sent.get(core, ()) for change in ((put, 1), (sent, -1))
        ]

    @cached_property
    def _items(self) -> dict[int, dict[int, int]]:
        """Return the work items of each core by step, in the order of steps."""
        found: dict[int, dict[int, int]] = {}
        edges = self.activity.work_start[: len(self.record.step_start) + 1]
        step = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
        cores = self.activity.work_core[: edges[-1]]
        for item, (core, number) in enumerate(zip(cores.tolist(), step.tolist())):
            found.setdefault(core, {})[number] = item
        return found

    def _messages(self, item: int) -> slice:
        return slice(*self.activity.work_message[item : item + 2].tolist())

    def _message_puts(self, core: int) -> list[int]:
        """Return the cycles in which the soma put a message: where a stretch of work ends, or the
        wait for room after it [C5].
        """
        work = self._stretches(core, SOMA)
        puts: list[int] = []
        at = 0
        for item in self._items.get(core, {}).values():
            rows = self.activity.message_row[self._messages(item)]
            for _ in range(int(np.count_nonzero(rows >= 0))):
                is_blocked = at + 1 < len(work) and work[at + 1][2] != BUSY
                at += 2 if is_blocked else 1
                puts.append(work[at - 1][1])
            at += self._has_rest(item)
        return puts

    def _has_rest(self, item: int) -> int:
        """Return whether an item has cycles of work behind its last message with a row."""
        messages = self._messages(item)
        sent = np.flatnonzero(self.activity.message_row[messages] >= 0)
        if not len(sent):
            return 1
        last = int(self.activity.message_position[messages][sent[-1]])
        return int(last + 1 < int(self.activity.work_visits[item]))

    def _message_takes(self, core: int) -> list[int]:
        """Return the cycles in which axon-out took a message: where the first packet of its row is
        begun [C7] [C8].
        """
        begun = [start for start, _, state in self._stretches(core, AXON_OUT) if state == BUSY]
        takes: list[int] = []
        at, items, tokens = 0, self._items.get(core, {}), self._tokens(core)
        for step in range(len(self.record.step_start)) if tokens else items:
            messages = self._messages(items[step]) if step in items else slice(0)
            rows = self.activity.message_row[messages]
            for row in rows[rows >= 0].tolist():
                takes.append(begun[at])
                at += self._parts(row)
            at += tokens
        return takes

    def _parts(self, row: int) -> int:
        is_tree = self.activity.row_tree[row] >= 0
        return 1 if is_tree else int(np.diff(self.activity.row_start[row : row + 2])[0])

    def _tokens(self, core: int) -> int:
        """Return the tokens a core puts behind the messages of each of its steps [Q3]."""
        row = int(self.activity.token_row[core]) if len(self.activity.token_row) else -1
        return self._parts(row) if self.has_tokens and row >= 0 else 0


def _stacked(layers: Iterable[Sequence[Slice]]) -> list[Slice]:
    """Return the slices of all layers in order, those of an earlier one before a later one's."""
    layers = [list(layer) for layer in layers]
    end = max((layer[-1][1] for layer in layers if layer), default=0)
    return [one for one in _filled(layers, end, gap=-1) if one[2] >= 0]


def _filled(layers: Iterable[Sequence[Slice]], cycles: int, gap: int = STARVED) -> list[Slice]:
    """Return slices of all cycles: of each the first layer's that has one, else the gap's."""
    free = [(0, cycles)]
    found: list[Slice] = []
    for layer in layers:
        left, at = [], 0
        for begin, end in free:
            while at < len(layer) and layer[at][1] <= begin:
                at += 1
            now, k = begin, at
            while k < len(layer) and layer[k][0] < end:
                start, stop = max(layer[k][0], now), min(layer[k][1], end)
                if start > now:
                    left.append((now, start))
                if stop > start:
                    found.append((start, stop, layer[k][2]))
                    now = stop
                k += 1
            if now < end:
                left.append((now, end))
        free = left
    return sorted([*found, *((begin, end, gap) for begin, end in free)])
