"""A bad chip file is told what is wrong in the words of this page: place, key, what is allowed,
what was given.
"""

from __future__ import annotations

import re

import pytest
from shipped import line_of, placed

from simulator.describe import library
from simulator.describe.energy import EnergyTable, PowerTable

TABLES = {"energy": EnergyTable, "power": PowerTable}

ACCUMULATE = (
    "accumulate: {value: 0.05 pJ, band: [0.03 pJ, 0.1 pJ], scope: marginal, evidence: derived"
)
MESH = "mesh: {width: 8, height: 8, cores_per_tile: 1}"

# what stands in the shipped file, what is written instead, the line it is said of, what is said
ONE_MISTAKE = [
    # keys
    ("  buffer: 8", "  bufer: 8", "bufer:", "router.bufer: unknown key; did you mean 'buffer'?"),
    ("atomic: false", "atomic: false\n  colour: red", "colour:", "router.colour: unknown key"),
    ("  buffer: 8 flits\n", "", "router:", "router.buffer: missing key: it must be given"),
    ("height: 8, ", "", "mesh:", "mesh.height: missing key: it must be given"),
    (
        "  atomic: false",
        "  atomic: false\n  buffer: 9",
        "buffer: 9",
        "router.buffer: must be given once, not again: it stands on line {buffer: 8} already",
    ),
    (
        "width: 8, ",
        "width: 8, width: 9, ",
        "mesh:",
        "mesh.width: must be given once, not again: it stands on line {mesh:} already",
    ),
    (
        "width: 8, ",
        "[1]: 8, width: 8, ",
        "mesh:",
        "mesh: must have plain words as keys (line {mesh:})",
    ),
    # anchors and tags
    (
        "mesh: {",
        "mesh: &mesh {",
        "mesh:",
        "mesh: must be written out: anchors and aliases are not allowed",
    ),
    (
        "width: 8, ",
        "width: !!int 8, ",
        "mesh:",
        "mesh.width: must be written out: tags are not allowed",
    ),
    # whole numbers and booleans
    ("lanes: 8", "lanes: 0", "lanes:", "core.synapse.lanes: must be at least 1, not 0"),
    ("lanes: 8", "lanes: -8", "lanes:", "core.synapse.lanes: must be at least 1, not -8"),
    ("lanes: 8", "lanes: 8.0", "lanes:", "core.synapse.lanes: must be a whole number, not 8.0"),
    ("lanes: 8", "lanes: 1e-12", "lanes:", "core.synapse.lanes: must be a whole number, not 1e-12"),
    ("lanes: 8", "lanes: true", "lanes:", "core.synapse.lanes: must be a whole number, not true"),
    ("lanes: 8", "lanes:", "lanes:", "core.synapse.lanes: must be a whole number, not nothing"),
    (
        "lanes: 8",
        "lanes: 99999999999",
        "lanes:",
        "core.synapse.lanes: must be at most 2147483647, not 99999999999",
    ),
    (
        "multicast: false",
        "multicast: no",
        "multicast:",
        "router.multicast: must be true or false, not 'no'",
    ),
    # choices
    (
        "routing: xy",
        "routing: yxx",
        "routing:",
        "router.routing: must be 'xy', 'yx', 'west-first' or 'negative-first', not 'yxx'; did you "
        "mean 'yx'?",
    ),
    (
        "spikes: events",
        "spikes: event",
        "spikes:",
        "packet.spikes: must be 'events', 'bitmap', 'counts' or 'train', not 'event'; did you mean "
        "'events'?",
    ),
    (
        "schema_version: 1",
        "schema_version: 2",
        "schema_version:",
        "schema_version: must be 1, not 2",
    ),
    ("name: generic-22nm", 'name: ""', "name:", "name: must not be empty"),
    # sizes
    (
        "  buffer: 8 flits",
        "  buffer: 0 flits",
        "buffer:",
        "router.buffer: must be at least 1 flit, not '0 flits'",
    ),
    (
        "  buffer: 8 flits",
        "  buffer: 65",
        "buffer:",
        "router.buffer: must be at most 64 flits, not 65",
    ),
    (
        "synapses: 64 KiB",
        "synapses: -64 KiB",
        "memory:",
        "core.memory.synapses: must be a whole number of bits, 0 or more, not '-64 KiB'",
    ),
    (
        "synapses: 64 KiB",
        "synapses: 64 KB",
        "memory:",
        "core.memory.synapses: must be a whole number of bits, such as '64 KiB', not '64 KB'",
    ),
    (
        "synapses: 64 KiB",
        "synapses: 0.3 bit",
        "memory:",
        "core.memory.synapses: must be a whole number of bits, 0 or more, not '0.3 bit'",
    ),
    # times
    (
        "period: 2 ns",
        "period: 0 ns",
        "period:",
        "period: must be more than 0, such as '2 ns', not '0 ns'",
    ),
    (
        "period: 2 ns",
        "period: 500 MHz",
        "period:",
        "period: must be a time with its unit, such as '2 ns', not '500 MHz'",
    ),
    (
        "lookup: 2 cycles",
        "lookup: 3 ns",
        "lookup:",
        "core.synapse.lookup: must be a whole number of cycles of 2 ns, not '3 ns': "
        "the nearest are 2 ns (1 cycle) and 4 ns (2 cycles)",
    ),
    (
        "lookup: 2 cycles",
        "lookup: -2 ns",
        "lookup:",
        "core.synapse.lookup: must be 0 or more, not '-2 ns'",
    ),
    (
        "lookup: 2 cycles",
        "lookup: two",
        "lookup:",
        "core.synapse.lookup: must be a duration such as '3 cycles' or '4.1 ns', not 'two'",
    ),
    (
        "lookup: 2 cycles",
        "lookup: 1e15 cycles",
        "lookup:",
        "core.synapse.lookup: must be at most 281474976710656 cycles, not '1e15 cycles'",
    ),
    (
        "lookup: 2 cycles",
        "lookup: 1e7 s",
        "lookup:",
        "core.synapse.lookup: must be at most 281474976710656 cycles, not '1e7 s'",
    ),
    (
        "synapses: 64 KiB",
        "synapses: 1e12 KiB",
        "memory:",
        "core.memory.synapses: must be at most 1125899906842624 bits, not '1e12 KiB'",
    ),
    (
        "off_after: never",
        "off_after: always",
        "off_after:",
        "gating.off_after: must be a duration such as '3 cycles' or '4.1 ns', or 'never', not "
        "'always'",
    ),
    (
        "off_after: never",
        "off_after: 3 cycles",
        "off_after:",
        "gating.off_after: must be at least gate_after (16 cycles), not 3 cycles",
    ),
    # energies and other constants
    (
        "value: 0.05 pJ",
        "value: 0.05 pW",
        "accumulate: {",
        "energy.accumulate.value: must be an energy with its unit, such as '23.6 pJ', not '0.05 "
        "pW'",
    ),
    (
        "value: 0.05 pJ",
        "value: 1e-12",
        "accumulate: {",
        "energy.accumulate.value: must be an energy with its unit, such as '23.6 pJ', not 1e-12",
    ),
    (
        "value: 0.05 pJ",
        "value: nan pJ",
        "accumulate: {",
        "energy.accumulate.value: must be an energy with its unit, such as '23.6 pJ', not 'nan pJ'",
    ),
    (
        "value: 0.05 pJ",
        "value: -0.05 pJ",
        "accumulate: {",
        "energy.accumulate.value: must be 0 or more, such as '23.6 pJ', not '-0.05 pJ'",
    ),
    (
        "value: 0.05 pJ",
        "value: 0.5 pJ",
        "accumulate: {",
        "energy.accumulate.band: must be [low, high] around the value, not ['0.03 pJ', '0.1 pJ']",
    ),
    (
        "band: [0.03 pJ, 0.1 pJ]",
        "band: [0.03 pJ]",
        "accumulate: {",
        "energy.accumulate.band: must have at least 2 entries, not 1",
    ),
    (
        ACCUMULATE,
        ACCUMULATE.replace("marginal", "total"),
        "accumulate: {",
        "energy.accumulate.scope: must be 'marginal' or 'all_in', not 'total'",
    ),
    (
        'source: "as payload_bit_hop"',
        'source: ""',
        "header_bit_hop:",
        "energy.header_bit_hop.source: must not be empty",
    ),
    (
        "voltage: 0.8 V",
        "voltage: .inf V",
        "voltage: .inf V",
        "technology.voltage: must be a voltage with its unit, such as '0.8 V', not '.inf V'",
    ),
    (
        "off_share: {value: 0.03,",
        "off_share: {value: .nan,",
        "off_share:",
        "power.off_share.value: must be a number, not '.nan'",
    ),
    (
        "off_share: {value: 0.03,",
        "off_share: {value: 1e999,",
        "off_share:",
        "power.off_share.value: must be a finite number, not inf",
    ),
    # parts that must agree
    (
        "tile: [0, 0]",
        "tile: [0, 8]",
        "- {name: west",
        "ports[0].tile: must lie on the 8x8 mesh, not at [0, 8]",
    ),
    (
        "stream_channels: [2, 3]",
        "stream_channels: [2, 4]",
        "stream_channels:",
        "router.stream_channels: must be [first, last] channel within 0..3, not [2, 4]",
    ),
    (
        "maximum: 8 flits",
        "maximum: 9 flits",
        "maximum:",
        "packet.maximum: must be at most core.input_queue (8 flits), not 9: a core takes whole "
        "packets",
    ),
    (
        "destination: 12 bit",
        "destination: 300 bit",
        "packet:",
        "packet: must leave room for data: the fields take 312 of 256 bits",
    ),
    (
        "  tree: 2 cycles",
        "  points: [[9, 114 ns], [9, 832 ns]]",
        "points:",
        "barrier.points: must have rising numbers of tiles, not [9, 9]",
    ),
    (
        "  tree: 2 cycles",
        "  points: [[1]]",
        "points:",
        "barrier.points[0]: must have 2 entries, not 1",
    ),
    (
        "  tree: 2 cycles",
        "  {tree: 2 cycles, points: [[1, 4 ns]]}",
        "barrier:",
        "barrier: must have either points or tree (the other null), not both",
    ),
    (
        "barrier:",
        "step: {tick: 0 s}\nbarrier:",
        "step:",
        "step.tick: must be at least 1 cycle, not '0 s'",
    ),
    (
        "spike: 1 cycle, clear: 1 cycle",
        "spike: 1 cycle, clear: at once",
        "soma:",
        "core.soma.clear: must be a duration such as '3 cycles' or '4.1 ns', or 'bulk', not "
        "'at once'",
    ),
    (
        "unused: gated",
        "unused: asleep",
        "unused:",
        "gating.unused: must be 'off', 'gated' or 'clocked', not 'asleep'",
    ),
    (MESH, "mesh: 8x8", "mesh:", "mesh: must be a mapping of keys to values, not '8x8'"),
    # sources
    (
        '  period: "assumed: 500 MHz',
        '  period: "guessed: 500 MHz',
        'period: "guessed',
        "sources.period: must be '<evidence>: <source>' with one of measured, published, derived, "
        "assumed, not "
        "'guessed: 500 MHz; SENECA (22 nm) is specified at 500 MHz...",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"), ONE_MISTAKE, ids=[row[3][:40] for row in ONE_MISTAKE]
)
def test_one_mistake_is_one_line_with_its_place(said_of_chip, old, new, line, message):
    text, said = said_of_chip((old, new))
    assert f"chip.yaml:{line_of(text, line)}: {placed(text, message)}" == said


@pytest.mark.parametrize(
    ("table", "name"), [(t, n) for t, m in TABLES.items() for n in m.model_fields]
)
def test_every_constant_is_missed_by_name(said_of_chip, table, name):
    shipped = library.find("chip", "generic-22nm").read_text()
    whole = re.search(
        rf"^  {name}: {{.*?}}\n", shipped[shipped.index(f"\n{table}:") :], re.DOTALL | re.MULTILINE
    )
    text, said = said_of_chip((whole.group(), ""))
    assert (
        f"chip.yaml:{line_of(text, f'{table}:')}: {table}.{name}: missing key: it must be given"
        == said
    )


def test_a_number_without_source_is_a_fault_and_so_is_a_source_without_number(said_of_chip):
    text, said = said_of_chip(('  period: "assumed', '  periodd: "assumed'))
    assert [
        f"chip.yaml:{line_of(text, 'period: 2 ns')}: period: must have its source under 'sources', "
        f"such as "
        "'period: \"assumed: why\"'",
        f"chip.yaml:{line_of(text, 'periodd:')}: sources.periodd: must name a key of this file; "
        f"did you mean 'period'?",
    ] == said.splitlines()


def test_all_mistakes_are_said_at_once_in_the_order_of_lines(said_of_chip):
    text, said = said_of_chip(
        ("value: 0.1 pJ", "value: 0.1 W"),
        ("lanes: 8", "lanes: 0"),
        ("routing: xy", "routing: zz"),
        ("atomic", "atomik"),
    )
    assert [
        f"chip.yaml:{line_of(text, 'atomik:')}: router.atomik: unknown key; did you mean 'atomic'?",
        f"chip.yaml:{line_of(text, 'routing:')}: router.routing: must be 'xy', 'yx', 'west-first' "
        f"or 'negative-first', "
        "not 'zz'",
        f"chip.yaml:{line_of(text, 'lanes:')}: core.synapse.lanes: must be at least 1, not 0",
        f"chip.yaml:{line_of(text, 'multiply_accumulate: {')}: energy.multiply_accumulate.value: "
        "must be an energy with its unit, such as '23.6 pJ', not '0.1 W'",
    ] == said.splitlines()


def test_a_fault_of_form_does_not_hide_a_duplicate_key(said_of_chip):
    text, said = said_of_chip(("lanes: 8", "lanes: 0"), ("width: 8, ", "width: 8, width: 9, "))
    assert [
        f"chip.yaml:{line_of(text, 'mesh:')}: mesh.width: must be given once, not again: "
        f"it stands on line {line_of(text, 'mesh:')} already",
        f"chip.yaml:{line_of(text, 'lanes:')}: core.synapse.lanes: must be at least 1, not 0",
    ] == said.splitlines()
