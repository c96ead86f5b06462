"""The one pipeline: from a workload and a chip to a ledger, in stages that can be shared.

    computed = compute(workload, "snn", timesteps=4)      # arithmetic: no chip
    prepared = prepare(workload, chip)                    # mapping and Plan: no constants
    executed = prepared.schedule(computed).execute()      # Activity, then the Record of an engine
    ledger = executed.ledger                              # the constants of prepared.chip

Every stage is a frozen value whose `digest` is that of what it read, so a sweep that changes only
what comes later in the list finds the earlier stages in its `Shared`.  No other module puts these
steps together (tests/test_architecture.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from simulator.account import energy
from simulator.account.energy import Ledger
from simulator.behaviour import raster as behaviour
from simulator.behaviour import stated
from simulator.behaviour.raster import Raster
from simulator.describe.chip import Chip
from simulator.describe.filed import as_filed
from simulator.describe.words import Mode
from simulator.describe.workload import Workload
from simulator.errors import CheckError, InputError, Interrupted
from simulator.mapping import choices, tokens
from simulator.mapping.activity import compile_activity
from simulator.mapping.core_mapping import CoreMapping
from simulator.mapping.machine import compile_plan
from simulator.mapping.partition import partition
from simulator.mapping.plan import TOKENS, Activity, Plan
from simulator.mapping.schedule import Schedule
from simulator.study import mapper
from simulator.timing import COMPILED, EngineName, Steps, engine_named
from simulator.timing.record import Record
from simulator.values import digest

Made = TypeVar("Made")
#: what of a chip decides where everything sits and what there is to do
STRUCTURE = ("mesh", "router", "link", "packet", "ports", "core", "step")
#: what of a chip only decides when it happens; the rest of a chip is what it costs
PACE = ("barrier", "gating")


class Shared:
    """Stages made so far, by their digests: a sweep hands the same one to all of its runs."""

    def __init__(self, most: int = 64) -> None:
        """Keep the `most` latest stages."""
        self.most = most
        self.stages: dict[str, Any] = {}

    def get(self, read: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """Return the stage that was made from the same, made now if it is not there."""
        key = digest(read)
        stage = self.stages.pop(key) if key in self.stages else make()
        self.stages[key] = stage
        while len(self.stages) > self.most:
            del self.stages[next(iter(self.stages))]
        return stage  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class Stage:
    """A value of the pipeline, with all it was made from."""

    read: tuple[Any, ...]

    @cached_property
    def digest(self) -> str:
        """Of everything this stage read, in hexadecimal; equal digests, equal stages."""
        return digest(self.read)


@dataclass(frozen=True, eq=False)
class Computed(Stage):
    """What the network computes: who fires when, with what value."""

    raster: Raster
    timesteps: int  # T of the twin pair, also of a quantised run


def compute(
    workload: Workload,
    mode: Mode,
    timesteps: int | None = None,
    limit: int | None = None,
    *,
    progress: Steps | None = None,
    shared: Shared | None = None,
    recorded: Mapping[int, np.ndarray] | None = None,
) -> Computed:
    """Return the arithmetic of one twin; timesteps: T (default: the workload's); limit: only the
    first inferences; recorded: what some populations sent elsewhere, which is not computed.  What
    the workload states for this T is drawn (`behaviour/stated.py`).
    """
    steps = workload.timesteps if timesteps is None else timesteps
    network, stimulus, firing = workload.network, workload.stimulus, workload.firing
    many = [stimulus.n_inferences, *(len(values) for values in (recorded or {}).values())]
    n = min(many if limit is None else (limit, *many))
    rate = None if workload.activity is None else workload.activity.of(steps)
    if workload.activity is not None and rate is not None:
        drawn = stated.drawn(workload.activity, rate, network, stimulus, mode, n)
        recorded = drawn | dict(recorded or {})
    held = tuple(sorted((recorded or {}).items()))
    read = ("computed", network, stimulus, mode, steps, firing, n, held)

    def make() -> Computed:
        raster = behaviour.run(network, stimulus, mode, steps, firing, n, progress, given=recorded)
        return Computed(read, raster, steps)

    return make() if shared is None else shared.get(read, make)


def given(raster: Raster, timesteps: int) -> Computed:
    """Return events that were not computed, such as drawn ones, as what a twin of T sends."""
    return Computed(("given", raster, timesteps), raster, timesteps)


@dataclass(frozen=True, eq=False)
class Prepared(Stage):
    """A workload on a chip: where everything sits, and the machine as engines see it.  It reads the
    network, its placement and the chip's structure, no constants.
    """

    workload: Workload
    chip: Chip
    mapping: CoreMapping
    plan: Plan

    def schedule(
        self,
        computed: Computed,
        release: np.ndarray | None = None,
        gaps: np.ndarray | None = None,
        progress: Steps | None = None,
    ) -> Scheduled:
        """Return the work those events are on this machine; the inferences start no earlier than
        their `release`.  Where the workload leaves encodings open, those that take the least energy
        by the constants of the chip's file: each way of sending is simulated.

        release: (n_inferences + 1,) int64 cycles, the last one of the run's end.  gaps: steps from
        one inference's entry to the next, see `compile_activity`; None: one after another.
        progress: of the simulations of ways to send, each from its first step on.
        """
        ways = list(choices.ways(self.workload, computed.raster.mode))
        best = self._sent(ways[0], computed, release, gaps)
        least = None
        for way in ways[1:]:
            if least is None:
                least = best._filed_energy(progress)
            other = self._sent(way, computed, release, gaps)
            energy = least if other.digest == best.digest else other._filed_energy(progress)
            if energy < least:
                best, least = other, energy
        return best

    def _sent(
        self,
        workload: Workload,
        computed: Computed,
        release: np.ndarray | None,
        gaps: np.ndarray | None,
    ) -> Scheduled:
        """Return the work where a workload says how it is sent."""
        schedule = compile_activity(
            workload, self.chip, self.mapping, self.plan, computed.raster, gaps
        )
        activity = schedule.activity
        if release is not None:
            held = np.zeros(activity.n_steps + 1, np.int64)
            held[[*schedule.first_step, -1]] = release
            activity = replace(activity, step_release=held)
        if self.plan.synchronisation == TOKENS:
            activity = self._with_tokens(activity)
        if activity is not schedule.activity:
            schedule = replace(schedule, activity=activity)
        return Scheduled((self.plan, activity), self, computed, schedule)

    def _with_tokens(self, activity: Activity) -> Activity:
        """Return the work with the tokens of everyone who may send somebody spikes."""
        packet = self.chip.packet
        entered = self.plan.n_cores + self.chip.input_port
        pairs = tokens.partners(self.workload.network, self.mapping, entered)
        bits = packet.destination + packet.axon
        made = tokens.with_tokens(self.plan, activity, pairs, bits)
        tokens.refuse_deadlock(self.plan, made)
        return made


def structure(chip: Chip, parts: tuple[str, ...] = (*STRUCTURE, *PACE)) -> str:
    """Return the digest of what decides where everything sits, what there is to do, and when."""
    return digest(*((name, _plain(getattr(chip, name))) for name in parts))


def _plain(described: Any) -> Any:
    return (
        [_plain(one) for one in described]
        if isinstance(described, list)
        else described.model_dump()
    )


def prepare(
    workload: Workload,
    chip: Chip,
    mapping: CoreMapping | None = None,
    *,
    shared: Shared | None = None,
) -> Prepared:
    """Return the workload on the chip: mapped as it says, by the mapper where it says `auto`, or
    as `mapping` has it.

    Raises MappingError for what does not fit.
    """
    found = _mapped(workload, chip, shared) if mapping is None else mapping
    window = (workload.timesteps, workload.firing)
    read = ("prepared", workload.network, found, window, structure(chip))

    def make() -> Prepared:
        return Prepared(read, workload, chip, found, compile_plan(chip, found))

    made = make() if shared is None else shared.get(read, make)
    return replace(made, workload=workload, chip=chip)


def _mapped(workload: Workload, chip: Chip, shared: Shared | None) -> CoreMapping:
    """Return the mapping a workload asks for; of `auto` what the constants of the chip's file ask
    for: changed prices and operating points move no neuron, so a sweep of them maps once.
    """
    if workload.placement is not None:
        return partition(workload, chip)
    chip = as_filed(chip)
    asked = (workload.neurons_per_core, workload.timesteps, workload.firing)
    prices = (chip.energy.model_dump(mode="json"), chip.power.model_dump(mode="json"), chip.period)
    read = ("mapped", workload.network, workload.stimulus, asked, structure(chip), prices)

    def make() -> CoreMapping:
        return mapper.find(workload, chip).mapping

    return make() if shared is None else shared.get(read, make)


@dataclass(frozen=True, eq=False)
class Scheduled(Stage):
    """The work of a run on its machine; an engine reads nothing but its Plan and Activity."""

    prepared: Prepared
    computed: Computed
    schedule: Schedule

    @property
    def activity(self) -> Activity:
        """What an engine is given beside the Plan."""
        return self.schedule.activity

    def _filed_energy(self, progress: Steps | None) -> float:
        """Return what the work takes by the constants of the chip's file, J: no energy is low
        enough for work that the chip refuses.
        """
        prepared = self.prepared
        filed = replace(self, prepared=replace(prepared, chip=as_filed(prepared.chip)))
        try:
            return filed.execute(progress=progress).ledger.total
        except CheckError:
            return math.inf

    def paced(self, chip: Chip) -> Scheduled:
        """Return the same work on the same cores of a chip that differs in its barrier, its gating
        and its constants alone; raises InputError for any other chip.
        """
        prepared = self.prepared
        _refuse_other(chip, prepared.chip, STRUCTURE)
        plan = compile_plan(chip, prepared.mapping)
        read = ("paced", *prepared.read, structure(chip))
        there = replace(prepared, read=read, chip=chip, plan=plan)
        return replace(self, read=(plan, self.activity), prepared=there)

    def execute(
        self,
        engine: EngineName = COMPILED,
        *,
        events: bool = False,
        partial: bool = False,
        progress: Steps | None = None,
        shared: Shared | None = None,
    ) -> Executed:
        """Return what an engine counts: every grant, state change and packet too with `events`.

        Stopped by the user it raises Interrupted; with `partial` it returns what was done by then,
        over whole inferences, and its record says that it is not complete.
        """
        simulate = engine_named(engine)
        read = ("executed", *self.read, engine, events)

        def make() -> Executed:
            record = simulate(
                self.prepared.plan,
                self.activity,
                events=events,
                progress=progress,
                steps_together=self.schedule.steps_together,
            )
            return Executed(read, self, engine, record)

        try:
            made = make() if shared is None else shared.get(read, make)
        except Interrupted as stop:
            if not partial:
                raise
            return Executed(read, self, engine, stop.record)
        return replace(made, scheduled=self)


@dataclass(frozen=True, eq=False)
class Executed(Stage):
    """A run that happened; its ledger is counted with the constants of the chip it was prepared
    for.
    """

    scheduled: Scheduled
    engine: EngineName
    record: Record

    @cached_property
    def ledger(self) -> Ledger:
        """Joules of the run: quantity × constant."""
        prepared = self.scheduled.prepared
        return energy.account(prepared.chip, prepared.mapping, prepared.plan, self.record)

    def priced(self, chip: Chip) -> Executed:
        """Return the same run with the constants of another chip; raises InputError where more than
        constants differ.
        """
        prepared = self.scheduled.prepared
        _refuse_other(chip, prepared.chip, (*STRUCTURE, *PACE))
        there = replace(prepared, chip=chip)
        return replace(self, scheduled=replace(self.scheduled, prepared=there))


def _refuse_other(chip: Chip, known: Chip, parts: tuple[str, ...]) -> None:
    other = [name for name in parts if getattr(chip, name) != getattr(known, name)]
    if other:
        raise InputError(
            f"chip {chip.name}: must be as {known.name} in {', '.join(parts)}, not differ in "
            f"{', '.join(other)}"
        )


def by_hand(
    chip: Chip, mapping: CoreMapping, activity: Activity, **changes: Any
) -> tuple[Record, Ledger]:
    """Return the record and the ledger of work that was written by hand; `changes` replace fields
    of the Plan.
    """
    plan = replace(compile_plan(chip, mapping), **changes)
    record = engine_named(COMPILED)(plan, activity)
    return record, energy.account(chip, mapping, plan, record)
