"""The report of a run, and of both twins side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.account.terms import COMPONENTS
from simulator.describe.corners import NOMINAL
from simulator.report.blocks import (
    Block,
    Column,
    Paragraph,
    Table,
    Title,
    Verdict,
    table,
    with_total,
    words,
)
from simulator.report.uncertainty import energy_view, verdict_view
from simulator.study.metrics import assumed
from simulator.study.simulation import Result
from simulator.study.twin import TwinResult
from simulator.timing.record import OPERATIONS, UNIT_STATES
from simulator.units import show

TWIN = {"snn": "spiking", "qnn": "quantised"}


def run_view(result: Result) -> list[Block]:
    """Return the report of one run."""
    spread = energy_view(result.uncertainty, _name(result)) if result.uncertainty else []
    return [
        *_title([result]),
        _overview([result]),
        _energy([result]),
        *_by_area([result]),
        _populations(result),
        *_stalls([result]),
        *_closing([result]),
        *spread,
    ]


def twin_view(result: TwinResult) -> list[Block]:
    """Return both twins side by side, and the verdict."""
    both = [result.snn, result.qnn]
    spread = verdict_view(result.uncertainty) if result.uncertainty else []
    return [
        *_title(both),
        _overview(both),
        _energy(both),
        *_by_area(both),
        _populations(result.snn),
        _populations(result.qnn),
        *_stalls(both),
        *_closing(both),
        Verdict(result.verdict()),
        *spread,
    ]


def _name(result: Result) -> str:
    return TWIN[result.mode]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _title(results: list[Result]) -> list[Block]:
    first = results[0]
    workload, chip, raster = first.workload, first.chip, first.raster
    names = " and ".join(_name(result) for result in results)
    where = "" if chip.corner == NOMINAL else f" at {chip.corner}"
    overlapped = ", overlapped" if first.schedule.overlaps else ""
    title = Title(
        f"{workload.name} on {chip.name}{where}",
        f"{names} twin{'s' if len(results) > 1 else ''}, T = {first.timesteps} ({raster.firing} "
        f"firing), {_counted(first.finished, 'inference')}, {first.mapping.n_used} of "
        f"{_counted(chip.n_cores, 'core')}, {first.engine} engine{overlapped}",
    )
    early: list[Block] = [
        Paragraph(
            f"the {_name(result)} numbers cover the "
            f"{_counted(result.finished, 'finished inference')} only",
            "Stopped early",
            "warning",
        )
        for result in results
        if not result.record.complete
    ]
    return [title, *early]


def _per(result: Result, value: float) -> float:
    return value / max(result.finished, 1)


#: what a run is in numbers, per inference
OVERVIEW: dict[str, Callable[[Result], str]] = {
    "energy": lambda result: show(_per(result, result.ledger.total), "J"),
    "latency, mean": lambda result: _latency(result, "mean"),
    "latency, worst": lambda result: _latency(result, "max"),
    "throughput": lambda result: _throughput(result),
    "average power": lambda result: show(result.ledger.total / (result.seconds or 1), "W"),
    "spikes or activations sent": lambda result: _number(_per(result, _events(result))),
    "synaptic operations": lambda result: _counts(result, *OPERATIONS),
    "packets": lambda result: _counts(result, "packets_sent"),
    "flit-hops": lambda result: _counts(result, "flit_hops_east_west", "flit_hops_north_south"),
    "weight words read": lambda result: _counts(result, "weight_read_words"),
}
#: what a run came to for each watt and mm²: label, key of the summary, unit
PER_CHIP = (
    ("inferences per second and watt", "inferences_per_second_per_w", ""),
    ("inferences per second and mm²", "inferences_per_second_per_mm2", ""),
    ("operations per second and mm²", "operations_per_second_per_mm2", ""),
    ("energy x delay x area", "energy_delay_area_product_js_mm2", "J·s·mm²"),
)


def _overview(results: list[Result]) -> Table:
    rows: list[list[str]] = []
    if results[0].accuracy is not None:
        rows.append(["accuracy", *(f"{result.accuracy or 0:.2%}" for result in results)])
    rows += [[label, *(cell(result) for result in results)] for label, cell in OVERVIEW.items()]
    return table(["", *(_name(result) for result in results)], rows, "Per inference")


def _counts(result: Result, *names: str) -> str:
    return _number(_per(result, sum(result.count(name) for name in names)))


def _events(result: Result) -> int:
    return sum(
        int(trace.start[result.finished * result.raster.timesteps])
        for number, trace in enumerate(result.raster.traces)
        if number in result.workload.network.computed
    )


def _latency(result: Result, which: str) -> str:
    cycles = result.latency_cycles
    if not len(cycles):
        return "-"
    value = float(getattr(cycles, which)())
    return f"{show(value * result.chip.period, 's')} ({value:,.0f} cycles)"


def _throughput(result: Result) -> str:
    rate = result.throughput
    return "-" if rate is None else f"{rate:,.0f} inferences/s"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _energy(results: list[Result]) -> Table:
    columns: list[Column | str] = [""]
    for result in results:
        columns += [_name(result), Column("share", form=lambda x: "" if x is None else _percent(x))]
    parts = [result.ledger.by_component for result in results]
    rows: list[list[Any]] = []
    for name in COMPONENTS:
        if any(part[name] for part in parts):
            rows.append([name])
            for result, part in zip(results, parts):
                share = part[name] / (result.ledger.total or 1)
                rows[-1] += [show(_per(result, part[name]), "J"), share]
    total: list[Any] = ["total"]
    for result in results:
        total += [show(_per(result, result.ledger.total), "J"), None]
    return with_total(columns, [*rows, total], "Energy per inference by component")


def _by_area(results: list[Result]) -> list[Block]:
    """Return what runs came to by power and area; nothing where the chip states no area."""
    summaries = [result.summary() for result in results]
    area = summaries[0]["area_mm2"]
    if area is None:
        return []
    rows = [
        [label, *("-" if one[key] is None else show(one[key], unit).strip() for one in summaries)]
        for label, key, unit in PER_CHIP
    ]
    said = f"For each watt, and each of the chip's {area['total']:.4g} mm²"
    return [table(["", *(_name(result) for result in results)], rows, said)]


POPULATION_COLUMNS = (
    words("population"),
    Column("neurons", form=lambda number: f"{number:,}"),
    Column("cores", form=lambda number: str(number or "-")),
    Column("events", form=_number),
    Column("rate", form=_percent),
    Column("packets", form=_number),
    Column("flit-hops", form=_number),
    Column("synaptic operations", form=_number),
    Column("encoding"),
)


def _populations(result: Result) -> Table:
    rows = [
        (
            row["name"],
            row["neurons"],
            row["cores"],
            _per(result, row["spikes"]),
            row["spike_rate"],
            *(_per(result, row[key]) for key in ("packets", "flit_hops", "synaptic_operations")),
            row["encoding"],
        )
        for row in result.populations()
    ]
    return table(
        POPULATION_COLUMNS, rows, f"Populations of the {_name(result)} twin, per inference"
    )


def _stalls(results: list[Result]) -> list[Block]:
    rows = []
    for result in results:
        cycles = result.record.unit_cycles[result.mapping.is_used].sum(axis=(0, 1))
        rows.append([_name(result), *(cycles / max(int(cycles.sum()), 1))])
    # what only tokens or groups of events make units wait for has no column without them
    shown = [n for n in range(len(UNIT_STATES)) if n < 7 or any(row[n + 1] for row in rows)]
    rows = [[row[0], *(row[n + 1] for n in shown)] for row in rows]
    columns = [words(""), *(Column(UNIT_STATES[n], form=_percent) for n in shown)]
    return [
        table(
            columns,
            rows,
            "Where the cycles go: all units of the used cores, on average; a core that sleeps at a "
            "barrier is gated",
        )
    ]


def _closing(results: list[Result]) -> list[Block]:
    held: list[Block] = [
        Paragraph(
            f"{result.late_steps:,} of {len(result.record.step_start):,} steps of the "
            f"{_name(result)} twin took longer than the tick",
            "Late steps",
            "warning",
        )
        for result in results
        if result.late_steps
    ]
    rests: list[Block] = []
    for result in results:
        found = result.summary()["bottleneck"]
        held.append(Paragraph(f"{found['class']}: {found['why']}", f"Bottleneck, {_name(result)}"))
        chip = result.chip
        share = assumed(chip, result.ledger)
        said = f"{share:.0%} of the energy rests on assumed constants of {chip.name}"
        rests.append(Paragraph(said, f"Evidence, {_name(result)}"))
    outside = [
        Paragraph(line, "Constants", "warning") for line in results[0].chip.outside_statement
    ]
    return [*held, *rests, *outside]
