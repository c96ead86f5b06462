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

from simulator import memory
from simulator.account.standby import breakeven_cycles, deepest, state_power
from simulator.describe.chip import Chip
from simulator.describe.network import Stimulus
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.mapping.machine import reload_cycles
from simulator.study.pipeline import Scheduled, compute, prepare
from simulator.study.simulation import Progress, Result
from simulator.timing.record import ACTIVE, COUNTER, GATED, IDLE, OFF, POWER_STATES, WAKING
from simulator.units import show

POLICIES = ("never", "gate", "off")
BURSTS = ("evenly", "bursty")
#: frames with a signal that follow each other in a bursty stream
BURST_FRAMES = 8
#: frames of a stream when none are asked for: at least so many, and as many as every duty needs to
#: be whole
LEAST_FRAMES = 1000
#: cycles of a stream: its counters, summed over the cores of the largest chip, still fit 64 bits
MOST_CYCLES = 10**15
WAKE_ENERGY = ("gate_wake", "off_wake", "reload", "reload_fetch", "router_wake")


@dataclass(frozen=True)
class Stream:
    """Which frames bring something, and when."""

    frames: int
    interval: Fraction  # seconds from frame to frame
    signal: np.ndarray  # (n_signals,) int64, frame numbers, rising
    active: np.ndarray  # (n_active,) int64, frames with a signal or with background events, rising
    stimulus: Stimulus  # of the active frames

    @property
    def seconds(self) -> float:
        """From the first frame's time to the end of the last one's interval."""
        return float(self.frames * self.interval)

    @property
    def duty(self) -> float:
        """Share of the frames that carry a signal."""
        return len(self.signal) / self.frames

    def release(self, period: Fraction) -> np.ndarray:
        """Return the first cycle not before each active frame's time, and before the stream's end,
        (n_active + 1,) int64.
        """
        cycles = self.interval / period
        return np.array(
            [math.ceil(int(frame) * cycles) for frame in [*self.active, self.frames]], np.int64
        )


@dataclass(frozen=True)
class Term:
    """One reason why the average power is not the ideal one."""

    reason: str
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
        steps = self.result.schedule.steps_per_inference
        record = self.result.record
        last = record.step_last_output.reshape(-1, steps).max(axis=1)
        done = np.where(last >= 0, last, record.step_quiet[steps - 1 :: steps]) - self.release[:-1]
        return done[np.isin(self.stream.active, self.stream.signal)]

    @property
    def late_frames(self) -> int:
        """Frames that had to wait for the one before."""
        first = self.result.record.step_start[:: self.result.schedule.steps_per_inference]
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

    def why(self) -> list[Term]:
        """Return the terms that add up to power - ideal_power, by what the formula leaves out."""
        run, awake, seconds = self.result, self.awake, self.result.seconds
        watts = state_power(run.chip)
        core, router = deepest(run.chip)
        excess = {state: 0.0 for state in range(len(POWER_STATES))}
        kept = held = 0.0
        for sleep, power, mine, other in (
            (core, watts.core, run.record.state_cycles, awake.record.state_cycles),
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
            Term("energy of the wakes", waking / seconds),
            Term("clocked while waking", per_second[WAKING]),
            Term("clocked while idle, held before gating", held * run.chip.period / seconds),
            Term(
                "less what P_active counts as clocked while idle", -kept * run.chip.period / seconds
            ),
            Term("gated, not yet off", per_second[GATED]),
            Term("at work longer, for others wake", per_second[ACTIVE] + per_second[OFF]),
            Term("actions counted more often", (counted - same) / seconds),
            Term("a longer run", stretch - self.ideal_power),
        ]

    def battery_seconds(self, joules: float) -> float:
        """Return how long a battery of that energy lasts."""
        return joules / self.power if self.power else math.inf


def _shares(cycles: np.ndarray) -> dict[str, float]:
    total = max(int(cycles.sum()), 1)
    return {name: float(count / total) for name, count in zip(POWER_STATES, cycles.sum(axis=0))}


def _window(result: Result) -> int:
    """Return the cycles in which an inference is under way: each step from its start to the end of
    its barrier.
    """
    record = result.record
    return (
        int((record.step_quiet - record.step_start).sum())
        + len(record.step_start) * result.plan.barrier_cycles
    )


def _resting_power(result: Result) -> float:
    watts, (core, router) = state_power(result.chip), deepest(result.chip)
    plan = result.plan
    return float(
        plan.n_cores * watts.core[core] + plan.n_routers * watts.router[router] + watts.chip
    )


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
    gating = chip.gating
    if policy == "never":
        update = {"gate_after": -1, "off_after": -1, "router_gate_after": -1}
    else:
        gate_after = max(gating.gate_after, 0)
        update = {"gate_after": gate_after, "off_after": -1}
        if policy == "off":
            pays = breakeven_cycles(chip, OFF, reload_cycles)
            if gating.off_after < 0 and pays is None:
                raise InputError(
                    f"policy off: chip {chip.name} saves nothing by power gating: off_share must "
                    f"be below 1"
                )
            update["off_after"] = max(
                gate_after, gating.off_after if gating.off_after >= 0 else pays or 0
            )
    return chip.model_copy(update={"gating": gating.model_copy(update=update)})


def signal_frames(frames: int, signals: int, burst: str, seed: int) -> np.ndarray:
    """Return which frames carry a signal, rising: evenly in the middle of their shares, or in
    bursts at seeded places.
    """
    if burst not in BURSTS:
        raise InputError(f"burst: must be one of {', '.join(BURSTS)}, not {burst!r}")
    number = np.arange(signals, dtype=np.int64)
    if burst == "evenly":
        return (2 * number + 1) * frames // (2 * max(signals, 1))
    bursts = -(-signals // BURST_FRAMES)
    # a burst's place is how many quiet frames come before it
    quiet = np.sort(np.random.default_rng(seed).integers(0, frames - signals + 1, bursts))
    return number + quiet[number // BURST_FRAMES] if signals else number


def make_stream(
    workload: Workload,
    frame_rate: Fraction,
    frames: int,
    duty: Fraction,
    burst: str,
    background: float,
    seed: int,
) -> Stream:
    """Return the stream; raises InputError for a duty that is no whole number of frames."""
    signals = duty * frames
    if not 0 <= duty <= 1:
        raise InputError(f"duty: must be from 0 to 1, not {float(duty):g}")
    if signals.denominator != 1:
        needed = duty.denominator * -(-frames // duty.denominator)
        raise InputError(
            f"duty: {float(duty):g} of {frames} frames is {float(signals):g} frames: it would be "
            f"whole with {needed} frames"
        )
    if not 0 <= background <= 1:
        raise InputError(f"background: must be a probability from 0 to 1, not {background:g}")
    signal = signal_frames(frames, int(signals), burst, seed)
    values = workload.stimulus.values
    inputs = int(np.prod(values.shape[1:]))
    memory.need(
        f"{frames:,} frames of {inputs:,} inputs, {int(signals):,} of them with a signal",
        inputs * (int(signals) * values.itemsize + (10 * frames if background else 0)) + 8 * frames,
    )
    shown = values[np.arange(len(signal)) % len(values)]
    active = signal
    if background:
        stray = np.random.default_rng([seed, 1]).random((frames, *values.shape[1:])) < background
        stray[signal] = False
        noisy = np.flatnonzero(stray.reshape(frames, -1).any(axis=1))
        active = np.concatenate([signal, noisy])
        order = np.argsort(active, kind="stable")
        active, shown = (
            active[order],
            np.concatenate([shown, stray[noisy].astype(values.dtype)])[order],
        )
    if not len(active):
        raise InputError(
            "duty: at least one frame must carry a signal, or background must bring something"
        )
    return Stream(
        frames,
        1 / frame_rate,
        signal,
        active,
        replace(workload.stimulus, values=shown, labels=None),
    )


def frames_for(duties: Sequence[Fraction]) -> int:
    """Return the least number of frames, LEAST_FRAMES or more, of which every duty is a whole
    number.
    """
    unit = math.lcm(*(duty.denominator for duty in duties))
    return unit * -(-LEAST_FRAMES // unit)


def refuse_rate(frame_rate: Fraction, frames: int, period: Fraction) -> None:
    """Raise InputError for frames closer than a cycle of `period` s, or so far apart that the
    stream exceeds MOST_CYCLES.
    """
    if frame_rate <= 0:
        raise InputError(f"frame-rate: must be more than 0 Hz, not {show(float(frame_rate), 'Hz')}")
    if frames > MOST_CYCLES:
        raise InputError(
            f"frames: must be at most {MOST_CYCLES:,}, not {frames:,}, which the duty needs to be "
            f"whole"
        )
    least, most = frames / (MOST_CYCLES * period), 1 / period
    if frame_rate > most:
        why = f"one frame a cycle, not {show(float(frame_rate), 'Hz')}"
        raise InputError(f"frame-rate: must be at most {_four_digits(most, math.floor)}, {why}")
    if frame_rate < least:
        why = (
            f"where {frames:,} frames take {float(MOST_CYCLES):g} cycles, not "
            f"{float(frame_rate):g} Hz"
        )
        raise InputError(f"frame-rate: must be at least {_four_digits(least, math.ceil)}, {why}")


def _four_digits(rate: Fraction, rounded: Callable[[Fraction], int]) -> str:
    """Return a limit of four digits, rounded to the allowed side."""
    unit = Fraction(10) ** (math.floor(math.log10(rate)) - 3)
    return show(float(rounded(rate / unit) * unit), "Hz")


def always_on(
    workload: Workload | str | Path,
    chip: Chip | str | Path,
    frame_rate: Fraction,
    duties: Sequence[Fraction],
    policies: Sequence[str] = POLICIES,
    *,
    mode: str = "snn",
    frames: int | None = None,
    burst: str = "evenly",
    background: float = 0.0,
    timesteps: int | None = None,
    seed: int = 0,
    engine: str = "compiled",
    progress: Progress | None = None,
) -> list[Outcome]:
    """Return the outcome of every policy at every duty, duties outermost; time asleep costs no
    simulation time.
    """
    workload = workload if isinstance(workload, Workload) else Workload.load(workload)
    chip = chip if isinstance(chip, Chip) else Chip.load(chip)
    if not duties:
        raise InputError("duty: must name at least one share of the frames")
    count = frames_for(duties) if frames is None else frames
    refuse_rate(frame_rate, count, Fraction(str(chip.period)))
    prepared = prepare(workload, chip)
    reload = int(reload_cycles(chip, prepared.mapping).max())
    chips = {policy: with_policy(chip, policy, reload) for policy in ("never", *policies)}
    outcomes = []
    for number, duty in enumerate(duties):
        stream = make_stream(workload, frame_rate, count, duty, burst, background, seed)
        shown = replace(workload, stimulus=stream.stimulus)
        computed = compute(shown, mode, timesteps)
        release = stream.release(Fraction(str(chip.period)))
        scheduled = replace(prepared, workload=shown).schedule(computed, release)

        def run(policy: str, scheduled: Scheduled = scheduled, number: int = number) -> Result:
            told = _told(progress, policy, number, len(duties))
            return Result(scheduled.paced(chips[policy]).execute(engine, progress=told))

        awake = run("never")
        for policy in policies:
            result = awake if policy == "never" else run(policy)
            outcomes.append(Outcome(policy, stream, result, awake, release))
    return outcomes


def _told(
    progress: Progress | None, policy: str, number: int, total: int
) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, _: progress(
        f"duty {number + 1} of {total}, {policy}", done, max(done, total)
    )
