"""A router that can move nothing sleeps until something changes what it waits for: a credit, an
interval's end, a new flit.

While it sleeps, each output it wants counts as blocked; that is booked when it wakes [L1].
`wanted` of a port holds the outputs its front flits could go to, `wanted` of a router
those of all its ports.
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel, lowest
from simulator.timing.engine.branches import held_outputs
from simulator.timing.engine.layout import State
from simulator.timing.engine.wheel import call_back


@kernel(inline=True)
def wake_router(state: State, number: int, now: int) -> None:
    """Put a router that holds flits on the list of those to be evaluated in this cycle."""
    router = state.router[number]
    if router.awake == 0 and router.ready <= now:
        chip = state.chip[0]
        router.awake = 1
        state.awake_router[chip.n_awake_routers] = number
        chip.n_awake_routers += 1
        wanted = np.int64(router.wanted)
        while wanted != 0:  # blocked all through its sleep
            state.port[router.first_port + lowest(wanted)].blocked += now - router.slept
            wanted &= wanted - 1


@kernel(inline=True)
def is_usable(state: State, output: int, now: int) -> bool:
    """Return whether an output may send in cycle `now`; where only its interval forbids it, see to
    a call when that is over.
    """
    out = state.port[output]
    if out.credited == 0:
        return False
    if out.free_at > now and out.called == 0:
        out.called = 1
        call_back(state, output, out.free_at)
    return out.free_at <= now


@kernel(inline=True)
def answer_call(state: State, output: int, now: int) -> None:
    """Wake a router one of whose outputs has become usable, if somebody sleeps who wants it."""
    port = state.port[output]
    router = state.router[port.router]
    if (
        router.awake == 0
        and (router.wanted >> port.index) & 1 != 0
        and is_usable(state, output, now)
    ):
        wake_router(state, port.router, now)


@kernel(inline=True)
def wanted_outputs(state: State, port_number: int) -> int:
    """Return the outputs the flits at the front of an input's VCs could go to."""
    port = state.port[port_number]
    first = port_number << state.chip[0].channel_shift
    wanted = np.int64(0)
    vcs = np.int64(port.occupied & (port.active | port.waiting))
    while vcs != 0:
        vc = lowest(vcs)
        vcs &= vcs - 1
        channel = state.channel[first + vc]
        if (port.active >> vc) & 1:
            wanted |= held_outputs(state, first + vc)
        if (port.waiting >> vc) & 1:
            wanted |= channel.route
    return wanted


@kernel(inline=True)
def want_all(state: State, number: int) -> None:
    """Note the outputs wanted by any input."""
    router = state.router[number]
    wanted = np.int64(0)
    inputs = np.int64(router.inputs)
    while inputs != 0:
        wanted |= state.port[router.first_port + lowest(inputs)].wanted
        inputs &= inputs - 1
    router.wanted = wanted


@kernel(inline=True)
def ask_at_front(state: State, port_number: int, vc: int, now: int) -> None:
    """Let a flit that has just come to where it can leave its VC ask; a router that sleeps
    wakes only if it can go on.
    """
    port = state.port[port_number]
    router = state.router[port.router]
    channel_number = (port_number << state.chip[0].channel_shift) | vc
    outputs = np.int64(0)
    if (port.active >> vc) & 1:
        outputs |= held_outputs(state, channel_number)
    if (port.waiting >> vc) & 1:
        outputs |= state.channel[channel_number].route
    port.wanted |= outputs
    if router.awake == 0:
        wanted = outputs
        while wanted != 0 and not is_usable(state, router.first_port + lowest(wanted), now):
            wanted &= wanted - 1
        if wanted != 0:
            wake_router(state, port.router, now)
        elif router.wanted == 0:
            router.slept = now
        else:
            added = outputs & ~router.wanted
            while added != 0:  # not blocked before now
                state.port[router.first_port + lowest(added)].blocked -= now - router.slept
                added &= added - 1
    router.wanted |= outputs


@kernel(inline=True)
def fall_asleep(state: State, number: int, cycle: int, is_sound: bool) -> bool:
    """Let a router sleep from `cycle` on; a light sleeper stays awake if an output it wants is
    usable then.
    """
    router = state.router[number]
    wanted = np.int64(router.wanted)
    while wanted != 0:
        if is_usable(state, router.first_port + lowest(wanted), cycle) and not is_sound:
            return False
        wanted &= wanted - 1
    router.slept = cycle
    router.awake = 0
    return True
