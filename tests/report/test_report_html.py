"""report.html: one file that needs nothing else, says what summary.json says, and runs in a
browser.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from simulator.commands.verbs import cli
from simulator.units import show

#: what each verb is asked that writes a page
ASKED = {
    "run": "run digits-cnn --mode qnn --limit 1",
    "twin": "twin digits-mlp --limit 3",
    "always-on": "always-on digits-mlp --frame-rate 10Hz --duty 0.001,0.1 --frames 1000",
    "crossover": "crossover mlp-8-2 --timesteps 2,3 --resolution 0.05",
    "validate": "validate digits-mlp --limit 1 --terms-only",
    "sweep": "sweep study.yaml",
    "explain": "explain digits-mlp --limit 1",
    "noc": "noc trace.csv --mesh 4x4",
    "curve": "noc --mesh 4x4 --traffic uniform --rate 0.1,0.5 --cycles 400",
    "multicast": "noc --mesh 4x4 --traffic uniform --rate 0.01 --multicast 3 --cycles 200",
}
STUDY = """\
schema_version: 1
name: visits
question: how long may a visit take?
workloads: [digits-mlp]
limit: 1
axes:
  core.soma.visit: [1 cycle, 2 cycles, 3 cycles]
  core.synapse.lanes: [4, 8]
objectives: {energy_j.per_inference: minimise, latency_cycles.mean: minimise}
"""
VOID = {"meta", "link", "br", "hr", "input"}


class Elements(HTMLParser):
    """Reads a page and notes what is open, what is loaded and what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        self.loaded += [value for name, value in attributes if name in ("src", "href", "data")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.said.append(data)


@pytest.fixture(scope="module", params=list(ASKED))
def folder(request, tmp_path_factory) -> Path:
    """Return the folder of results of a verb."""
    place = tmp_path_factory.mktemp("page")
    (place / "trace.csv").write_text("cycle,src,dst,size\n0,0,10,4\n0,2,10,4\n40,15,0,2\n")
    (place / "study.yaml").write_text(STUDY)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        _asked(ASKED[request.param], "out", patch)
    return place / "out"


def _asked(command: str, out: str, patch: pytest.MonkeyPatch) -> None:
    """Run a verb as the command line does."""
    arguments = [*command.split(), "-o", out]
    patch.setattr("sys.argv", ["spikemesh", *arguments])
    cli.main(arguments, standalone_mode=False)


def read(folder: Path) -> Elements:
    found = Elements()
    found.feed((folder / "report.html").read_text())
    assert [] == found.open
    return found


def test_a_page_is_whole_and_loads_nothing(folder: Path) -> None:
    found, text = read(folder), (folder / "report.html").read_text()
    assert ["data:,"] == found.loaded
    assert {"http://www.w3.org/2000/svg"} >= set(re.findall(r"https?://[^\"'\s<)]+", text))
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", text)
    assert len(text) < 5_000_000


@pytest.mark.parametrize("name", ["run", "twin"])
def test_numbers_of_a_page_are_those_of_the_summary(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _asked(ASKED[name], str(tmp_path / "out"), monkeypatch)
    said = " ".join(read(tmp_path / "out").said)
    parts = [tmp_path / "out"] if name == "run" else [tmp_path / "out" / m for m in ("snn", "qnn")]
    for part in parts:
        summary = json.loads((part / "summary.json").read_text())
        energy = summary["energy_j"]
        n = summary["inferences"]
        assert show(energy["per_inference"], "J") in said
        for joules in energy["by_component"].values():
            assert not joules or show(joules / n, "J") in said
        for population in summary["populations"]:
            assert population["name"] in said
        assert f"{summary['neurobench']['footprint_bytes']:,} bytes" in said
        assert f"{summary['latency_cycles']['max']:,} cycles" in said


def numbers_of(folder: Path) -> list[str]:
    """Return numbers of a verb's table of results as its page has to show them."""
    if (folder / "explain.json").exists():
        found = json.loads((folder / "explain.json").read_text())
        speed_ups = [one["speed_up"] for one in found["relaxations"] if one["speed_up"]]
        return [f"{found['cycles']:,} cycles", *(f"{speed_up:.3f}" for speed_up in speed_ups)]
    if (folder / "pareto.csv").exists():
        rows = list(csv.DictReader((folder / "points.csv").read_text().splitlines()))
        return [show(float(row["energy_j.per_inference"]), "J") for row in rows]
    summary = json.loads((folder / "summary.json").read_text())
    if "findings" in summary:
        rates = [one.get(f"latency_rate_{n}") for one in summary["findings"] for n in (1, 2, 3)]
        return [f"{one['energy_ratio_at_zero']:.3f}" for one in summary["findings"]] + [
            f"{rate:.2%}" for rate in rates if rate is not None
        ]
    if "frame_rate_hz" in summary:
        return [show(point["power_w"], "W") for point in summary["points"]]
    if "traffic_cycles" in summary and "points" in summary:
        return [f"{point['latency_mean_cycles']:.2f}" for point in summary["points"]]
    if "flit_hops" in summary:
        return [f"{summary['flit_hops']:,}", f"mean {summary['latency_cycles']['mean']:.2f}"]
    return []


def test_numbers_of_every_page_are_those_of_its_tables(folder: Path) -> None:
    said = " ".join(read(folder).said)
    assert [] == [number for number in numbers_of(folder) if number not in said]


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --enable-logging=stderr "
    "--host-resolver-rules=MAP\\ *\\ ~NOTFOUND --virtual-time-budget=2000 --dump-dom"
).replace("\\ ", "\0").split()  # fmt: skip


def opened(page: Path, profile: Path) -> subprocess.CompletedProcess[str]:
    """Return what a browser says of a page: its document on stdout, complaints on stderr."""
    options = [option.replace("\0", " ") for option in QUIET]
    return subprocess.run(
        [str(BROWSER), *options, f"--user-data-dir={profile}", f"file://{page}"],
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium, which .ci/run installs")
@pytest.mark.parametrize("width", [1280, 400])
def test_a_page_is_no_wider_than_its_screen(width: int, folder: Path, tmp_path: Path) -> None:
    text = escape((folder / "report.html").read_text())
    measure = "document.title = this.contentDocument.documentElement.scrollWidth"
    frame = f'<iframe style="border:0;width:{width}px" onload="{measure}" srcdoc="{text}"></iframe>'
    (tmp_path / "frame.html").write_text(f"<!DOCTYPE html><meta charset=utf-8>{frame}")
    found = opened(tmp_path / "frame.html", tmp_path / "profile")
    (measured,) = re.findall(r"<title>(\d+)</title>", found.stdout)
    assert width >= int(measured)


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium, which .ci/run installs")
def test_a_browser_has_nothing_to_complain_about(folder: Path, tmp_path: Path) -> None:
    found = opened(folder / "report.html", tmp_path)
    assert [] == [line for line in found.stderr.splitlines() if "CONSOLE" in line]
    assert "</html>" in found.stdout
    text = (folder / "report.html").read_text()
    if 'class="controls"' in text:  # the script has put them there
        assert text.count('class="controls"') * 2 <= found.stdout.count("<select>")


def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    from simulator.describe.workload import Workload
    from simulator.report.run_page import run_page
    from simulator.study.simulation import run

    name = "</script><script>alert(1)</script>"
    workload = Workload.load("digits-mlp", {"layers.0.name": name})
    text = run_page(run(workload, mode="snn", limit=1))
    assert "alert(1)</script>" not in text and "<script>alert" not in text
    (tmp_path / "report.html").write_text(text)
    assert name in " ".join(read(tmp_path).said)
