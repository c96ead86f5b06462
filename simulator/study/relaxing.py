"""Resources of a chip, and how each is relaxed: doubled, or the time it takes halved.

A relaxation is a change of the chip or of the mapping that touches one resource alone, as far as a
chip's keys allow it; where they do not allow it, it says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.mapping.plan import MAX_BUFFER, MAX_VIRTUAL_CHANNELS
from simulator.study.simulation import Result
from simulator.timing.record import COUNTER

#: keys of the chip and their new values
Changes = dict[str, Any]


@dataclass(frozen=True)
class Relaxed:
    """One resource relaxed: what is changed, or why it cannot be."""

    resource: str
    changes: Changes
    why_not: str = ""
    #: measured beside these changes instead of the chip as it is
    beside: Changes | None = None
    neurons_per_core: int | None = None

    def described(self) -> str:
        """Return what is changed, in words."""
        said = [f"{key} = {value}".replace("'", "") for key, value in self.changes.items()]
        if self.neurons_per_core is not None:
            said.append(f"mapping.neurons_per_core = {self.neurons_per_core}")
        return ", ".join(said)


def relaxations(base: Result) -> list[Relaxed]:
    """Return every resource of a run's chip, relaxed; in the order of a spike's way."""
    return [make(base) for make in RESOURCES]


def _cycles(count: int) -> str:
    return f"{count} cycle{'' if count == 1 else 's'}"


def _halved(resource: str, keys: dict[str, int], least: int = 1) -> Relaxed:
    """Return durations halved, rounded up, those that are above the least."""
    changes = {
        key: _cycles(max(least, (cycles + 1) // 2 if least else cycles // 2))
        for key, cycles in keys.items()
        if cycles > least
    }
    why = "" if changes else f"{', '.join(keys)}: {_cycles(least)} is the least"
    return Relaxed(resource, changes, why)


def _doubled(resource: str, key: str, count: int, unit: str = "", most: int = 2**30) -> Relaxed:
    if 2 * count > most:
        return Relaxed(resource, {}, f"{key}: {most} is the most")
    return Relaxed(resource, {key: f"{2 * count} {unit}" if unit else 2 * count})


def _lanes(base: Result) -> Relaxed:
    return _doubled("lanes", "core.synapse.lanes", base.chip.core.synapse.lanes)


def _banks(base: Result) -> Relaxed:
    return _doubled("banks", "core.synapse.banks", base.chip.core.synapse.banks)


def _lookup(base: Result) -> Relaxed:
    return _halved("lookup", {"core.synapse.lookup": base.chip.core.synapse.lookup}, 0)


def _soma(base: Result) -> Relaxed:
    soma = base.chip.core.soma
    visit = _halved("soma", {"core.soma.visit": soma.visit})
    spike = _halved("soma", {"core.soma.spike": soma.spike}, 0)
    if not visit.changes:  # a spike's extra cycle alone is not the soma
        return Relaxed("soma", {}, f"{visit.why_not}; a smaller slice has fewer neurons to visit")
    return Relaxed("soma", visit.changes | spike.changes)


def _axon_out(base: Result) -> Relaxed:
    return _halved("axon-out", {"core.axon_out.packet": base.chip.core.axon_out.packet})


def _intervals(base: Result) -> dict[str, int]:
    link = base.chip.link
    return {
        "link.east_west.interval": link.east_west.interval,
        "link.north_south.interval": link.north_south.interval,
    }


def _wider(base: Result) -> Changes:
    return {"link.flit": f"{2 * base.chip.link.flit} bit"}


def _has_single_flits(base: Result) -> bool:
    flits = base.schedule.activity.entry_flits
    return not len(flits) or int(flits.max()) <= 1


def _local_link(base: Result) -> Relaxed:
    """Flits of twice the width, on mesh links that take half as many: the same mesh, local links of
    twice the bits.
    """
    name = _busier_local_link(base)
    if _has_single_flits(base):
        return Relaxed(name, {}, "every packet is one flit, and a flit a cycle is the most")
    slower = {key: _cycles(2 * cycles) for key, cycles in _intervals(base).items()}
    return Relaxed(name, _wider(base) | slower)


def _busier_local_link(base: Result) -> str:
    local = base.record.link_flits[:, 4:]
    ejected = int(local.max()) if local.size else 0
    injected = int(base.record.counters[:, COUNTER["flits_sent"]].max())
    return "ejection link" if ejected >= injected else "injection link"


def _mesh_link(base: Result) -> Relaxed:
    if max(_intervals(base).values()) > 1:
        return _halved("mesh link", _intervals(base))
    if _has_single_flits(base):
        return Relaxed("mesh link", {}, "a link takes a flit every cycle, and a packet is one flit")
    return Relaxed("mesh link", _wider(base), beside=_local_link(base).changes)


def _latency(base: Result) -> Relaxed:
    link = base.chip.link
    return _halved(
        "link latency",
        {
            "link.east_west.latency": link.east_west.latency,
            "link.north_south.latency": link.north_south.latency,
        },
    )


def _channels(base: Result) -> Relaxed:
    """Twice the VCs, of each class; input queues hold as many flits as before in all."""
    router, queue = base.chip.router, base.chip.core.input_queue
    if 2 * router.virtual_channels > MAX_VIRTUAL_CHANNELS:
        return Relaxed("VCs", {}, f"router.virtual_channels: {MAX_VIRTUAL_CHANNELS} is the most")
    changes: Changes = {"router.virtual_channels": 2 * router.virtual_channels}
    for name in ("spike_channels", "stream_channels"):
        ends = getattr(router, name)
        if ends is not None:
            changes[f"router.{name}"] = [2 * ends[0], 2 * ends[1] + 1]
    if queue % 2 == 0 and queue // 2 >= base.chip.packet.maximum:
        changes["core.input_queue"] = f"{queue // 2} flits"
    return Relaxed("VCs", changes)


def _buffer(base: Result) -> Relaxed:
    return _doubled("router buffer", "router.buffer", base.chip.router.buffer, "flits", MAX_BUFFER)


def _input_queue(base: Result) -> Relaxed:
    queue = base.chip.core.input_queue
    return _doubled("input queue", "core.input_queue", queue, "flits", MAX_BUFFER)


def _spike_queue(base: Result) -> Relaxed:
    return _doubled("spike queue", "core.soma.queue", base.chip.core.soma.queue)


def _output_queue(base: Result) -> Relaxed:
    return _doubled("output queue", "core.axon_out.queue", base.chip.core.axon_out.queue)


def _port(base: Result) -> Relaxed:
    number = base.chip.input_port
    interval = base.chip.ports[number].interval or 1
    return _halved("input port", {f"ports.{number}.interval": interval})


def _planes(base: Result) -> Relaxed:
    step = base.chip.step
    if step.synchronisation == "barrier":
        return Relaxed("planes", {}, "with barriers every core has the two it needs")
    return _doubled("planes", "step.planes", step.planes)


def _barrier(base: Result) -> Relaxed:
    if base.chip.step.synchronisation == "tokens":
        return Relaxed("barrier", {}, "with tokens there is none")
    cycles = base.plan.barrier_cycles
    if cycles <= 1:
        return Relaxed("barrier", {}, "barrier.points: 1 cycle is the least")
    halved = [[1, _cycles(cycles // 2)]]
    return Relaxed("barrier", {"barrier.tree": None, "barrier.points": halved})


def _wake(base: Result) -> Relaxed:
    gating = base.chip.gating
    return _halved(
        "wake",
        {
            "gating.gate_wake": gating.gate_wake,
            "gating.off_wake": gating.off_wake,
            "gating.router_wake": gating.router_wake,
        },
        0,
    )


def _thresholds(base: Result) -> Relaxed:
    gating = base.chip.gating
    names = ("gate_after", "off_after", "router_gate_after")
    changes = {
        f"gating.{name}": _cycles(2 * getattr(gating, name))
        for name in names
        if getattr(gating, name) > 0
    }
    why = "" if changes else "nothing sleeps after a time of its own: at once, or never"
    return Relaxed("sleep thresholds", changes, why)


def _slice(base: Result) -> Relaxed:
    """The largest slice cut in two, and the others no larger."""
    if base.workload.placement is not None:
        return Relaxed("busiest slice", {}, "the workload states where its populations sit")
    held = [slices for slices in base.mapping.populations if len(slices.cores)]
    largest = max(int(np.diff(slices.bounds).max()) for slices in held)
    if largest < 2:
        return Relaxed("busiest slice", {}, "a core holds one neuron")
    return Relaxed("busiest slice", {}, neurons_per_core=-(-largest // 2))


RESOURCES: tuple[Callable[[Result], Relaxed], ...] = (
    _port,
    _lookup,
    _lanes,
    _banks,
    _soma,
    _axon_out,
    _local_link,
    _mesh_link,
    _latency,
    _channels,
    _buffer,
    _input_queue,
    _spike_queue,
    _output_queue,
    _barrier,
    _planes,
    _wake,
    _thresholds,
    _slice,
)
