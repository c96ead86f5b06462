"""Blocks on pages of every width: nothing cut, nothing too wide, names letter by letter."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from simulator.report import terminal
from simulator.report.blocks import Column, Facts, Paragraph, Title, Verdict, table, words
from simulator.report.html import html
from simulator.report.layout import wrapped

#: names a user may choose for a layer, a chip or a file
HOSTILE = [
    "features[relu]",
    "fc[/x]",
    "[bold red]loud[/]",
    "[link=http://a]b",
    "\\[escaped]",
    ":smile:",
    "<script>alert(1)</script>",
    "a & b",
    "層層層層",
    "tab\tnew\nline\x1b[31m",
    "right-to-left\u202eabc",
    "x" * 90,
]


# text, width, lines
WRAPPED = [
    ("as it is", 8, ["as it is"]),
    ("words go on", 8, ["words go", "on"]),
    ("energy 5 pJ", 9, ["energy", "5 pJ"]),  # a number keeps its unit
    ("about T = 4 steps", 9, ["about", "T = 4", "steps"]),
    ("in 1,166 cycles", 12, ["in", "1,166 cycles"]),
    ("abcdefgh", 3, ["abc", "def", "gh"]),  # only a word longer than the line is broken
    ("  a term of it", 8, ["  a term", "  of it"]),  # indented like the first
    ("層層層", 4, ["層層", "層"]),  # two cells each
    ("123456 pJ", 8, ["123456", "pJ"]),
]


@pytest.mark.parametrize(("text", "width", "lines"), WRAPPED)
def test_lines_break_where_a_reader_would(text, width, lines):
    assert lines == wrapped(text, width)


ENERGY = table(
    [words("layer"), Column("energy"), Column("synaptic operations", short="SOPs")],
    [("hidden", "23.82 nJ", "4,160"), ("output", "1 pJ", "-")],
)
# width, the lines: as it is, heading in lines, short heading, closer, cut in parts
WIDTHS = [
    (
        40,
        [
            "layer     energy  synaptic operations",
            "hidden  23.82 nJ                4,160",
            "output      1 pJ                    -",
        ],
    ),
    (
        30,
        [
            "                    synaptic",
            "layer     energy  operations",
            "hidden  23.82 nJ       4,160",
            "output      1 pJ           -",
        ],
    ),
    (24, ["layer     energy   SOPs", "hidden  23.82 nJ  4,160", "output      1 pJ      -"]),
    (21, ["layer    energy  SOPs", "hidden 23.82 nJ 4,160", "output     1 pJ     -"]),
    (
        19,
        [
            "layer     energy",
            "hidden  23.82 nJ",
            "output      1 pJ",
            "",
            "          synaptic",
            "layer   operations",
            "hidden       4,160",
            "output           -",
        ],
    ),
]


@pytest.mark.parametrize(("width", "lines"), WIDTHS)
def test_a_table_gives_way_step_by_step(width, lines):
    assert lines == terminal.text([ENERGY], width).splitlines()


def test_a_part_below_the_first_leaves_out_what_it_says_nothing_of():
    columns = [words("term"), Column("pJ"), words("cause", wraps=True)]
    rows = [("a", "1" * 30, ""), ("b", "2" * 30, "a cause that takes a line"), ("c", "3", None)]
    lines = terminal.text([table(columns, rows)], 42).splitlines()
    assert ["term  cause", "b     a cause that takes a line"] == lines[-2:]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_letter_by_letter(name):
    blocks = [
        Title(name, name),
        Paragraph(name, name),
        Verdict(name),
        Facts(((name, name),), name),
        table([name, name], [(name, name)], name),
    ]
    shown = name.encode("unicode_escape").decode() if not name.isprintable() else name
    assert 13 == terminal.text(blocks, 1000).count(shown)
    assert all(character.isprintable() for character in terminal.text(blocks, 60).replace("\n", ""))
    assert "<script>" not in html(blocks) and "\x1b" not in html(blocks)
    assert 11 <= html(blocks).count(
        shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_reaches_the_terminal_as_it_is(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    terminal.show([table(["layer"], [(name,)])])
    shown = name.encode("unicode_escape").decode() if not name.isprintable() else name
    assert f"layer\n{shown}\n" == capsys.readouterr().out


CELLS = st.text(max_size=40)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=4), st.integers(40, 140))
@example([("", "000\x1f\x1f\U00018d09\U00018d09", "")], 40)
def test_no_line_is_wider_than_the_page_and_no_letter_is_lost(rows, width):
    shown = table(["one", Column("two"), words("three", wraps=True)], rows)
    text = terminal.text([shown, Paragraph(rows[0][0], rows[0][1])], width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    # headings aside: on a narrow page a column without a word loses its own
    wide = "".join(terminal.text([shown], 100_000).splitlines()[1:])
    assert all(text.count(letter) >= wide.count(letter) for letter in set(wide) - {" ", "\n"})


def test_rows_and_tones_must_fit_the_columns():
    with pytest.raises(ValueError, match="a row must have a value for each column"):
        table(["a", "b"], [("1",)])
    with pytest.raises(ValueError, match="there must be a tone for each row"):
        table(["a"], [("1",)], tones=["good", "bad"])


def test_html_has_the_same_words():
    page = html([Title("t", "d"), ENERGY, Facts((("name", "value"),)), Verdict("so")])
    assert '<th class="number">energy</th>' in page and '<td class="number">23.82 nJ</td>' in page
    assert "<dt>name</dt><dd>value</dd>" in page
    assert '<p class="verdict"><strong>Verdict</strong> so</p>' in page
