"""When a step may start: barrier, release and tick."""

from __future__ import annotations

from simulator.jit import kernel
from simulator.timing.engine.layout import State


@kernel(inline=False)
def on_tick(cycle: int, tick: int) -> int:
    """Return the first multiple of the tick from `cycle` on, `cycle` itself without one [S7]."""
    return (cycle + tick - 1) // tick * tick if tick > 0 else cycle


@kernel(inline=True)
def call_next_step(state: State, quiet: int) -> None:
    """Note that the step is quiet, and set the cycle in which the next one starts or the run ends
    [S3] [S4].
    """
    chip = state.chip[0]
    chip.quiet = quiet
    if chip.tokens:  # all is done [Q11]
        chip.next_start = max(quiet + 1, state.step[chip.last_step].release)
        return
    ready = max(quiet + chip.barrier_cycles, state.step[chip.step].release)
    chip.next_start = on_tick(ready, chip.tick)


@kernel(inline=True)
def overrun(state: State, number: int, now: int) -> int:
    """Return how many cycles after it was due the step that follows `number`, or the run's end,
    comes in `now` [S8].
    """
    tick = state.chip[0].tick
    if tick == 0:
        return 0
    return now - on_tick(max(state.step[number].start + 1, state.step[number + 1].release), tick)
