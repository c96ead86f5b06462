"""What is no description at all: the file as a whole is refused, in one line, never with a
traceback.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shipped import refusal

from simulator.describe import library
from simulator.describe.chip import Chip
from simulator.describe.documents import MAXIMUM_BYTES, plain
from simulator.describe.workload import Workload

# a file's bytes, what is said of it
NO_DESCRIPTION = [
    (b"", "chip.yaml:1: must be a mapping of keys to values, not an empty file"),
    (b"# nothing\n", "chip.yaml:1: must be a mapping of keys to values, not an empty file"),
    (b"- a\n- b\n", "chip.yaml:1: must be a mapping of keys to values, not a list"),
    (b"a chip\n", "chip.yaml:1: must be a mapping of keys to values, not a single value"),
    (b"a: 1\nb: \xff\xfe\n", "chip.yaml:2: must be UTF-8 text, not the byte 0xff"),
    (b"a: 1\nb: \x00\n", "chip.yaml:2: must be text, not the control character '\\x00'"),
    (b"\x7fELF\x02\x01", "chip.yaml:1: must be text, not the control character '\\x7f'"),
    (
        b"a: 1\n\tb: 2\n",
        "chip.yaml:2: must be YAML: found character '\\t' that cannot start any token",
    ),
    (b"a: [1, 2\nb: 3\n", "chip.yaml:2: must be YAML: expected ',' or ']', but got ':'"),
    (b"a: 1\n---\nb: 2\n", "chip.yaml:2: must be YAML: but found another document"),
    (b"a: *b\n", "chip.yaml:1: must be YAML: found undefined alias 'b'"),
    (
        b'a: "\\UFFFFFFFF"\n',
        "chip.yaml:1: must be YAML: an escape in a quoted text names no character",
    ),
    (b"[" * 100_000, "chip.yaml:1: must be nested less deeply"),
    (b"a:" * 3 + b" 1\n", "chip.yaml:1: 'a:a:a': unknown key"),
    (
        b"a" * (MAXIMUM_BYTES + 1),
        f"chip.yaml: must be at most {MAXIMUM_BYTES} bytes, not {MAXIMUM_BYTES + 1}: arrays belong "
        f"into an npz file",
    ),
]


@pytest.mark.parametrize(
    ("content", "message"), NO_DESCRIPTION, ids=[row[1][10:50] for row in NO_DESCRIPTION]
)
def test_what_is_no_description_is_refused(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    Path("chip.yaml").write_bytes(content)
    said = refusal(lambda: Chip.load("chip.yaml"))
    assert message == said.splitlines()[-1]


def test_an_alias_is_refused_at_both_ends_and_never_expanded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bomb = "a: &a [x, x]\n" + "".join(
        f"{c}: &{c} [*{b}, *{b}]\n" for b, c in zip("abcdefgh", "bcdefghi")
    )
    Path("chip.yaml").write_text(bomb)
    said = refusal(lambda: Chip.load("chip.yaml")).splitlines()
    for number, key in enumerate("abcdefghi", 1):
        assert (
            f"chip.yaml:{number}: {key}: must be written out: anchors and aliases are not allowed"
            in said
        )


def test_a_missing_file_lists_what_is_shipped():
    assert refusal(lambda: Chip.load("generic-22mn")).startswith(
        "chip 'generic-22mn': must be a file or one of "
    )
    assert refusal(lambda: Chip.load("generic-22mn")).endswith("; did you mean 'generic-22nm'?")
    assert refusal(lambda: Workload.load("digits-mpl")).endswith("; did you mean 'digits-mlp'?")
    for nonsense in ("", "\0", "x" * 300, "/", "chips"):
        assert "must be a file" in refusal(lambda name=nonsense: Chip.load(name))


# a word as YAML 1.1 would not read it, and as it is read here
PLAIN = [
    ("no", "no"),
    ("yes", "yes"),
    ("on", "on"),
    ("True", "True"),
    ("true", True),
    ("false", False),
    ("1e-12", 1e-12),
    ("1.5", 1.5),
    ("010", 10),
    ("0x10", "0x10"),
    ("1_000", "1_000"),
    ("12:30", "12:30"),
    ("+3", 3),
    ("-3", -3),
    ("null", None),
    ("~", None),
    ("", None),
    (".inf", ".inf"),
    ("nan", "nan"),
    ("2 ns", "2 ns"),
    ("2026-01-01", "2026-01-01"),
    ("\u0663", "\u0663"),
]


@pytest.mark.parametrize(("word", "value"), PLAIN)
def test_unquoted_words_mean_what_they_look_like(word, value):
    assert (type(value), value) == (type(plain(word)), plain(word))


CHIP = library.find("chip", "generic-22nm").read_bytes()
WORKLOAD = library.find("workload", "digits-cnn").read_bytes()
MARKS = ": |- |[|]|{|}|\n|&a |*a|!!|'|\"|#|%|-|e9999|\\|999999999999999999999999999999"
SYNTAX = [mark.encode() for mark in MARKS.split("|")]
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 10**6),
        st.integers(0, 4),
        st.one_of(st.binary(max_size=3), st.sampled_from(SYNTAX)),
    ),
    min_size=1,
    max_size=4,
)


def changed(content: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for at, length, new in changes:
        at %= len(content)
        content = content[:at] + new + content[at + length :]
    return content


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(CHANGES)
def test_any_bytes_in_a_chip_file_load_or_are_refused(tmp_path, changes):
    (tmp_path / "chip.yaml").write_bytes(changed(CHIP, changes))
    for line in refusal(lambda: Chip.load(tmp_path / "chip.yaml")).splitlines():
        assert line.startswith(f"{tmp_path}/chip.yaml:")


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(CHANGES)
def test_any_bytes_in_a_workload_file_load_or_are_refused(tmp_path, changes):
    path = tmp_path / "workload.yaml"
    if not (tmp_path / "arrays.npz").exists():
        (tmp_path / "arrays.npz").symlink_to(
            library.find("workload", "digits-cnn").with_name("arrays.npz")
        )
    path.write_bytes(changed(WORKLOAD, changes))
    for line in refusal(lambda: Workload.load(path)).splitlines():
        assert line.startswith(f"{path}:")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(CHANGES)
def test_any_bytes_in_an_npz_file_load_or_are_refused(tmp_path, changes):
    folder = library.find("workload", "digits-mlp").parent
    (tmp_path / "workload.yaml").write_bytes((folder / "workload.yaml").read_bytes())
    (tmp_path / "arrays.npz").write_bytes(changed((folder / "arrays.npz").read_bytes(), changes))
    for line in refusal(lambda: Workload.load(tmp_path / "workload.yaml")).splitlines():
        assert line.startswith(f"{tmp_path}/workload.yaml:")


# what is given, what is said before the list of names
NO_FILE = [
    ("nofile.yaml", "chip 'nofile.yaml': no such file, and no name; must be a file or one of "),
    ("mine/nofile", "chip 'mine/nofile': no such file, and no name; must be a file or one of "),
    (".", "chip '.': is a folder without chip.yaml; must be a file or one of "),
    ("/dev/null", "chip '/dev/null': is no regular file; must be a file or one of "),
]


@pytest.mark.parametrize(("given", "said"), NO_FILE)
def test_a_missing_file_a_folder_and_a_device_are_told_apart(tmp_path, monkeypatch, given, said):
    monkeypatch.chdir(tmp_path)
    assert refusal(lambda: Chip.load(given)).startswith(said)
