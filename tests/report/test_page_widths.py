"""What every verb prints, on pages of 60 to 140 columns: no digit and no unit of the widest page is
missing on the narrowest.
"""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from rich.cells import cell_len

from simulator.commands.verbs import VERBS, cli
from simulator.errors import CheckError
from simulator.report import terminal
from simulator.report.html import html

WIDTHS = (60, 80, 100, 140)
NETWORK = Path(__file__).resolve().parents[1] / "importers" / "data" / "snntorch-loop.nir"
#: what each verb is asked; several where it prints several kinds of report
ASKED = [
    "twin digits-mlp --limit 2 --draws 20",
    "run digits-cnn --mode qnn --limit 1 --draws 20",
    "agree digits-mlp --limit 1",
    "noc --mesh 4x4 --traffic uniform --rate 0.1,0.5 --cycles 400",
    "noc --mesh 4x4 --traffic uniform --rate 0.01 --multicast 3 --cycles 200",
    "noc trace.csv --mesh 4x4 --energy 22nm --clock 500MHz",
    "analytic",
    "analytic --published",
    "analytic --constants",
    pytest.param(
        "validate mlp-8-2 --timesteps 2 --limit 1 --density average", marks=pytest.mark.slow
    ),
    "validate digits-mlp --limit 1 --terms-only",
    "crossover mlp-8-2 --timesteps 2 --density average --chip yan-2024 --resolution 0.05 "
    "--chip-set packet.axon=0bit,12bit",
    "timesteps digits-mlp --timesteps 1,16 --limit 2",
    "coding digits-mlp --timesteps 4 --limit 2",
    "budget digits-mlp --budget 32 --weight-bits 4,8 --spike-bits 1,4 --limit 2",
    "always-on digits-mlp --frame-rate 10Hz --duty 0.001,0.1 --battery 660mWh --frames 1000",
    "import net.nir -o imported --timesteps 8",
    "sweep study.yaml -o swept --jobs 1",
    "explain digits-mlp --limit 1",
    "compare a b",
    "map digits-mlp --chip generic-22nm -o planned",
    "chips",
    "chips --check odin",
    "workloads",
]
STUDY = """\
schema_version: 1
name: widths
question: which is best?
workloads: [digits-mlp]
limit: 1
axes:
  core.synapse.lanes: [1, 8]
  core.memory.synapses: [64 KiB, 8 bit]
objectives: {energy_j.per_inference: minimise, latency_cycles.mean: minimise}
"""
NUMBER = re.compile(r"(?<![\w.])[+-]?\d[\d,]*(?:\.\d+)?(?: ?(?:%|[fpnµmkMGT]?(?:J|W|s|Hz)\b))?")
#: these print plain lines or another program's words
PLAIN = {"bench", "check", "schema"}


def test_every_verb_is_asked():
    assert set(VERBS) - PLAIN == {asked.split()[0] for asked in ASKED if isinstance(asked, str)}


@pytest.fixture(scope="module", params=ASKED)
def blocks(request, tmp_path_factory):
    """Return what a verb shows."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "trace.csv").write_text("cycle,src,dst,size\n0,0,10,4\n0,2,10,4\n40,15,0,2\n")
    (folder / "study.yaml").write_text(STUDY)
    shutil.copyfile(NETWORK, folder / "net.nir")
    for name, energy in (("a", 1.5e-9), ("b", 3.25e-9)):
        (folder / name).mkdir()
        (folder / name / "manifest.json").write_text(json.dumps({"set": [f"x={name}"]}))
        (folder / name / "summary.json").write_text(
            json.dumps({"energy_j": energy, "cycles": 12345})
        )
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(terminal, "show", shown.extend)
        patch.setattr("sys.argv", ["spikemesh", *request.param.split()])
        try:
            cli.main(request.param.split(), standalone_mode=False)
        except CheckError:  # what does not hold is shown too
            pass
    assert shown
    return shown


@pytest.mark.parametrize("width", WIDTHS)
def test_a_narrow_page_says_what_the_widest_says(blocks, width):
    wide, narrow = terminal.text(blocks, 10_000), terminal.text(blocks, width)
    assert "…" not in narrow
    assert [] == [line for line in narrow.splitlines() if cell_len(line) > width]
    missing = Counter(NUMBER.findall(wide)) - Counter(NUMBER.findall(narrow))
    assert not missing


def test_html_says_it_too(blocks):
    wide, page = terminal.text(blocks, 10_000), re.sub(r"<[^>]*>", "  ", html(blocks))
    assert not Counter(NUMBER.findall(wide)) - Counter(NUMBER.findall(page))


# environment, what the console is, columns of the page
PAGES = [
    ({}, None, 140),
    ({"COLUMNS": "80"}, None, 80),
    ({"COLUMNS": "5"}, None, 40),
    ({"COLUMNS": "0"}, None, 140),
    ({"COLUMNS": "wide"}, None, 140),
    ({}, 97, 97),
    ({}, 10, 40),
]


@pytest.mark.parametrize(("environment", "columns", "expected"), PAGES)
def test_a_page_is_as_wide_as_its_terminal(environment, columns, expected, monkeypatch):
    from rich.console import Console

    monkeypatch.delenv("COLUMNS", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    console = Console(width=columns, force_terminal=columns is not None)
    assert expected == terminal.page_width(console)
