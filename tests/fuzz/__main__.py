"""`make fuzz N=100000 SEED=0`: hostile inputs by the thousand; exit 1 when one did not end well."""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock

from inputs import KINDS
from pool import Worker


def main(n: int, seed: int, workers: int) -> int:
    """Run n inputs from a seed on; print each that went wrong, a line now and then, and a sum."""
    began, numbers, lock = time.monotonic(), count(), Lock()
    ends: Counter[str] = Counter()
    wrong, slowest, most = 0, 0.0, 0

    def work(_: int) -> None:
        nonlocal wrong, slowest, most
        worker = Worker()
        while (number := next(numbers)) < n:
            kind = list(KINDS)[number % len(KINDS)]
            worker.ask(kind, seed + number)
            found = worker.answer()
            with lock:
                ends[f"{kind} {found['code']}"] += 1
                slowest, most = max(slowest, found["seconds"]), max(most, found["memory"])
                if found["wrong"]:
                    wrong += 1
                    about = f"{str(found.get('arguments'))[:1000]}\n    {found['said']!r}"
                    print(f"{kind} {seed + number}: {found['wrong']}\n    {about}", flush=True)
                if (number + 1) % 1000 == 0:
                    seconds = time.monotonic() - began
                    print(f"-- {number + 1:,} of {n:,} in {seconds:,.0f} s, {wrong} wrong, slowest "
                          f"{slowest:.1f} s, {most >> 20} MiB", flush=True)  # fmt: skip
        worker.stop()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    print(f"{n:,} inputs in {time.monotonic() - began:,.0f} s: {wrong} wrong; slowest "
          f"{slowest:.1f} s; most {most >> 20} MiB; by kind and exit code: "
          f"{dict(sorted(ends.items()))}")  # fmt: skip
    return 1 if wrong else 0


if __name__ == "__main__":
    chosen = [int(text) for text in sys.argv[1:4]]
    sys.exit(main(*[*chosen, *(10_000, 0, 2)[len(chosen) :]]))
