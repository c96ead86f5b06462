"""A port's role: one port takes the input of a network, one its results, whatever their order."""

from __future__ import annotations

import pytest
from shipped import line_of

from simulator.describe.chip import Chip

WEST = "{name: west, role: both, tile: [0, 0], interval: 1 cycle}"
IN, OUT = "{name: in, role: input, tile: [0, 0], interval: 2 cycles}", "{name: out, role: output"
# what stands in place of the port, the line it is said of, what is said
FAULTS = [
    (
        WEST.replace("both", "input"),
        "ports:",
        "ports: must have exactly one port of role output or both, not none",
    ),
    (
        WEST.replace("both", "bth"),
        "- {name: west",
        "ports[0].role: must be 'input', 'output' or 'both', not 'bth'; did you mean 'both'?",
    ),
    (
        f"{WEST}\n  - {OUT}, tile: [7, 0]}}",
        "ports:",
        "ports: must have exactly one port of role output or both, not 'west', 'out'",
    ),
    (
        f"{WEST}\n  - {IN}",
        "ports:",
        "ports: must have exactly one port of role input or both, not 'west', 'in'",
    ),
    (
        WEST.replace(", interval: 1 cycle", ""),
        "- {name: west",
        "ports[0].interval: missing key: a port of role both sends packets",
    ),
    (
        f"{IN}\n  - {OUT}, tile: [7, 0], interval: 1 cycle}}",
        "- {name: out",
        "ports[1].interval: must be left out: a port of role output sends nothing",
    ),
    (
        f"{IN}\n  - {OUT.replace('out,', 'in,')}, tile: [7, 0]}}",
        "- {name: in, role: output",
        "ports[1].name: must be used by one port only, not again: 'in'",
    ),
]


@pytest.mark.parametrize(("written", "line", "message"), FAULTS, ids=[row[2] for row in FAULTS])
def test_a_fault_of_ports_is_said_with_its_place(said_of_chip, written, line, message) -> None:
    text, said = said_of_chip((WEST, written))
    assert f"chip.yaml:{line_of(text, line)}: {message}" == said


# ports in the order of the file, the number of the one for input and of the one for output
ORDERS = [
    (f"ports=[{WEST}]", 0, 0),
    (f"ports=[{IN}, {OUT}, tile: [7, 0]}}]", 0, 1),
    (f"ports=[{OUT}, tile: [7, 0]}}, {IN}]", 1, 0),
]


@pytest.mark.parametrize(("ports", "for_input", "for_output"), ORDERS)
def test_roles_and_not_order_say_what_a_port_is_for(ports, for_input, for_output) -> None:
    chip = Chip.load("generic-22nm", (ports,))
    assert (for_input, for_output) == (chip.input_port, chip.output_port)
