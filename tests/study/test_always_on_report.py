"""What the always-on study prints, draws and writes, and how its command refuses."""

import hashlib
import json
import re
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from simulator.commands.verbs import cli
from simulator.describe import library
from simulator.errors import InputError, SpikemeshError
from simulator.report import always_on as report
from simulator.report import terminal
from simulator.study.always_on import always_on
from simulator.study.stream import MOST_CYCLES, refuse_rate
from simulator.units import exact, show


def _printed(outcomes: list, battery: float | None = None) -> list[str]:
    return terminal.text(report.always_on_view(outcomes, battery), 160).splitlines()


# frames per second, policy, frames of which each has a signal, whether frames come faster than the
# chip works
@pytest.mark.parametrize(
    "rate, policy, overloaded",
    [
        (100_000, "off", False),
        (300_000, "never", False),
        (300_000, "off", False),
        (800_000, "gate", True),
    ],
)
def test_an_overloaded_stream_is_called_so_and_keeps_its_length(
    rate: int, policy: str, overloaded: bool
) -> None:
    (outcome,) = always_on(
        "digits-mlp", "generic-22nm", Fraction(rate), [Fraction(1)], [policy], frames=20
    )
    heading, said, *_ = _printed([outcome])
    assert (
        overloaded == outcome.is_overloaded == report.summary([outcome])["points"][0]["overloaded"]
    )
    assert (
        overloaded == ("always on, overloaded" in heading) == said.startswith("Overloaded  duty 1,")
    )
    assert f"20 frames at {rate // 1000} kHz ({show(20 / rate, 's')})" in heading
    assert outcome.result.seconds > 20 / rate or not overloaded


# value, how it is shown
NUMBERS = [
    (0, "0"),
    (1e-9, "<0.001"),
    (0.25, "0.25"),
    (999.4, "999.4"),
    (999.9, "1,000"),
    (70040.0, "70,040"),
]
SHARES = [
    (1e-7, "<0.001 %"),
    (1e-5, "0.001 %"),
    (0.5, "50.000 %"),
    (1 - 1e-9, ">99.999 %"),
    (1, "100.000 %"),
]
LASTING = [
    (None, "-"),
    (1800.0, "0.5 hours"),
    (2 * 86400 - 1.0, "48 hours"),
    (2 * 86400.0, "2 days"),
    (1e9, "11,574 days"),
]


@pytest.mark.parametrize(
    "form, value, shown",
    [
        (form, *row)
        for form, rows in (("_number", NUMBERS), ("_percent", SHARES), ("_lasting", LASTING))
        for row in rows
    ],
)
def test_numbers_are_for_reading(form: str, value: float | None, shown: str) -> None:
    assert shown == getattr(report, form)(value)


def test_the_table_has_no_exponents(mlp) -> None:
    printed = _printed(mlp, 2376.0)
    assert next(line for line in printed if " policy " in line).startswith("frames with a signal ")
    assert not re.findall(r"[0-9]e[+-][0-9]", "\n".join(printed))
    assert any("hours" in line for line in printed) and any("days" in line for line in printed)


def test_the_summary_is_the_study(mlp) -> None:
    found = report.summary(mlp, battery=2376.0)
    assert [outcome.power for outcome in mlp] == [point["power_w"] for point in found["points"]]
    for point in found["points"]:
        assert point["battery_s"] == pytest.approx(2376.0 / point["power_w"], rel=1e-12, abs=0)
        assert point["ideal"]["power_w"] + sum(point["difference_w"].values()) == pytest.approx(
            point["power_w"], rel=1e-9
        )


def test_the_picture_is_drawn(mlp, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    report.draw(mlp, tmp_path / "power.png")
    assert (tmp_path / "power.png").read_bytes()[:4] == b"\x89PNG"


def test_without_matplotlib_the_picture_is_refused_before_the_study(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", ["spikemesh", "always-on"])
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr("simulator.study.always_on.always_on", lambda *_, **__: pytest.fail("ran"))
    options = ["--frame-rate", "10Hz", "--duty", "0.1", "--plot", str(tmp_path / "p.png")]
    with pytest.raises(SpikemeshError, match=r"pip install -e '\.\[plot\]'"):
        cli.main(["always-on", "digits-mlp", *options], standalone_mode=False)


def test_the_page_holds_every_key_of_the_summary(mlp) -> None:
    found = report.summary(mlp)
    keys = {key for key in found if key != "points"} | {
        f"points[].{key}" for key in found["points"][0]
    }
    page = (Path(__file__).parents[2] / "docs" / "always-on.md").read_text()
    rows = [
        row for row in page[page.index("## summary.json") :].splitlines() if row.startswith("| `")
    ]
    assert keys == {name for row in rows for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])}


def test_the_page_names_every_term(mlp) -> None:
    page = (Path(__file__).parents[2] / "docs" / "always-on.md").read_text()
    assert not [why.name for why in mlp[0].why() if f"| {why.name} |" not in page]


# options, what is said
WRITTEN = [
    (["--frame-rate", "10", "--duty", "0.1"], "--frame-rate: must be a frequency with its unit"),
    (
        ["--frame-rate", "10Hz", "--duty", "0.1", "--battery", "660 mW"],
        "--battery: must be an energy",
    ),
    (
        ["--frame-rate", "10Hz", "--duty", "0.1", "--battery", "-1J"],
        "--battery: must be more than 0 J, not '-1J'",
    ),
    (
        ["--frame-rate", "10Hz", "--duty", "0.1", "--battery", "0 J"],
        "--battery: must be more than 0 J, not '0 J'",
    ),
    (["--frame-rate", "1e-9Hz", "--duty", "0.5"], "--frame-rate: must be at least 500 µHz"),
    (["--frame-rate", "1e30Hz", "--duty", "0.5"], "--frame-rate: must be at most 500 MHz"),
    (["--frame-rate", "10Hz", "--duty", "2"], "--duty: must be a share from 0 to 1"),
    (["--frame-rate", "10Hz", "--duty", "1e-999999999"], "--duty: must be a share"),
    (
        ["--frame-rate", "10Hz", "--duty", "0.1;0.2"],
        "--duty: must be a share from 0 to 1 such as 0.001 or 1/1000, or several separated by "
        "commas, not '0.1;0.2'",
    ),
    (["--frame-rate", "10Hz", "--duty", "1/0"], "--duty: must be a share"),
    (
        ["--frame-rate", "10Hz", "--duty", "0.1", "--corner", "cold"],
        "--corner: must be one of nominal",
    ),
]


@pytest.mark.parametrize(
    "options, why", WRITTEN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_command_says_what_is_wrong_with_an_option(
    options: list[str], why: str, monkeypatch
) -> None:
    monkeypatch.setattr("sys.argv", ["spikemesh", "always-on"])
    with pytest.raises(InputError) as error:
        cli.main(["always-on", "digits-mlp", *options], standalone_mode=False)
    assert str(error.value).startswith(why)


# period in ns, frames: limits are allowed, and a millionth beyond them is not
@pytest.mark.parametrize("period, frames", [("2", 1000), ("1.3", 7), ("0.7", 123_457)])
def test_a_rate_is_refused_beyond_what_the_message_says(period: str, frames: int) -> None:
    seconds = Fraction(period) / 10**9
    least, most = Fraction(frames, MOST_CYCLES) / seconds, 1 / seconds
    for limit, beyond in ((least, 1 - Fraction(1, 10**6)), (most, 1 + Fraction(1, 10**6))):
        refuse_rate(limit, frames, seconds)
        with pytest.raises(InputError) as error:
            refuse_rate(limit * beyond, frames, seconds)
        said = re.search(r"at (?:least|most) ([^,]+),", str(error.value)).group(1)
        refuse_rate(exact(said, "frequency"), frames, seconds)
        assert float(exact(said, "frequency")) == pytest.approx(float(limit), rel=1e-3)


def test_the_longest_stream_is_counted_to_its_last_cycle() -> None:
    (outcome,) = always_on(
        "digits-mlp", "generic-22nm", Fraction(1, 2000), [Fraction(1, 1000)], ["never"]
    )
    assert (
        MOST_CYCLES == outcome.result.record.cycles == outcome.result.record.state_cycles[0].sum()
    )
    assert outcome.ideal_power == pytest.approx(outcome.power, rel=1e-9, abs=0)


def test_the_command_writes_what_it_prints(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", ["spikemesh", "always-on"])
    options = [
        "--frame-rate",
        "1kHz",
        "--duty",
        "0.05",
        "--frames",
        "20",
        "--policy",
        "gate",
        "-o",
        str(tmp_path),
    ]
    cli.main(["always-on", "digits-mlp", *options, "--mode", "qnn"], standalone_mode=False)
    written = json.loads((tmp_path / "summary.json").read_text())
    assert 1 == len(written["points"]) and "qnn" == written["mode"]
    assert show(written["points"][0]["power_w"], "W") in capsys.readouterr().out


def test_the_manifest_says_how_to_run_the_study_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", ["spikemesh", "always-on"])
    mine = tmp_path / "mine.yaml"
    mine.write_bytes(library.find("chip", "generic-22nm").read_bytes() + b"\n# mine\n")
    asked = {
        "policy": "gate",
        "duty": ["1/10", "3/10"],
        "frames": 10,
        "burst": "bursty",
        "background": 0.01,
        "seed": 7,
        "frame_rate": "1kHz",
        "battery": "1J",
        "set": ["gating.gate_after=50 cycles"],
    }

    def study(folder: str, **options: object) -> tuple[str, dict]:
        written = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        settings = [f"--set={setting}" for setting in asked["set"]]
        place = tmp_path / folder
        cli.main(
            ["always-on", "digits-mlp", f"--chip={mine}", *written, *settings, "-o", str(place)],
            standalone_mode=False,
        )
        return (place / "summary.json").read_text(), json.loads(
            (place / "manifest.json").read_text()
        )

    given = asked | {"duty": "0.1,0.3"}
    given.pop("set")
    first, manifest = study("first", **given)
    assert asked == {name: manifest["options"].get(name, manifest["set"]) for name in asked}
    assert 7 == manifest["seed"] and asked["set"] == manifest["set"]
    assert "limit" not in manifest and -1 != manifest["chip"]["gating"]["gate_after"]
    assert {
        "file": "mine.yaml",
        "sha256": hashlib.sha256(mine.read_bytes()).hexdigest(),
    } == manifest["inputs"][-1]
    again = {name: value for name, value in manifest["options"].items() if name in given}
    assert (first, manifest) == study("again", **again | {"duty": ",".join(again["duty"])})
    other, _ = study("other", **given | {"seed": 8})
    assert other != first
