"""The records of endpoints: network interfaces, cores, and what both know of steps of their own."""

from __future__ import annotations

from simulator.timing.engine.work_layout import in_lines, record

INTERFACE = in_lines(
    router="i4",
    local="i4",
    is_core="i4",
    awake="i4",
    channels="i4",
    first=("i4", (2,)),
    last=("i4", (2,)),
    waiting=("i8", (2,)),
    sending=("i4", (2,)),
    sent=("i4", (2,)),
    sending_vc=("i4", (2,)),
    vc_pointer=("i4", (2,)),
    class_pointer="i4",
    in_use="i4",
    draining="i4",
    credited="i4",
    own_channels="i4",
    head_arrive=("i8", (8,)),
    next_name="i8",
    peak="i8",
)

CORE = record(
    scheduled="i8",
    ready="i8",
    state=("i4", (3,)),
    until=("i8", (3,)),
    busy=("i8", (3,)),
    blocked=("i8", (3,)),
    # synapse and its input queue
    vc_pointer="i4",
    complete="i4",
    n_complete=("i4", (8,)),
    ring_first=("i4", (8,)),
    freed=("i4", (8,)),
    n_taken="i8",
    waits="i8",  # of the group in work, for banks
    conflicts="i8",
    input_flits="i8",
    input_peak="i8",
    # soma
    work="i8",
    position="i8",
    message="i8",
    has_message="i4",
    # spike queue: the messages not yet taken, in order, those without a row left out
    spikes="i8",
    spike_peak="i8",
    next_spike="i8",
    # axon-out
    row="i8",
    entry="i8",
    entry_end="i8",
    is_tree="i4",
    barrier="i8",
    reload="i8",
    # tokens: the packet in work, the cycle from which the row of tokens can be taken (-1: none),
    # whether axon-out is at it, cycles waited by what for and unit [Q10]
    taken="i8",
    tokens_from="i8",
    is_token="i4",
    waited=("i8", (3, 3)),
)

#: what an endpoint knows of its own steps and of the others'
OWN = in_lines(
    takes_part="i4",
    row="i4",
    n_sources="i4",
    n_destinations="i4",
    started="i8",  # steps
    is_done="i4",
    is_called="i4",
    # what idle units wait for, since when, and how much they had been clocked and busy then
    wait="i4",
    since="i8",
    clocked="i8",
    busy="i8",
    # its work items or injections, in the order of steps; a port's present step
    cursor="i8",
    end="i8",
    last="i8",
    begun="i8",
    due="i8",
)
