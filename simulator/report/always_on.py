"""The report of an always-on study: average power by component, the difference from the ideal
formula, and battery life.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.account.standby import breakeven_cycles
from simulator.account.terms import COMPONENTS
from simulator.describe.chip import Chip
from simulator.describe.corners import NOMINAL
from simulator.report import files as run_files
from simulator.report.blocks import Block, Column, Paragraph, Table, Title, table, with_total, words
from simulator.report.landscape import figure_class
from simulator.report.writing import MANIFEST, Folder, whole_file
from simulator.study.always_on import Outcome
from simulator.timing.record import GATED, OFF, POWER_STATES
from simulator.units import show

NAMES = {"never": "never gated", "gate": "clock-gated", "off": "power-gated"}
COLOURS = {"never": "#7a3410", "gate": "#b3541e", "off": "#1b6f8f"}
HOUR, DAY = 3600.0, 86400.0


def summary(outcomes: list[Outcome], battery: float | None = None) -> dict[str, Any]:
    """Return the content of summary.json (docs/always-on.md has every key and unit)."""
    first = outcomes[0]
    return {
        "schema_version": 1,
        "workload": first.result.workload.name,
        "chip": first.result.chip.name,
        "corner": first.result.chip.corner,
        "mode": first.result.mode,
        "timesteps": first.result.timesteps,
        "engine": first.result.engine,
        "frame_rate_hz": float(1 / first.stream.interval),
        "frames": first.stream.frames,
        "battery_j": battery,
        "points": [_point(outcome, battery) for outcome in outcomes],
    }


def manifest(
    outcomes: list[Outcome], chip: Chip, chip_file: Path, options: dict[str, Any]
) -> dict[str, Any]:
    """Return the content of manifest.json: what a run's has, the chip before any policy, and the
    options of the study.
    """
    result = outcomes[0].awake.described(chip)
    about = run_files.manifest(result)
    del about["limit"]  # one simulation's own: a study shows its stream again for every duty
    files = [*result.workload.files, chip_file]
    return {
        **about,
        **run_files.provenance(files, options=options),
        "frames": outcomes[0].stream.frames,
    }


def put(
    outcomes: list[Outcome], folder: Folder, battery: float | None, about: dict[str, Any]
) -> None:
    """Write summary.json, points.csv and manifest.json of a study."""
    found = summary(outcomes, battery)
    rows = [_flat(point) for point in found["points"]]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    folder.json("summary.json", found)
    folder.table("points.csv", columns, [[row.get(key) for key in columns] for row in rows])
    folder.json(MANIFEST, about)


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested values under names such as 'ideal.power_w'."""
    row: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            row |= _flat(value, f"{before}{name}.")
        else:
            row[before + name] = int(value) if isinstance(value, bool) else value
    return row


def _point(outcome: Outcome, battery: float | None) -> dict[str, Any]:
    period, latency = outcome.result.chip.period, outcome.latency_cycles
    gating = outcome.result.chip.gating
    return {
        "policy": outcome.policy,
        "gate_after_cycles": gating.gate_after,
        "off_after_cycles": gating.off_after,
        "router_gate_after_cycles": gating.router_gate_after,
        "duty": outcome.stream.duty,
        "frames_with_a_signal": len(outcome.stream.signal),
        "frames_with_background_only": len(outcome.stream.active) - len(outcome.stream.signal),
        "late_frames": outcome.late_frames,
        "overloaded": outcome.is_overloaded,
        "run_s": outcome.result.seconds,
        "power_w": outcome.power,
        "power_by_component_w": outcome.power_by_component,
        "ideal": {
            "power_w": outcome.ideal_power,
            "active_power_w": outcome.active_power,
            "sleep_power_w": outcome.sleep_power,
            "active_share": outcome.active_share,
        },
        "difference_w": {reason.name: reason.watts for reason in outcome.why()},
        "core_state_share": outcome.core_state_share,
        "router_state_share": outcome.router_state_share,
        "core_wakes_per_second": outcome.core_wakes_per_second,
        "router_wakes_per_second": outcome.router_wakes_per_second,
        "detection_latency_s": {
            "mean": float(latency.mean()) * period if len(latency) else None,
            "max": int(latency.max()) * period if len(latency) else None,
        },
        "breakeven_cycles": {
            "gated": breakeven_cycles(outcome.result.chip, GATED),
            "off": breakeven_cycles(
                outcome.result.chip, OFF, int(outcome.result.plan.reload_cycles.max(initial=0))
            ),
        },
        "battery_s": None
        if battery is None or not outcome.power
        else outcome.battery_seconds(battery),
    }


def always_on_view(outcomes: list[Outcome], battery: float | None = None) -> list[Block]:
    """Return the report of a study."""
    points = summary(outcomes, battery)["points"]
    last = [point for point in points if point["duty"] == points[0]["duty"]]
    at = f"at a duty of {points[0]['duty']:g}"
    return [
        *_title(outcomes),
        _overview(points),
        _components(last, at),
        _states(last, at),
        _ideal(last, at),
        *_closing(points, outcomes[0]),
    ]


def _title(outcomes: list[Outcome]) -> list[Block]:
    result, stream = outcomes[0].result, outcomes[0].stream
    where = "" if result.chip.corner == NOMINAL else f" at {result.chip.corner}"
    overloaded = [outcome for outcome in outcomes if outcome.is_overloaded]
    title = Title(
        f"{result.workload.name} on {result.chip.name}{where}, always on"
        f"{', overloaded' if overloaded else ''}",
        f"{stream.frames:,} frames at {show(float(1 / stream.interval), 'Hz')} "
        f"({show(stream.seconds, 's')}), {result.mode}, T = {result.timesteps}, {result.engine} "
        f"engine",
    )
    return [
        title,
        *(
            Paragraph(
                f"duty {outcome.stream.duty:g}, {NAMES[outcome.policy]}: frames come faster than "
                f"the chip works; it took {show(outcome.result.seconds, 's')}",
                "Overloaded",
                "bad",
            )
            for outcome in overloaded
        ),
    ]


def _number(value: float) -> str:
    if 0 < value < 0.001:
        return "<0.001"
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.4g}"


def _percent(share: float) -> str:
    if 0 < share < 1e-5:
        return "<0.001 %"
    return ">99.999 %" if 0.999995 <= share < 1 else f"{100 * share:.3f} %"


def _lasting(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return (
        f"{_number(seconds / HOUR)} hours"
        if seconds < 2 * DAY
        else f"{_number(seconds / DAY)} days"
    )


def _watts(value: float) -> str:
    return show(value, "W")


def _seconds(value: float | None) -> str:
    return "-" if value is None else show(value, "s")


OVERVIEW = (
    Column("frames with a signal", align="left", form=lambda duty: f"{duty:g}", short="duty"),
    words("policy"),
    Column("power", form=_watts),
    Column("ideal", form=_watts),
    Column("latency", form=_seconds),
    Column("worst", form=_seconds),
    Column("core wakes/s", form=_number),
    Column("battery", form=_lasting),
)


def _overview(points: list[dict[str, Any]]) -> Table:
    rows = [
        (
            point["duty"],
            NAMES[point["policy"]],
            point["power_w"],
            point["ideal"]["power_w"],
            *(point["detection_latency_s"][key] for key in ("mean", "max")),
            point["core_wakes_per_second"],
            point["battery_s"],
        )
        for point in points
    ]
    return table(OVERVIEW, rows, keys=2)


def _by_policy(points: list[dict[str, Any]]) -> list[str]:
    return ["", *(NAMES[point["policy"]] for point in points)]


def _components(points: list[dict[str, Any]], at: str) -> Table:
    rows = []
    for name in COMPONENTS:
        parts = [point["power_by_component_w"][name] for point in points]
        if any(parts):
            rows.append([name, *map(_watts, parts)])
    rows.append(["total", *(_watts(point["power_w"]) for point in points)])
    return with_total(_by_policy(points), rows, f"Average power by component {at}")


def _states(points: list[dict[str, Any]], at: str) -> Table:
    rows = []
    for point in points:
        for unit in ("core", "router"):
            shares = point[f"{unit}_state_share"].values()
            rows.append(
                [
                    f"{unit}s, {NAMES[point['policy']]}",
                    *("-" if share == 0 else _percent(share) for share in shares),
                ]
            )
    return table(["", *POWER_STATES], rows, f"Time in each state {at}")


def _ideal(points: list[dict[str, Any]], at: str) -> Table:
    ideal = [point["ideal"] for point in points]
    rows = [
        ["P_active, never asleep", *(_watts(part["active_power_w"]) for part in ideal)],
        ["P_sleep", *(_watts(part["sleep_power_w"]) for part in ideal)],
        ["D, share of time at work", *(_percent(part["active_share"]) for part in ideal)],
        ["P_active·D + P_sleep·(1 - D)", *(_watts(part["power_w"]) for part in ideal)],
    ]
    for reason in points[0]["difference_w"]:
        watts = [point["difference_w"][reason] for point in points]
        # below a part in 1e12 a term is the rounding of the sums
        if any(abs(part) > 1e-12 * point["power_w"] for part, point in zip(watts, points)):
            rows.append([f"  {reason}", *(_watts(part + 0.0) for part in watts)])
    rows.append(["simulated", *(_watts(point["power_w"]) for point in points)])
    return with_total(_by_policy(points), rows, f"Beside the ideal formula {at}")


def _closing(points: list[dict[str, Any]], outcome: Outcome) -> list[Block]:
    period = outcome.result.chip.period
    parts = []
    for state, cycles in points[0]["breakeven_cycles"].items():
        rest = (
            "never pays"
            if cycles is None
            else f"pays from {cycles:,} cycles ({show(cycles * period, 's')}) in it"
        )
        parts.append(f"{state} {rest}")
    late = [
        Paragraph(
            f"{point['late_frames']} frames had to wait for the one before",
            f"Duty {point['duty']:g}, {NAMES[point['policy']]}",
            "warning",
        )
        for point in points
        if point["late_frames"]
    ]
    return [Paragraph("; ".join(parts), "Break-even"), *late]


def draw(outcomes: list[Outcome], path: Path) -> None:
    """Write a picture of average power against duty, one line per policy, the ideal formula dashed
    beside each.
    """
    figure = figure_class()(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for policy in dict.fromkeys(outcome.policy for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.policy == policy]
        duty = [outcome.stream.duty for outcome in mine]
        axes.plot(
            duty,
            [o.power for o in mine],
            "o-",
            color=COLOURS[policy],
            label=NAMES[policy],
            markersize=4,
        )
        axes.plot(duty, [o.ideal_power for o in mine], "--", color=COLOURS[policy], linewidth=1)
    axes.plot(
        [], [], "--", color="#555555", linewidth=1, label="ideal: P_active·D + P_sleep·(1 - D)"
    )
    # a stream of background alone has no place on a logarithmic axis
    axes.set_xscale("log" if all(outcome.stream.duty for outcome in outcomes) else "linear")
    axes.set_yscale("log")
    first = outcomes[0]
    rate = show(float(1 / first.stream.interval), "Hz")
    axes.set_xlabel(f"share of the frames with a signal, at {rate}")
    axes.set_ylabel("average power (W)")
    axes.set_title(
        f"{first.result.workload.name} ({first.result.mode}) on {first.result.chip.name}",
        fontsize=10,
    )
    axes.grid(True, which="major", color="#dddddd", linewidth=0.6)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    with whole_file(path) as file:
        figure.savefig(file, dpi=160, format="png")
