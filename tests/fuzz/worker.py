"""A process that runs one hostile input after another through the command line and says how each
ended.

It reads questions, a line of JSON each, and answers each with one.  Every ledger and record that a
run makes on the way is checked: energies by place, layer and step add up, the cycles of a unit add
up to the run, what was sent was received.
"""

from __future__ import annotations

import io
import json
import os
import re
import resource
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from inputs import Input, hostile

#: a refusal's line: what, then what is wrong with it
LINE = re.compile(r"[^\s:].*: \S.*|and [0-9,]+ more faults", re.DOTALL)
MOST_LINES, MOST_LINE = 60, 2000
#: address space of the process, more than what it may hold
MOST_ADDRESSES = 12 << 30


def checked(name: str, holds: Any) -> None:
    """Raise AssertionError that names the law unless it holds."""
    if not bool(np.all(holds)):
        raise AssertionError(f"law: {name}")


def check_record(record: Any) -> None:
    """Check what every record owes, whatever was run."""
    checked("counters are counts", record.counters >= 0)
    checked("cycles of a unit", record.unit_cycles.sum(axis=2) == record.cycles)
    checked("cycles of a core", record.state_cycles.sum(axis=1) == record.cycles)
    checked("cycles of a router", record.router_state_cycles.sum(axis=1) == record.cycles)
    checked("no count is negative", record.unit_cycles >= 0)
    checked("steps", record.counters.sum(axis=0) == record.step_counters.sum(axis=0))


def watch() -> None:
    """Let every ledger be checked as it is made, and every trace when it has run."""
    from simulator.account import energy
    from simulator.describe import documents
    from simulator.errors import CheckError
    from simulator.study import curve, noc

    account, run_trace = energy.account, noc.run_trace
    # the same text is the same tree: what is shipped is composed once
    documents._compose = lru_cache(maxsize=64)(documents._compose)

    def accounted(*arguments: Any, **named: Any) -> Any:
        try:
            ledger = account(*arguments, **named)
        except CheckError as error:
            # a chip that cannot be added up says so, and one that has no price for a width
            checked(str(error), "all-in" in str(error) or "by_bits: must hold" in str(error))
            raise
        record = next(one for one in (*arguments, *named.values()) if hasattr(one, "unit_cycles"))
        exec(os.environ.get("SPIKEMESH_FUZZ_BREAK", ""))  # the tests break what is made
        check_record(record)
        try:
            replace(ledger).check()  # a new one: its joules are added up again
        except CheckError as error:
            checked(str(error), False)
        checked("energies are finite", np.isfinite(ledger.by_place))
        checked("energies are not negative", ledger.by_place >= 0)
        return ledger

    def ran(*arguments: Any, **named: Any) -> Any:
        result = run_trace(*arguments, **named)
        arrived = sum(part.n for part in result.latency)
        checked("every packet arrives once", arrived == result.packets)
        checked("flits leave once", result.record.link_flits[:, 4:].sum() == result.flits)
        return result

    energy.account = accounted
    noc.run_trace = curve.run_trace = ran


def end(arguments: list[str]) -> tuple[int, str, str]:
    """Run a command line here; return exit code, output and errors."""
    from simulator.commands import verbs

    sys.argv = ["spikemesh", *arguments]
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, errors = io.StringIO(), io.StringIO()
    try:
        return verbs._run([]), out.getvalue(), errors.getvalue()
    finally:
        sys.stdout, sys.stderr = streams


def judged(code: int, out: str, errors: str) -> str:
    """Return what is wrong with how a command ended, nothing if nothing is."""
    lines = errors.splitlines()
    if code == 0:
        return "" if out.strip() else "no output"
    if code not in (1, 2):
        return f"exit code {code}"
    if not lines or len(lines) > MOST_LINES:
        return f"{len(lines)} lines of errors"
    if "Traceback" in errors:
        return "a traceback"
    for line in lines:
        if not LINE.fullmatch(line) or len(line) > MOST_LINE:
            return f"no clear message: {line[:200]!r}"
        if not all(letter.isprintable() for letter in line):
            return f"not printable: {line[:200]!r}"
    return ""


def input_of(asked: dict[str, Any]) -> Input:
    """Return the input that is asked for: of a kind and a seed, or as it is written."""
    if "kind" in asked:
        return hostile(asked["kind"], asked["seed"])
    files = {name: bytes.fromhex(data) for name, data in asked["files"].items()}
    return Input(asked["arguments"], files)


def run(given: Input, folder: Path) -> dict[str, Any]:
    """Run one input in its own folder and return how it ended."""
    for name, data in given.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    os.chdir(folder)
    began = time.perf_counter()
    code, out, errors = -1, "", ""
    try:
        code, out, errors = end(given.arguments)
        wrong = judged(code, out, errors)
    except BaseException:  # whatever it is, it came through everything that should have caught it
        wrong = traceback.format_exc()
    return {
        "code": code,
        "wrong": wrong,
        "seconds": time.perf_counter() - began,
        "said": errors[:300],
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
        "arguments": given.arguments,
    }


def main() -> None:
    """Answer every line until there is no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    answers = os.fdopen(os.dup(1), "w")
    os.environ.setdefault("SPIKEMESH_MEMORY", "1500MiB")
    watch()
    home = Path.cwd()
    for line in sys.stdin:
        asked = json.loads(line)
        with tempfile.TemporaryDirectory() as folder:
            try:
                answer = run(input_of(asked), Path(folder))
            except Exception:  # no fault of what is tried
                answer = {"code": -1, "wrong": f"the fuzzer itself: {traceback.format_exc()}",
                          "seconds": 0.0, "said": "", "memory": 0}  # fmt: skip
            os.chdir(home)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
