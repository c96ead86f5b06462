"""The report of an import: what was decided, what became of the numbers, what that changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simulator.describe.documents import dumped
from simulator.describe.saving import ARRAYS, written
from simulator.describe.workload import Workload
from simulator.errors import InputError
from simulator.report.blocks import Block, Column, Paragraph, Title, table, words
from simulator.report.files import provenance
from simulator.report.writing import MANIFEST, Folder
from simulator.study.importing import Brought


def _counted(heading: str) -> Column:
    return Column(heading, form=lambda number: f"{number:,}")


def import_view(brought: Brought) -> list[Block]:
    """Return the report of an import."""
    imported, network = brought.imported, brought.workload.network
    neurons = sum(network.populations[k].n_neurons for k in network.computed)
    weights = sum(path.connection.weight.size for path in network.projections)
    blocks: list[Block] = [
        Title(
            f"{imported.path.name} ({imported.format})",
            f"{neurons:,} neurons in {len(network.computed)} populations, {weights:,} weights",
        )
    ]
    if imported.stated:
        columns = (words("what"), words("read as", wraps=True), words("because", wraps=True))
        rows = [(one.what, one.value, one.because) for one in imported.stated]
        blocks.append(table(columns, rows, "What the file does not say"))
    blocks += [Paragraph(warning, "Warning", "warning") for warning in imported.warnings]
    if brought.accuracy_of_twins is not None:
        quantised, spiking = brought.accuracy_of_twins
        said = (
            f"the quantised twin, the file's own arithmetic, reads {quantised:.2%} of "
            f"{brought.compared:,} inferences right, the spiking twin {spiking:.2%} at T = "
            f"{brought.workload.timesteps}"
        )
        blocks.append(Paragraph(said, "Accuracy"))
    return [*blocks, *_rounded(brought), *_changed(brought), *_checked(brought)]


def _rounded(brought: Brought) -> list[Block]:
    if not brought.imported.rounded:
        return []
    columns = (
        words("population"),
        _counted("weights"),
        Column("bits"),
        Column("smallest step", form=lambda step: f"{step:.3g}"),
        Column("largest step", form=lambda step: f"{step:.3g}"),
        Column("error", "%", form=lambda share: f"{100 * share:.2f}"),
        _counted("became 0"),
    )
    rows = [
        (
            one.population,
            one.weights,
            one.bits,
            one.scale_low,
            one.scale_high,
            one.error,
            one.zeroed,
        )
        for one in brought.imported.rounded
    ]
    return [table(columns, rows, "From reals to integers")]


def _changed(brought: Brought) -> list[Block]:
    if not brought.compared:
        return []
    columns = (
        words("population"),
        _counted("spikes in reals"),
        _counted("in integers"),
        _counted("places that differ"),
        Column("share", "%", form=lambda share: f"{100 * share:.3f}"),
    )
    rows = [
        (one.population, one.reals, one.integers, one.differing, one.differing / max(1, one.places))
        for one in brought.changed
    ]
    many = f"{brought.compared:,} inference{'s' if brought.compared > 1 else ''}"
    blocks: list[Block] = [table(columns, rows, f"What integers change, on {many}")] if rows else []
    said = []
    if brought.same_predictions is not None:
        said.append(f"{brought.same_predictions:.1%} of the predictions are the same")
    if brought.accuracy_before is not None and brought.accuracy_after is not None:
        said.append(
            f"accuracy {brought.accuracy_before:.1%} before, {brought.accuracy_after:.1%} after"
        )
    said.append(f"{brought.overflows:,} overflows")
    return [*blocks, Paragraph("; ".join(said))]


def _checked(brought: Brought) -> list[Block]:
    if not brought.checked:
        return []
    columns = (
        words("population"),
        Column("spikes recorded", form=_optional),
        Column("here, in reals", form=_optional),
        Column("places that differ", form=_optional),
        Column("furthest potential", form=lambda x: "-" if x is None else f"{x:.2g}"),
        words("timesteps of its spikes", wraps=True),
    )
    rows = [
        (
            one.population,
            one.recorded,
            one.here,
            one.differing,
            one.furthest,
            ", ".join(map(str, one.instants[:20])) or "-",
        )
        for one in brought.checked
    ]
    return [table(columns, rows, "Against what was recorded")]


def _optional(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def put_import(
    brought: Brought,
    folder: Folder,
    stimulus: str | None,
    check: str | None,
    options: dict[str, Any] | None = None,
) -> None:
    """Write the workload, what the import says in numbers, and what it was made from."""
    tree, arrays = written(brought.workload)
    folder.text("workload.yaml", dumped(tree))
    folder.arrays(ARRAYS, {name: np.asarray(array) for name, array in arrays.items()})
    if Workload.load(folder.path).digest() != brought.workload.digest():
        raise InputError(f"{brought.imported.path.name}: must be what a workload file can say")
    folder.json("summary.json", brought.summary())
    files = [brought.imported.path, *(Path(name) for name in (stimulus, check) if name)]
    manifest = provenance(files, options=options)
    manifest["stated"] = [vars(one) for one in brought.imported.stated]
    folder.json(MANIFEST, manifest)
