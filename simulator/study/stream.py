"""A stream of frames of which few carry a signal: which ones bring something, and when.

A frame with a signal is one inference of the workload's stimulus; background events make a quiet
frame an inference of stray input.  Where the workload's state is carried from frame to frame, a
quiet frame is an inference without input: neurons leak in it too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from simulator import memory
from simulator.describe.network import Feed, Stimulus
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.units import show

BURSTS = ("evenly", "bursty")
#: frames with a signal that follow each other in a bursty stream
BURST_FRAMES = 8
#: frames of a stream when none are asked for: at least so many, and as many as every duty needs to
#: be whole
LEAST_FRAMES = 1000
#: cycles of a stream: its counters, summed over the cores of the largest chip, still fit 64 bits
MOST_CYCLES = 10**15


@dataclass(frozen=True)
class Stream:
    """Which frames bring something, and when."""

    frames: int
    interval: Fraction  # seconds from frame to frame
    signal: np.ndarray  # (n_signals,) int64, frame numbers, rising
    # (n_active,) int64, rising: frames with a signal or with background events, or all
    active: np.ndarray
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
    values, carries = _only_feed(workload).values, workload.stimulus.carries
    inputs = int(np.prod(values.shape[1:]))
    memory.need(
        f"{frames:,} frames of {inputs:,} inputs, {int(signals):,} of them with a signal",
        inputs * (int(signals) * values.itemsize + (10 * frames if background or carries else 0))
        + 8 * frames,
    )
    shown = values[np.arange(len(signal)) % len(values)]
    active = signal
    if background or carries:
        stray = np.random.default_rng([seed, 1]).random((frames, *values.shape[1:])) < background
        stray[signal] = False
        noisy = np.flatnonzero(stray.reshape(frames, -1).any(axis=1))
        if carries:  # every frame is worked on, also one that brings nothing
            noisy = np.setdiff1d(np.arange(frames), signal)
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
        Stimulus((replace(_only_feed(workload), values=shown),), carries=carries),
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


def _only_feed(workload: Workload) -> Feed:
    """Return what the one input is fed; raises InputError for a network with several."""
    feeds = workload.stimulus.feeds
    if len(feeds) != 1:
        raise InputError(f"workload {workload.name}: must have one input, not {len(feeds)}")
    return feeds[0]
