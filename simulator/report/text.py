"""The report a person reads in the terminal: one run, or the twins side by side."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.account.energy import COMPONENTS
from simulator.describe.corners import NOMINAL
from simulator.report.uncertainty import energy_view, verdict_view
from simulator.study.simulation import Result, assumed
from simulator.study.twin import TwinResult
from simulator.timing.record import UNIT_STATES
from simulator.units import show


def run_view(result: Result) -> RenderableType:
    """Return the report of one run."""
    spread = [energy_view(result.uncertainty, _name(result))] if result.uncertainty else []
    parts = (
        _title([result]),
        _overview([result]),
        _energy([result]),
        _layers(result),
        _stalls([result]),
        _closing([result]),
    )
    return Group(*parts, *spread)


def twin_view(result: TwinResult) -> RenderableType:
    """Return both twins side by side, and the verdict."""
    both = [result.snn, result.qnn]
    verdict = Text.assemble(("Verdict  ", "bold"), result.verdict())
    spread = [verdict_view(result.uncertainty)] if result.uncertainty else []
    tables = (
        _overview(both),
        _energy(both),
        _layers(result.snn),
        _layers(result.qnn),
        _stalls(both),
    )
    return Group(_title(both), *tables, _closing(both), verdict, *spread, Text())


def _name(result: Result) -> str:
    return {"snn": "spiking", "qnn": "quantised"}[result.mode]


def _title(results: list[Result]) -> Text:
    first = results[0]
    workload, chip, raster = first.workload, first.chip, first.raster
    names = " and ".join(_name(result) for result in results)
    text = Text()
    text.append(f"\n{workload.name}", "bold")
    where = "" if chip.corner == NOMINAL else f" at {chip.corner}"
    text.append(f" on {chip.name}{where}", "bold")
    text.append(
        f"  {names} twin{'s' if len(results) > 1 else ''}, T = {first.timesteps} ({raster.firing} "
        f"firing), "
        f"{first.finished} inferences, {first.mapping.n_used} of {chip.n_cores} cores, "
        f"{first.engine} engine\n"
    )
    for result in results:
        if not result.record.complete:
            covered = (
                f"the {_name(result)} numbers cover the {result.finished} finished inferences only"
            )
            text.append(f"stopped early: {covered}\n", "yellow")
    return text


def _table(title: str, columns: Iterable[str]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _overview(results: list[Result]) -> Table:
    table = _table("Per inference", ["", *(_name(result) for result in results)])

    def row(label: str, cells: list[str]) -> None:
        table.add_row(label, *cells)

    def per(result: Result, value: float) -> float:
        return value / max(result.finished, 1)

    if results[0].accuracy is not None:
        row("accuracy", [f"{result.accuracy or 0:.2%}" for result in results])
    row("energy", [show(per(result, result.ledger.total), "J") for result in results])
    row("latency, mean", [_latency(result, "mean") for result in results])
    row("latency, worst", [_latency(result, "max") for result in results])
    row("average power", [show(result.ledger.total / result.seconds, "W") for result in results])
    row("spikes or activations sent", [_number(per(result, _events(result))) for result in results])
    row(
        "synaptic operations",
        [
            _number(per(result, result.count("accumulates") + result.count("macs")))
            for result in results
        ],
    )
    row("packets", [_number(per(result, result.count("packets_sent"))) for result in results])
    hops = [
        result.count("flit_hops_east_west") + result.count("flit_hops_north_south")
        for result in results
    ]
    row("flit-hops", [_number(per(result, count)) for result, count in zip(results, hops)])
    row(
        "weight words read",
        [_number(per(result, result.count("weight_read_words"))) for result in results],
    )
    return table


def _events(result: Result) -> int:
    return sum(
        int(trace.start[result.finished * result.raster.timesteps])
        for trace in result.raster.layers[1:]
    )


def _latency(result: Result, which: str) -> str:
    cycles = result.latency_cycles
    if not len(cycles):
        return "-"
    value = float(getattr(cycles, which)())
    return f"{show(value * result.chip.period, 's')} ({value:,.0f} cycles)"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _energy(results: list[Result]) -> Table:
    columns = [""]
    for result in results:
        columns += [_name(result), "share"]
    table = _table("\nEnergy per inference by component", columns)
    parts = [result.ledger.by_component for result in results]
    for name in COMPONENTS:
        if all(part[name] == 0 for part in parts):
            continue
        cells = []
        for result, part in zip(results, parts):
            cells += [
                show(part[name] / max(result.finished, 1), "J"),
                f"{part[name] / (result.ledger.total or 1):.1%}",
            ]
        table.add_row(name, *cells)
    total = []
    for result in results:
        total += [show(result.ledger.total / max(result.finished, 1), "J"), ""]
    table.add_row("total", *total, style="bold")
    return table


def _layers(result: Result) -> Table:
    columns = [
        "layer",
        "neurons",
        "cores",
        "events",
        "rate",
        "packets",
        "flit-hops",
        "synaptic operations",
        "encoding",
    ]
    table = _table(f"\nLayers of the {_name(result)} twin, per inference", columns)
    for row in result.layers():
        n = max(result.finished, 1)
        table.add_row(
            row["name"],
            f"{row['neurons']:,}",
            str(row["cores"] or "-"),
            _number(row["spikes"] / n),
            f"{row['spike_rate']:.1%}",
            _number(row["packets"] / n),
            _number(row["flit_hops"] / n),
            _number(row["synaptic_operations"] / n),
            row["encoding"],
        )
    return table


def _stalls(results: list[Result]) -> Table:
    title = (
        "\nWhere the cycles go: all units of the used cores, on average; a core that sleeps at a "
        "barrier is gated"
    )
    table = _table(title, ["", *UNIT_STATES])
    for result in results:
        cycles = result.record.unit_cycles[result.mapping.core_layer >= 0].sum(axis=(0, 1))
        total = max(int(cycles.sum()), 1)
        table.add_row(_name(result), *(f"{count / total:.1%}" for count in cycles))
    return table


def _closing(results: list[Result]) -> Text:
    text = Text("\n")
    for result in results:
        found = result.summary()["bottleneck"]
        text.append(f"Bottleneck, {_name(result)}  ", "bold")
        text.append(f"{found['class']}: {found['why']}\n")
    for result in results:
        text.append(f"Evidence, {_name(result)}  ", "bold")
        text.append(
            f"{assumed(result):.0%} of the energy rests on assumed constants of "
            f"{result.chip.name}\n"
        )
    for line in results[0].chip.outside_statement:
        text.append("Constants  ", "bold")
        text.append(f"{line}\n", "yellow")
    return text
