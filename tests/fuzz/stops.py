"""`make fuzz-stop N=100`: Ctrl-C and kill -9 at random moments of every verb.

A Ctrl-C ends in exit 130 with one line and nothing under the final name, or with a result that says
that it is partial, or comes too late and the result is the identical one.  A kill -9 leaves nothing
under the final name, or the whole.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NETWORK = ROOT / "tests" / "importers" / "data" / "snntorch-loop.nir"
TRACE = "cycle,src,dst,size\n" + "".join(f"{n},{n % 16},{n * 7 % 16},2\n" for n in range(20_000))
STUDY = """\
schema_version: 1
name: lanes
question: does a stopped sweep hold finished points alone?
workloads: [digits-mlp]
limit: 2
axes: {core.synapse.lanes: [2, 8]}
objectives: {energy_j.per_inference: minimise}
"""
#: what is made before a verb that reads results is asked
EARLIER = {
    "one": ["run", "digits-mlp", "--mode", "snn", "--limit", "2", "-o", "one"],
    "two": ["run", "digits-mlp", "--mode", "qnn", "--limit", "2", "-o", "two"],
}
#: verb -> what it is asked, and what it writes
VERBS = {
    "run": (["run", "digits-mlp", "--mode", "snn", "--limit", "20", "-o", "out"], "out"),
    "twin": (["twin", "digits-mlp", "--limit", "20", "-o", "out"], "out"),
    "import": (["import", str(NETWORK), "--dt", "1e-4", "-o", "out"], "out"),
    "agree": (["agree", "digits-mlp", "--limit", "1", "--timesteps", "1"], None),
    "noc": (["noc", "t.csv", "--mesh", "4x4", "--grants", "-o", "out"], "out"),
    "curve": (
        ["noc", "--mesh", "4x4", "--traffic", "uniform", "--rate", "0.1,0.2", "-o", "out"],
        "out",
    ),
    "analytic": (["analytic", "--published"], None),
    "validate": (["validate", "mlp-4-4", "--density", "0.5", "--limit", "1", "-o", "out"], "out"),
    "crossover": (
        ["crossover", "mlp-8-4", "--resolution", "0.05", "--limit", "1", "-o", "out"],
        "out",
    ),
    "always-on": (
        ["always-on", "digits-mlp", "--frame-rate", "10Hz", "--duty", "0.1", "--frames", "100",
         "-o", "out"],
        "out",
    ),
    "timesteps": (
        ["timesteps", "digits-mlp", "--timesteps", "1,2", "--limit", "5", "-o", "out"], "out",
    ),
    "coding": (["coding", "digits-mlp", "--timesteps", "2", "--limit", "5", "-o", "out"], "out"),
    "budget": (["budget", "digits-mlp", "--budget", "8", "--limit", "2", "-o", "out"], "out"),
    "explain": (["explain", "digits-mlp", "--limit", "2", "-o", "out"], "out"),
    "map": (["map", "digits-cnn", "--chip", "generic-22nm", "-o", "out"], "out"),
    "sweep": (["sweep", "study.yaml", "-o", "out", "--jobs", "2"], "out"),
    "bench": (["bench", "--quick", "--only", "kernels", "-o", "out"], "out"),
    "compare": (["compare", "one", "two"], None),
    "chips": (["chips"], None),
    "workloads": (["workloads"], None),
    "check": (["check", "generic-22nm", "digits-mlp"], None),
    "schema": (["schema", "chip"], None),
}  # fmt: skip
#: what measures times has another result each time: what is measured is kept, by name
MEASURED = {"bench"}
#: the command line as its script begins it; it says so, through a pipe whose number comes first
BEGIN = """\
import os, signal, sys
from simulator import __main__
begun = int(sys.argv.pop(1))
sys.argv[0] = "spikemesh"
signal.signal(signal.SIGINT, __main__._stop_at_once)
os.write(begun, b".")
os.close(begun)
__main__.main()
"""


@dataclass
class End:
    """How a process ended: exit code, output, errors, what stands under the final name, what is
    left beside it, and seconds.
    """

    code: int
    out: str
    errors: str
    written: dict[str, bytes] | None
    left: list[str]
    seconds: float = 0.0

    @property
    def is_marked(self) -> bool:
        """Whether what is written says that it is not the whole."""
        written = self.written or {}
        says = [data for name, data in written.items() if name.endswith("summary.json")]
        return bool(says) and all(b'"complete": false' in data for data in says)

    def is_part_of(self, whole: End) -> bool:
        """Whether it is a sweep's folder that says so, with points that are those of the whole."""
        here, there = self.written or {}, whole.written or {}
        points = [name for name in here if name.startswith("points/")]
        return b'"complete": false' in here.get("manifest.json", b"") and all(
            here[name] == there.get(name) for name in points if name.endswith("/summary.json")
        )

    def same_as(self, whole: End) -> bool:
        """Whether it is the same result; a manifest also says when it was made."""
        return (self.out, _contents(self.written)) == (whole.out, _contents(whole.written))


def _contents(written: dict[str, bytes] | None) -> dict[str, bytes] | None:
    if written is None:
        return None
    other = ("manifest.json", "points.parquet")  # points.csv, with seconds, in binary
    kept = {name: data for name, data in written.items() if not name.endswith(other)}
    for name in kept.keys() & {"points.csv", "pareto.csv"}:  # their last column is seconds
        kept[name] = b"\n".join(line.rpartition(b",")[0] for line in kept[name].splitlines())
    return kept


@cache
def earlier(name: str) -> Path:
    """Return a folder of results that a verb is asked about."""
    place = Path(tempfile.mkdtemp()) / name
    command = [sys.executable, "-m", "simulator", *EARLIER[name]]
    made = subprocess.run(command, cwd=place.parent, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert made.returncode == 0, made.stderr
    return place


def ended(verb: str, moment: float | None = None, stop: int = signal.SIGINT) -> End:
    """Run a verb's command in a folder of its own, stop it so many seconds after it has begun, and
    return how it ended.
    """
    arguments, name = VERBS[verb]
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / "t.csv").write_text(TRACE)
        (folder / "study.yaml").write_text(STUDY)
        for argument in arguments:
            if argument in EARLIER:
                shutil.copytree(earlier(argument), folder / argument)
        begun, begins = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-c", BEGIN, str(begins), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}, pass_fds=[begins],
        )  # fmt: skip
        os.close(begins)
        os.read(begun, 1)
        os.close(begun)
        began = time.monotonic()
        if moment is not None:
            time.sleep(moment)
            process.send_signal(stop)
        out, errors = process.communicate(timeout=600)
        written = None
        final = folder / (name or "nothing is written")
        if final.is_file():
            written = {"": final.read_bytes()}
        elif final.is_dir():
            written = {
                str(path.relative_to(final)): path.read_bytes()
                for path in sorted(final.rglob("*"))
                if path.is_file()
            }
        given = {"t.csv", "study.yaml", *EARLIER, name}
        left = [path.name for path in folder.iterdir() if path.name not in given]
        lasted = time.monotonic() - began
        end = End(process.returncode, out, errors, written, left, lasted)
        return without_times(end) if verb in MEASURED else end
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def without_times(end: End) -> End:
    """Return the end of a verb that measures, with what it measured in place of the numbers."""
    named = {}
    for name, data in (end.written or {}).items():
        try:
            figures = json.loads(data)["figures"]
            named[name] = " ".join(figure["name"] for figure in figures).encode()
        except (ValueError, KeyError):  # half a file stays what it is
            named[name] = data
    written = None if end.written is None else named
    return replace(end, out=end.out and "measured", written=written)


def wrong(end: End, whole: End, stop: int) -> str:
    """Return what is wrong with an end, nothing if nothing is."""
    if "Traceback" in end.errors:
        return f"a traceback: {end.errors[-300:]}"
    if stop == signal.SIGKILL:
        is_whole = _contents(end.written) == _contents(whole.written)
        if end.written is None or is_whole or end.is_part_of(whole):
            return ""
        return "half a result under the final name"
    if end.code == 0:
        return "" if end.same_as(whole) else "another result"
    if end.code != 130:
        return f"exit code {end.code}: {end.errors[-300:]}"
    if end.left:
        return f"left behind: {end.left}"
    if end.written is None or _contents(end.written) == _contents(whole.written):
        return "" if end.errors.endswith("stopped\n") or end.out else f"said {end.errors!r}"
    if end.is_part_of(whole):
        return ""
    return "" if end.is_marked else "a partial result that does not say so"


def sweep(verb: str, n: int, seed: int, stop: int) -> tuple[int, list[str]]:
    """Return how often a verb was stopped before its end, and what went wrong."""
    ended(verb)  # caches are warm
    whole = ended(verb)
    assert whole.code == 0, whole.errors
    some = random.Random(f"{verb} {seed} {stop}")
    stopped, faults = 0, []
    for _ in range(n):
        moment = some.uniform(0, whole.seconds * 1.05)
        end = ended(verb, moment, stop)
        stopped += end.code != 0
        fault = wrong(end, whole, stop)
        if fault:
            at = f"{moment:.3f} of {whole.seconds:.3f} s"
            faults.append(f"{verb}, signal {stop} after {at}: {fault}")
    return stopped, faults


def main(n: int, seed: int) -> int:
    """Sweep every verb; exit 1 when one did not end well."""
    bad = 0
    for verb, (_, name) in VERBS.items():
        for stop in (signal.SIGINT, signal.SIGKILL) if name else (signal.SIGINT,):
            stopped, faults = sweep(verb, n, seed, stop)
            bad += len(faults)
            print(json.dumps({"verb": verb, "signal": int(stop), "moments": n, "stopped": stopped,
                              "wrong": faults}), flush=True)  # fmt: skip
    return 1 if bad else 0


if __name__ == "__main__":
    chosen = [int(text) for text in sys.argv[1:3]]
    sys.exit(main(*[*chosen, *(20, 0)[len(chosen) :]]))
