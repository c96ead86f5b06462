"""Prints what tokens between cores save against two barriers, on five networks, as a table.

    python examples/tokens.py [INFERENCES] [overlap]

Time is that of an inference alone, or with `overlap` from one inference's end to the next one's;
energy is per inference. The last row is the geometric mean of the ratios.
"""

from __future__ import annotations

import sys
from math import prod

from simulator import Chip, run
from simulator.units import show

NETWORKS = ("digits-mlp", "digits-cnn", "digits-residual", "digits-recurrent", "keyword-stream")
#: Loihi 1's barrier on the same chip: 113 ns with one tile and 832 with 64, in cycles of 2 ns
LOIHI = ("barrier.tree=null", "barrier.points=[[1, 57], [64, 416]]")
TOKENS = ("step.synchronisation=tokens",)
#: an inference of keyword-stream is a frame of an utterance
FRAMES = 24
WAYS = {
    "Loihi's barrier": LOIHI,
    "tree of gates": (),
    "tokens, 2 planes": TOKENS,
    "tokens, 4 planes": (*TOKENS, "step.planes=4"),
}
#: ways compared, the second with the first as its measure
PAIRS = (
    ("tree of gates", "tokens, 2 planes"),
    ("tree of gates", "tokens, 4 planes"),
    ("Loihi's barrier", "tokens, 2 planes"),
)


def measured(network: str, changes: tuple[str, ...], limit: int, overlap: bool):
    """Return seconds and joules of an inference."""
    chip = Chip.load("generic-22nm", changes)
    limit *= FRAMES if network == "keyword-stream" else 1
    result = run(network, chip, "snn", limit=limit, overlap=overlap)
    seconds = result.latency_cycles.mean() * chip.period
    if overlap:
        seconds = 1 / result.throughput
    return float(seconds), result.ledger.total / result.finished


def row(*cells: str) -> None:
    """Print a row of the table."""
    print("|", " | ".join(cells), "|", flush=True)


def main(inferences: str = "2", mode: str = "latency") -> None:
    """Run every network in every way."""
    against = [f"{tokens} against {barrier}: faster, less energy" for barrier, tokens in PAIRS]
    row("network", *WAYS, *against)
    row(*["---"] * (1 + len(WAYS) + len(PAIRS)))
    faster: dict[tuple[str, str], list[tuple[float, float]]] = {pair: [] for pair in PAIRS}
    for network in NETWORKS:
        found = {
            name: measured(network, changes, int(inferences), mode == "overlap")
            for name, changes in WAYS.items()
        }
        for barrier, tokens in PAIRS:
            ratios = zip(found[barrier], found[tokens])
            faster[barrier, tokens].append(tuple(old / new for old, new in ratios))
        spent = [f"{show(time, 's')}, {show(energy, 'J')}" for time, energy in found.values()]
        row(network, *spent, *(f"{t:.2f}, {e:.2f}" for t, e in (faster[p][-1] for p in PAIRS)))
    means = [[prod(column) ** (1 / len(NETWORKS)) for column in zip(*faster[p])] for p in PAIRS]
    row("mean", *[""] * len(WAYS), *(f"{time:.2f}, {energy:.2f}" for time, energy in means))


if __name__ == "__main__":
    main(*sys.argv[1:3])
