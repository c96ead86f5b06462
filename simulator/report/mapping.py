"""A mapping for people, and as files: the plan, how full the memories are, what it will cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.account.estimate import Estimate
from simulator.describe import saving
from simulator.describe.documents import dumped
from simulator.describe.mapping_file import ARRAYS, FILE, tree
from simulator.report.blocks import Block, Column, Facts, Paragraph, Title, table, words
from simulator.report.files import provenance
from simulator.report.writing import MANIFEST, Folder
from simulator.study.mapper import Found
from simulator.study.search import Candidate, Simulated
from simulator.study.silent import Look
from simulator.units import show

PLAN = (
    words("population"),
    Column("neurons", form=lambda number: f"{number:,}"),
    Column("slices"),
    words("cut"),
)
MEMORY = (
    words("memory"),
    Column("used of all", form=lambda share: f"{share:.1%}", short="used"),
    Column("fullest core", form=lambda share: f"{share:.1%}", short="fullest"),
)
NEXT = (
    words("plan"),
    Column("cores"),
    Column("energy", form=lambda joules: show(joules, "J")),
    Column("cycles", form=lambda cycles: f"{cycles:,.0f}"),
)
SILENT = (*PLAN[:2], Column("silent", form=lambda number: f"{number:,}"))
#: simulated plans that are shown, the best ones
SHOWN = 6


def mapping_view(found: Found, looked: Look | None = None) -> list[Block]:
    """Return what was found as blocks; looked: which neurons are silent."""
    workload, chip, best = found.workload, found.chip, found.best
    title = Title(
        f"{workload.name} mapped on {chip.name}",
        f"for {found.objective}, effort {found.effort}, seed {found.seed}: "
        f"{found.mapping.n_used} of {chip.n_cores:,} cores",
    )
    populations = workload.network.populations
    rows = [
        (populations[n].name, populations[n].n_neurons, cut.n_tiles, str(cut))
        for n, cut in best.cuts.items()
    ]
    estimate = best.estimate
    held = max(estimate.bound, key=lambda name: estimate.bound[name])
    facts = [
        ("energy", f"{show(estimate.energy_j, 'J')}, {_share(estimate)} of it static"),
        ("latency", _time(found, estimate)),
        ("packets", f"{estimate.packets:,.0f}, {found.hops:.2f} hops each"),
        ("held by", f"{held}, {estimate.bound[held]:.0%} of the cycles"),
    ]
    if found.simulated is not None:
        facts += [("simulated", _simulated(found, found.simulated))]
    blocks: list[Block] = [title, table(PLAN, rows, "Plan")]
    blocks += [table(MEMORY, _memories(found), "Memories of the used cores")]
    if looked is not None:
        blocks += _silent(looked)
    blocks += [Paragraph("of an inference of the spiking twin", "Estimate"), Facts(tuple(facts))]
    if found.search.simulated:
        ran = sorted(found.search.simulated, key=lambda one: one[1].cost(found.objective))
        lines = [(_slices(plan), one.cores, one.energy_j, one.cycles) for plan, one in ran[:SHOWN]]
        blocks.append(table(NEXT, lines, f"Plans simulated, the best of {len(ran)}"))
    if found.others:
        blocks.append(
            table(NEXT, [_row(one) for one in found.others], "Next best plans by the estimate")
        )
    return blocks


def _silent(looked: Look) -> list[Block]:
    """Return which neurons never fired."""
    over = f"over {looked.inferences:,} inferences"
    if not looked.silent:
        return [Paragraph(f"none {over}", "Silent neurons")]
    rows = [(one.name, one.neurons, len(one.silent)) for one in looked.populations]
    said = f"Silent neurons, {over}{', left out' if looked.is_dropped else ''}"
    return [table(SILENT, rows, said)]


def _simulated(found: Found, one: Simulated) -> str:
    """Return what was simulated, and how far the estimate is from it."""
    estimate = found.best.estimate
    joules, cycles = one.energy_j / (estimate.energy_j or 1), one.cycles / (estimate.cycles or 1)
    return (
        f"{show(one.energy_j, 'J')}, {joules:.2f} of the estimate; "
        f"{one.cycles:,.0f} cycles, {cycles:.2f} of it"
    )


def _share(estimate: Estimate) -> str:
    return f"{estimate.static_j / (estimate.energy_j or 1):.0%}"


def _time(found: Found, estimate: Estimate) -> str:
    return f"{show(estimate.cycles * found.chip.period, 's')} ({estimate.cycles:,.0f} cycles)"


def _row(one: Candidate) -> tuple[Any, ...]:
    return _slices(one), one.cores, one.estimate.energy_j, one.estimate.cycles


def _slices(one: Candidate) -> str:
    return " + ".join(str(cut.n_tiles) for cut in one.cuts.values())


def _memories(found: Found) -> list[tuple[str, float, float]]:
    mapping, memory = found.mapping, found.chip.core.memory
    rows = []
    for name, use, room in (
        ("synapses", mapping.synapse_bits, memory.synapses),
        ("neurons", mapping.neuron_bits, memory.neurons),
        ("axons", mapping.axon_bits, memory.axons),
    ):
        shares = use[mapping.is_used] / max(room, 1)
        rows.append((name, float(np.mean(shares)), float(np.max(shares))))
    return rows


def mapping_json(found: Found, looked: Look | None = None) -> dict[str, Any]:
    """Return the content of mapping.json (docs/mapping.md)."""
    populations = found.workload.network.populations
    return {
        "schema_version": 1,
        "workload": found.workload.name,
        "chip": found.chip.name,
        "objective": found.objective,
        "effort": found.effort,
        "seed": found.seed,
        "cores_used": found.mapping.n_used,
        "estimate": _estimate(found.best.estimate),
        "simulated": None if found.simulated is None else _ran(found.simulated),
        "mean_hops": found.hops,
        "populations": [
            {"name": populations[n].name, "slices": cut.n_tiles, "cut": str(cut)}
            for n, cut in found.best.cuts.items()
        ],
        "memories": [
            {"name": name, "mean": mean, "fullest": fullest}
            for name, mean, fullest in _memories(found)
        ],
        "silent": None
        if looked is None
        else {
            "inferences": looked.inferences,
            "left_out": looked.is_dropped,
            "populations": [
                {"name": one.name, "neurons": one.neurons, "silent": one.silent.tolist()}
                for one in looked.populations
            ],
        },
        "next": [
            {
                "cores": one.cores,
                "estimate": _estimate(one.estimate),
                "slices": [cut.n_tiles for cut in one.cuts.values()],
            }
            for one in found.others
        ],
    }


def _ran(one: Simulated) -> dict[str, Any]:
    return {"energy_j": one.energy_j, "cycles": one.cycles}


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {
        "energy_j": estimate.energy_j,
        "cycles": estimate.cycles,
        "static_j": estimate.static_j,
        "packets": estimate.packets,
        "bound": estimate.bound,
    }


def put_mapping(
    found: Found,
    folder: Folder,
    options: dict[str, Any] | None = None,
    looked: Look | None = None,
) -> None:
    """Write mapping.json, mapping.yaml, mapping.npz and manifest.json into a folder of results, and
    the workload too where its silent neurons were left out.
    """
    populations = found.workload.network.populations
    core_of = {populations[n].name: found.mapping.core_of[n] for n in found.best.cuts}
    written, arrays = tree(found.workload, found.chip.name, core_of)
    folder.json("mapping.json", mapping_json(found, looked))
    folder.text(FILE, dumped(written))
    folder.arrays(ARRAYS, arrays)
    if looked is not None and looked.is_dropped:
        network, held = saving.written(found.workload)
        beside = folder.sub("workload")
        beside.text("workload.yaml", dumped(network))
        beside.arrays(saving.ARRAYS, held)
    files = [*found.workload.files, found.chip.file]
    folder.json(MANIFEST, provenance(files, options=options))
