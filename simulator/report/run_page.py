"""report.html of a run and of both twins: the terminal's tables with pictures between them."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.report import figures
from simulator.report.blocks import Facts, Paragraph, Title, Verdict
from simulator.report.chip_map import SCRIPT, chip_map
from simulator.report.page import Figure, Figures, Part, page
from simulator.report.run import run_view, twin_view
from simulator.study.simulation import Result
from simulator.study.twin import TwinResult

MAP = (
    "Cores by the share of the run their busiest unit works, links by the flits they carry; each "
    "line is one direction. Rest the pointer on a core or a link for its numbers."
)


def run_page(result: Result) -> str:
    """Return report.html of one run."""
    return _page([result], run_view(result))


def twin_page(result: TwinResult) -> str:
    """Return report.html of both twins."""
    return _page([result.snn, result.qnn], twin_view(result))


def _page(results: Sequence[Result], blocks: Sequence[Part]) -> str:
    head, rest = _cut(blocks)
    maps = [
        Figure(
            chip_map(one, f"map-{one.mode}"), f"{figures.TWIN[one.mode].capitalize()} twin. {MAP}"
        )
        for one in results
    ]
    first, *others = figures.all_of(results)
    title = next(block.text for block in blocks if isinstance(block, Title))
    parts: list[Part] = [
        *head, first, Figures(tuple(maps)), *rest, Figures(tuple(others)), _neurobench(results),
    ]  # fmt: skip
    return page(title, parts, SCRIPT)


def _cut(blocks: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """Return what stands above the pictures, with the verdict, and what below."""
    early: list[Part] = [
        block
        for number, block in enumerate(blocks)
        if isinstance(block, (Title, Verdict))
        or (isinstance(block, Paragraph) and block.lead == "Stopped early")
    ]
    return early, [block for block in blocks if block not in early]


#: NeuroBench's measures in the words of a page -> what follows the number
OPERATIONS = {
    "effective_macs": "effective multiply-accumulates",
    "effective_acs": "effective accumulates",
    "dense": "dense operations",
}


def _neurobench(results: Sequence[Result]) -> Facts:
    """Return NeuroBench's measures of the twins, side by side."""
    found = [one.summary()["neurobench"] for one in results]
    sparsity = [one["activation_sparsity"] for one in found]
    rows = [
        ("footprint", f"{found[0]['footprint_bytes']:,} bytes"),
        ("connection sparsity", f"{found[0]['connection_sparsity']:.2%}"),
        ("activation sparsity", " and ".join("-" if s is None else f"{s:.2%}" for s in sparsity)),
        *(
            (words, " and ".join(f"{one['synaptic_operations'][name]:,.0f}" for one in found))
            for name, words in OPERATIONS.items()
        ),
    ]
    names = " and ".join(figures.TWIN[one.mode] for one in results)
    return Facts(tuple(rows), f"NeuroBench's measures, per inference: {names} twin")
