"""A stream of frames of which few carry a signal: what the chip draws on average, by gating policy,
and why.

A frame with a signal is one inference of the workload's stimulus; it starts at the frame's time.  A
quiet frame brings nothing and starts nothing: the chip sleeps through it.  Background events make a
quiet frame an inference of stray input.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from simulator.account.standby import breakeven_cycles, deepest, state_power
from simulator.describe.chip import Chip
from simulator.describe.words import SNN, Mode
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.mapping.machine import reload_cycles
from simulator.mapping.plan import TOKENS
from simulator.study import side_by_side
from simulator.study.pipeline import Prepared, compute, prepare
from simulator.study.simulation import Progress, Result
from simulator.study.stream import Stream, frames_for, make_stream, refuse_rate
from simulator.timing import COMPILED, EngineName
from simulator.timing.record import ACTIVE, COUNTER, GATED, IDLE, OFF, POWER_STATES, WAKING

POLICIES = ("never", "gate", "off")
WAKE_ENERGY = ("gate_wake", "off_wake", "reload", "reload_fetch", "router_wake")


@dataclass(frozen=True)
class Reason:
    """One reason why the average power is not the ideal one."""

    name: str
    watts: float


@dataclass(frozen=True)
class Outcome:
    """One policy on one stream."""

    policy: str
    stream: Stream
    result: Result
    awake: Result  # the same stream on the same chip, never gated
    release: np.ndarray

    @property
    def power(self) -> float:
        """Average power in watts."""
        return self.result.ledger.total / self.result.seconds

    @property
    def power_by_component(self) -> dict[str, float]:
        """Average power in watts by component."""
        return {
            name: joules / self.result.seconds
            for name, joules in self.result.ledger.by_component.items()
        }

    @property
    def core_state_share(self) -> dict[str, float]:
        """Share of the cores' time in each power state, over all cores of the chip."""
        return _shares(self.result.record.state_cycles)

    @property
    def router_state_share(self) -> dict[str, float]:
        """Share of the routers' time in each power state."""
        return _shares(self.result.record.router_state_cycles)

    @property
    def core_wakes_per_second(self) -> float:
        """Wakes of cores from gated or off."""
        counters = self.result.record.counters
        return float(
            counters[:, [COUNTER["gate_wakes"], COUNTER["off_wakes"]]].sum() / self.result.seconds
        )

    @property
    def router_wakes_per_second(self) -> float:
        """Wakes of routers."""
        return float(self.result.record.router_wakes.sum() / self.result.seconds)

    @property
    def latency_cycles(self) -> np.ndarray:
        """Cycles from the time of each frame with a signal to its last output, waking included,
        (n_signals,) int64.
        """
        done = self.result.end_cycles - self.release[:-1]
        return done[np.isin(self.stream.active, self.stream.signal)]

    @property
    def late_frames(self) -> int:
        """Frames that had to wait for the one before."""
        first = self.result.record.step_start[self.result.schedule.first_step]
        return int((first > self.release[:-1]).sum())

    @property
    def is_overloaded(self) -> bool:
        """Whether frames come faster than the chip: most start late, and the stream ends before the
        work does.
        """
        return (
            2 * self.late_frames > len(self.stream.active)
            and self.result.record.cycles > self.release[-1]
        )

    @property
    def active_share(self) -> float:
        """D of the ideal formula: share of the time in which an inference is under way on a chip
        that never sleeps.
        """
        return _window(self.awake) / self.awake.record.cycles

    @property
    def active_power(self) -> float:
        """P_active: average power of a chip that never sleeps while an inference is under way; 0
        when there is none.
        """
        window = _window(self.awake)
        resting = (
            _resting_power(self.awake)
            * (self.awake.record.cycles - window)
            * self.awake.chip.period
        )
        return (
            (self.awake.ledger.total - resting) / (window * self.awake.chip.period)
            if window
            else 0.0
        )

    @property
    def sleep_power(self) -> float:
        """P_sleep: every core and router in the deepest state the policy leads to."""
        return _resting_power(self.result)

    @property
    def ideal_power(self) -> float:
        """P_active·D + P_sleep·(1 - D)."""
        return self.active_power * self.active_share + self.sleep_power * (1 - self.active_share)

    def why(self) -> list[Reason]:
        """Return the terms that add up to power - ideal_power, by what the formula leaves out."""
        run, awake, seconds = self.result, self.awake, self.result.seconds
        watts = state_power(run.chip)
        core, router = deepest(run.chip)
        excess = {state: 0.0 for state in range(len(POWER_STATES))}
        kept = held = 0.0
        works = run.plan.works
        for sleep, power, mine, other in (
            (core, watts.core, run.record.state_cycles[works], awake.record.state_cycles[works]),
            (
                router,
                watts.router,
                run.record.router_state_cycles,
                awake.record.router_state_cycles,
            ),
        ):
            here, there = mine.sum(axis=0), other.sum(axis=0).copy()
            # outside of inferences the chip that never sleeps is idle; the ideal formula has it
            # asleep there
            there[IDLE] -= len(other) * (awake.record.cycles - _window(awake))
            for state in excess:
                excess[state] += float((power[state] - power[sleep]) * (here[state] - there[state]))
            held += float((power[IDLE] - power[sleep]) * here[IDLE])
            kept += float((power[IDLE] - power[sleep]) * there[IDLE])
        longer = run.record.cycles - awake.record.cycles
        per_second = {state: value * run.chip.period / seconds for state, value in excess.items()}
        joules = run.ledger.by_action
        waking = sum(joules[name] for name in WAKE_ENERGY)
        counted = sum(joules[name] for name in run.ledger.counts) - waking
        same = sum(awake.ledger.by_action[name] for name in awake.ledger.counts)
        stretch = (
            self.ideal_power * awake.seconds + self.sleep_power * longer * run.chip.period
        ) / seconds
        return [
            Reason("energy of the wakes", waking / seconds),
            Reason("clocked while waking", per_second[WAKING]),
            Reason("clocked while idle, held before gating", held * run.chip.period / seconds),
            Reason(
                "less what P_active counts as clocked while idle", -kept * run.chip.period / seconds
            ),
            Reason("gated, not yet off", per_second[GATED]),
            Reason("at work longer, for others wake", per_second[ACTIVE] + per_second[OFF]),
            Reason("actions counted more often", (counted - same) / seconds),
            Reason("a longer run", stretch - self.ideal_power),
        ]

    def battery_seconds(self, joules: float) -> float:
        """Return how long a battery of that energy lasts."""
        return joules / self.power if self.power else math.inf


def _shares(cycles: np.ndarray) -> dict[str, float]:
    total = max(int(cycles.sum()), 1)
    return {name: float(count / total) for name, count in zip(POWER_STATES, cycles.sum(axis=0))}


def _window(result: Result) -> int:
    """Return the cycles in which an inference is under way: each step from its start to the end of
    its barrier; with tokens, whose steps overlap, to the cycle after its last core is done.
    """
    record = result.record
    waits = 1 if result.plan.synchronisation == TOKENS else result.plan.barrier_cycles
    end = np.maximum.accumulate(record.step_quiet + waits)
    before = np.concatenate([[0], end[:-1]])
    return int((end - np.maximum(record.step_start, before)).sum())


def _resting_power(result: Result) -> float:
    watts, (core, router) = state_power(result.chip), deepest(result.chip)
    plan, unused = result.plan, result.plan.unused[~result.plan.works]
    resting = watts.core[unused].sum() + plan.works.sum() * watts.core[core]
    return float(resting + plan.n_routers * watts.router[router] + watts.chip)


def policies_for(chip: Chip) -> tuple[str, ...]:
    """Return the policies that differ on a chip: power gating only where it is stated or saves
    something.
    """
    pays = chip.gating.off_after >= 0 or breakeven_cycles(chip, OFF) is not None
    return POLICIES if pays else POLICIES[:-1]


def with_policy(chip: Chip, policy: str, reload_cycles: int = 0) -> Chip:
    """Return the chip under a policy: 'never' gated; 'gate': clock-gated; 'off': power-gated.

    Where the chip states no number, a core is gated at once, and off after its break-even time.
    """
    if policy not in POLICIES:
        raise InputError(f"policy: must be one of {', '.join(POLICIES)} or all, not {policy!r}")
    if policy == "never":
        asked = {"gate_after": -1, "off_after": -1, "router_gate_after": -1}
    else:
        gating = chip.gating
        asked = {"gate_after": max(gating.gate_after, 0), "off_after": -1}
        if policy == "off":
            pays = breakeven_cycles(chip, OFF, reload_cycles)
            if gating.off_after < 0 and pays is None:
                raise InputError(
                    f"policy off: chip {chip.name} saves nothing by power gating: off_share must "
                    f"be below 1"
                )
            off_after = gating.off_after if gating.off_after >= 0 else pays or 0
            asked["off_after"] = max(asked["gate_after"], off_after)
    return chip.changed(
        {
            f"gating.{name}": "never" if cycles < 0 else f"{cycles} cycles"
            for name, cycles in asked.items()
        }
    )


def always_on(
    workload: Workload | str | Path,
    chip: Chip | str | Path,
    frame_rate: Fraction,
    duties: Sequence[Fraction],
    policies: Sequence[str] = POLICIES,
    *,
    mode: Mode = SNN,
    frames: int | None = None,
    burst: str = "evenly",
    background: float = 0.0,
    timesteps: int | None = None,
    seed: int = 0,
    engine: EngineName = COMPILED,
    overlap: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Return the outcome of every policy at every duty, duties outermost; time asleep costs no
    simulation time.

    overlap: a frame that comes while others are under way enters as soon as it can.  In which step
    is decided before the run, from what a step takes where the first frame is alone.
    jobs: how many processes simulate at once; the outcomes do not depend on it.
    """
    workload = workload if isinstance(workload, Workload) else Workload.load(workload)
    chip = chip if isinstance(chip, Chip) else Chip.load(chip)
    if not duties:
        raise InputError("duty: must name at least one share of the frames")
    count = frames_for(duties) if frames is None else frames
    refuse_rate(frame_rate, count, Fraction(str(chip.period)))
    prepared = prepare(workload, chip)
    reload = int(reload_cycles(chip, prepared.mapping).max())
    asked = tuple(dict.fromkeys(("never", *policies)))
    chips = {policy: with_policy(chip, policy, reload) for policy in asked}
    streams, works, told = [], [], []
    for number, duty in enumerate(duties):
        stream = make_stream(workload, frame_rate, count, duty, burst, background, seed)
        shown = replace(workload, stimulus=stream.stimulus)
        computed = compute(shown, mode, timesteps)
        release = stream.release(Fraction(str(chip.period)))
        there = replace(prepared, workload=shown)
        gaps = _gaps(there, shown, mode, timesteps, release) if overlap else None
        scheduled = there.schedule(computed, release, gaps)
        streams.append((stream, release))
        works += [scheduled.paced(chips[policy]) for policy in asked]
        told += [_told(progress, policy, number, len(duties)) for policy in asked]
    results = [Result(one) for one in side_by_side.execute(works, told, engine, jobs)]
    outcomes = []
    for number, (stream, release) in enumerate(streams):
        mine = dict(zip(asked, results[number * len(asked) :]))
        for policy in policies:
            outcomes.append(Outcome(policy, stream, mine[policy], mine["never"], release))
    return outcomes


def _gaps(
    prepared: Prepared, shown: Workload, mode: Mode, timesteps: int | None, release: np.ndarray
) -> np.ndarray:
    """Return after how many steps each frame but the first may enter, (n_active - 1,) int64: the
    frames' distance in steps of the first frame's inference.
    """
    alone = prepared.schedule(compute(shown, mode, timesteps, 1)).execute().record
    steps, cycles = len(alone.step_start), alone.cycles
    return -(-np.diff(release[:-1]) * steps // cycles)


def _told(
    progress: Progress | None, policy: str, number: int, total: int
) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, _: progress(
        f"duty {number + 1} of {total}, {policy}", done, max(done, total)
    )
