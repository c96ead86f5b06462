"""Pictures of the closed-form model: which twin is cheaper, by how much, and where they break even
(needs matplotlib).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import SpikemeshError
from simulator.report.writing import whole_file
from simulator.study.landscape import Grid
from simulator.study.simulation import Progress

#: colours stop at this factor either way; beyond it only the sign matters
FACTOR = 4.0
SPIKING_COLOUR, QUANTISED_COLOUR = "#1b6f8f", "#b3541e"
COLOURS = ["#0f4c63", SPIKING_COLOUR, "#8fc3d4", "#f5f3ee", "#e9b48c", QUANTISED_COLOUR, "#7a3410"]


def figure_class() -> Any:
    """Return matplotlib's Figure; raises SpikemeshError that names the extra when it is not
    installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SpikemeshError(
            "pictures need matplotlib, which is not installed: in the checkout, "
            "pip install -e '.[plot]'"
        ) from error
    return Figure


def draw(
    grids: list[Grid],
    folder: Path,
    setting: str = "typical",
    version: str = "v3",
    progress: Progress | None = None,
) -> list[Path]:
    """Draw the pictures of `landscapes()` as PNG files into an existing folder; return their paths;
    progress('pictures', done, pictures) is called before each.
    """
    caption = f"{setting} hardware, {version}"
    figure_class()
    pictures = {
        "rate.png": _draw_rate([grid for grid in grids if grid.name.startswith("rate-")], caption),
        "hops.png": _draw_hops(next(grid for grid in grids if grid.name == "hops"), caption),
        "reuse.png": _draw_reuse(
            [grid for grid in grids if grid.name.startswith("reuse-")], caption
        ),
        "configurations.png": _draw_configurations(
            next(grid for grid in grids if grid.name == "configurations"), version
        ),
    }
    paths = []
    for done, (name, figure) in enumerate(pictures.items()):
        if progress is not None:
            progress("pictures", done, len(pictures))
        path = folder / name
        with whole_file(path) as file:
            figure.savefig(file, dpi=160, format="png")
        paths.append(path)
    return paths


def _figure(width: float, height: float) -> Any:
    return figure_class()(figsize=(width, height), layout="constrained")


def _colours() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("twins", COLOURS).with_extremes(bad="#d9d9d9")


def _mesh(axes: Any, grid: Grid, x: np.ndarray, y: np.ndarray) -> Any:
    """Colour the cells by log2 of the ratio, saturated at FACTOR; empty cells are grey."""
    limit = np.log2(FACTOR)
    shown = np.ma.masked_invalid(np.log2(grid.ratio))
    return axes.pcolormesh(
        x, y, shown, cmap=_colours(), vmin=-limit, vmax=limit, shading="nearest", rasterized=True
    )


def _scale(figure: Any, mesh: Any, axes: Any) -> None:
    bar = figure.colorbar(
        mesh,
        ax=axes,
        extend="both",
        shrink=0.85,
        label="energy of SNN / energy of QNN\n(blue: the SNN is cheaper)",
    )
    ticks = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
    bar.set_ticks(np.log2(ticks), labels=["1/4", "1/2", "1", "2", "4"])


def _draw_rate(grids: list[Grid], caption: str) -> Any:
    figure = _figure(11, 7.5)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for axes, grid in zip(panels.flat, grids):
        percent = 100 * grid.y
        mesh = _mesh(axes, grid, grid.x, percent)
        assert grid.breakeven is not None
        # one breakeven per whole T: a stair, for T = 2.5 does not exist
        points = np.ma.masked_invalid(100 * grid.breakeven)
        axes.step(grid.x, points, where="mid", color="black", linewidth=1.6)
        guessed = grid.known[0] == "extrapolated"
        axes.plot(
            grid.x[~guessed],
            points[~guessed],
            "o",
            color="black",
            markersize=3.5,
            label="breakeven",
        )
        if guessed.any():
            axes.plot(
                grid.x[guessed],
                points[guessed],
                "o",
                color="black",
                markerfacecolor="white",
                markersize=3.5,
                label="breakeven, extrapolated $E_{MAC}$",
            )
        if (grid.known[0] == "refused").any():
            axes.plot([], [], "s", color="#d9d9d9", label="$E_{MAC}$ not published")
        axes.set_yscale("log")
        axes.set_yticks([0.5, 1, 2, 5, 10, 20, 50], labels=["0.5", "1", "2", "5", "10", "20", "50"])
        axes.minorticks_off()
        axes.set_xticks([1, 3, 7, 15, 31])
        axes.set_title(grid.title, fontsize=10)
        axes.legend(loc="upper right", fontsize=8, framealpha=0.9)
        axes.label_outer()
    for axes in panels[-1]:
        axes.set_xlabel("timesteps T (ticks where the bits of the twin are full)")
    for axes in panels[:, 0]:
        axes.set_ylabel("input spike rate (%)")
    _scale(figure, mesh, panels)
    figure.suptitle(f"Energy of the spiking network over its quantised twin, {caption}")
    return figure


def _draw_hops(grid: Grid, caption: str) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    figure = _figure(7.5, 4.8)
    axes = figure.subplots()
    assert grid.breakeven is not None
    shades = LinearSegmentedColormap.from_list("reuse", ["#8fc3d4", "#0f4c63"])
    for index, reuse in enumerate(grid.y):
        colour = shades(index / max(len(grid.y) - 1, 1))
        axes.plot(grid.x, grid.ratio[index], color=colour, linewidth=1.8, label=f"{reuse}")
        point = grid.breakeven[index]
        if np.isfinite(point):
            axes.plot(
                point, 1.0, "o", color=colour, markersize=6, markeredgecolor="black", zorder=3
            )
            axes.annotate(
                f"{point:.2g}", (point, 1.0), (4, -11), textcoords="offset points", fontsize=8
            )
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlim(grid.x[0], grid.x[-1])
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
    axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.text(grid.x[-1] * 0.97, 1.0, "breakeven", ha="right", va="bottom", fontsize=8)
    axes.set_xlabel("mean hops H")
    axes.set_ylabel("energy of SNN / energy of QNN")
    axes.set_title(
        f"{caption}, {grid.title.replace('s_r', '$s_r$')}\ndots: the hops above which the QNN is "
        f"cheaper",
        fontsize=10,
    )
    axes.legend(title="uses per weight read", fontsize=8, title_fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_reuse(grids: list[Grid], caption: str) -> Any:
    figure = _figure(3.3 * len(grids) + 1.2, 3.9)
    panels = np.atleast_1d(figure.subplots(1, len(grids), sharex=True, sharey=True))
    for axes, grid in zip(panels, grids):
        mesh = _mesh(axes, grid, grid.x, grid.y)
        if (grid.ratio < 1).any() and (grid.ratio > 1).any():
            axes.contour(grid.x, grid.y, grid.ratio, levels=[1.0], colors="black", linewidths=1.6)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_title(grid.title, fontsize=10)
        axes.set_xlabel("reuse of the QNN's weights")
        axes.set_box_aspect(1)
    panels[0].set_ylabel("reuse of the SNN's weights")
    _scale(figure, mesh, panels)
    figure.suptitle(
        f"Energy of the spiking network over its quantised twin, {caption} (T = 4, $s_r$ = 0.1, d "
        f"= 0.4)"
    )
    return figure


def _draw_configurations(grid: Grid, caption: str) -> Any:
    figure = _figure(7.5, 5.4)
    axes = figure.subplots()
    column, row = np.arange(grid.x.size), np.arange(grid.y.size)
    mesh = _mesh(axes, grid, column, row)
    for j in row:
        for i in column:
            ratio = grid.ratio[j, i]
            is_dark = np.isfinite(ratio) and abs(np.log2(ratio)) > 0.9
            mark = "*" if grid.known[j, i] == "extrapolated" else ""
            empty = "no such twin" if grid.known[j, i] == "infeasible" else "not published"
            text = f"{ratio:#.3g}{mark}" if np.isfinite(ratio) else empty
            axes.text(
                i,
                j,
                text,
                ha="center",
                va="center",
                color="white" if is_dark else "black",
                fontsize=10,
            )
    axes.set_xticks(column, labels=list(grid.x))
    axes.set_yticks(row, labels=list(grid.y))
    axes.tick_params(length=0)
    axes.invert_yaxis()
    for edge in range(3, grid.y.size, 3):
        axes.axhline(edge - 0.5, color="white", linewidth=3)
    note = " (* extrapolated $E_{MAC}$)" if (grid.known == "extrapolated").any() else ""
    axes.set_title(
        f"{caption}, {grid.title}{note}\nrows: configuration and the case of Theorem 2", fontsize=10
    )
    axes.spines[:].set_visible(False)
    _scale(figure, mesh, axes)
    return figure
