"""Prints what `mapping.encoding: auto` costs beside every single encoding, as a table.

    python examples/encodings.py NETWORK...

Energy is of the whole run, in which every way of sending uses the same cores.  vgg16-cifar takes a
chip of 20 x 20 cores.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from simulator import Chip, Workload, run
from simulator.errors import SpikemeshError
from simulator.study.pipeline import prepare
from simulator.units import show

KEY = {"snn": "packet.spikes", "qnn": "packet.activations"}
SINGLE = {"snn": ("events", "bitmap"), "qnn": ("events", "bitmap", "dense")}
#: inferences; of keyword-stream these are frames
LIMIT = {"vgg16-cifar": 1, "shd-like": 1, "keyword-stream": 48}
LARGE = ("mesh.width=20", "mesh.height=20")


def energies(name: str, mode: str) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the joules of a twin by way of sending, `auto` last, and what auto chose."""
    more = LARGE if name == "vgg16-cifar" else ()
    loaded, limit = Workload.load(name), LIMIT.get(name, 2)
    mapping = prepare(loaded, Chip.load("generic-22nm", more)).mapping
    names = [population.name for population in loaded.network.populations]
    placement = {names[number]: mapping.core_of[number] for number in loaded.network.computed}
    placed = replace(loaded, placement=placement)
    found = {}
    for single in SINGLE[mode]:
        chip = Chip.load("generic-22nm", (*more, f"{KEY[mode]}={single}"))
        found[single] = run(placed, chip, mode, limit=limit).ledger.total
    chip = Chip.load("generic-22nm", more)
    auto = run(replace(placed, encoding="auto"), chip, mode, limit=limit)
    return found | {"auto": auto.ledger.total}, auto.schedule.encoding


def main(*networks: str) -> None:
    """Print a row per network and twin."""
    print("| network | twin | events | bitmap | dense | auto | what auto sends |")
    print("|---|---|---|---|---|---|---|")
    for network in networks:
        for mode in KEY:
            try:
                found, chosen = energies(network, mode)
            except SpikemeshError:  # no quantised twin
                continue
            cells = [
                show(found[way], "J") if way in found else "–" for way in (*SINGLE["qnn"], "auto")
            ]
            mixed = sorted(set(chosen[1:-1]), key=chosen.index)
            print("|", " | ".join([network, mode, *cells, ", ".join(mixed)]), "|", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
