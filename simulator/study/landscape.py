"""Where each twin is the cheaper one: the pictures of the closed-form model as arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from simulator.analytic import model
from simulator.analytic.breakeven import hop_breakeven, rate_breakeven
from simulator.analytic.constants import (
    BASELINE_DENSITY,
    CONFIGURATIONS,
    SETTINGS,
    SMALL_FAN_IN,
    Hardware,
    hardware,
    multiply,
)
from simulator.analytic.model import (
    CASES,
    Floats,
    Operation,
    activation_bits,
    energy_ratio,
)
from simulator.study.simulation import Progress

FAN_IN = (SMALL_FAN_IN, 4096)
WEIGHT_BITS = (8, 4)
REUSE = (1, 2, 5, 10, 100)
HOPS = (0.1, 0.5, 1.0, 4.0)
#: the network of the paper's hop and reuse pictures
WINDOW, RATE, DENSITY = 4, 0.1, 0.4


@dataclass(frozen=True)
class Grid:
    """E_SNN / E_QNN over two axes; NaN where it would need an extrapolated constant that was not
    allowed, or where there is no quantised twin.

    ratio, known (n_y, n_x); `known` says of the constants behind a cell 'solved', 'extrapolated' or
    'refused', or 'infeasible' where more than every input would be active.
    breakeven: along y for every x (rate pictures) or along x for every y (hop picture), NaN unless
    exactly one.
    """

    name: str
    title: str
    x_name: str
    x: NDArray
    y_name: str
    y: NDArray
    ratio: Floats
    known: NDArray[np.str_]
    breakeven: Floats | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of what rows() returns."""
        return (self.x_name, self.y_name, "ratio", "known")

    def rows(self) -> list[tuple]:
        """Return the cells as (x, y, ratio, known), y slowest; None where there is no ratio."""
        return [
            (_plain(x), _plain(y), None if np.isnan(ratio) else ratio, str(self.known[j, i]))
            for j, y in enumerate(self.y)
            for i, x in enumerate(self.x)
            for ratio in (float(self.ratio[j, i]),)
        ]


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def knowledge(weight_bits: int, timesteps: int, allow_extrapolated: bool) -> str:
    """Return 'solved', 'extrapolated' or 'refused': how the twin's E_MAC at T is known and whether
    it may be used.
    """
    constant = multiply(weight_bits, int(activation_bits(timesteps)), allow_extrapolated=True)
    return (
        "refused" if constant.known == "extrapolated" and not allow_extrapolated else constant.known
    )


def _only(crossing: tuple[float, ...]) -> float:
    """Return the crossing, or NaN where there is none or no single one to draw."""
    return crossing[0] if len(crossing) == 1 else np.nan


def rate_grid(weight_bits: int, fan_in: int, energies: Hardware) -> Grid:
    """Return the ratio over T = 1..32 and spike rates 0.5..50 %, d = 0.2, with the breakeven rate
    of every T.
    """
    timesteps, rate = np.arange(1, 33), np.geomspace(0.005, 0.5, 121)
    ratio = np.full((rate.size, timesteps.size), np.nan)
    breakeven = np.full(timesteps.size, np.nan)
    known = [
        knowledge(weight_bits, int(window), energies.allow_extrapolated) for window in timesteps
    ]
    for column, window in enumerate(timesteps):
        if known[column] != "refused":
            operation = Operation(int(window), rate, BASELINE_DENSITY, fan_in, weight_bits)
            ratio[:, column] = energy_ratio(operation, energies)
            crossing = rate_breakeven(operation, energies).crossing
            breakeven[column] = _only(crossing)
    return Grid(
        f"rate-{weight_bits}bit-{fan_in}",
        f"{weight_bits}-bit weights, N = {fan_in}, d = {BASELINE_DENSITY}",
        "timesteps",
        timesteps,
        "rate",
        rate,
        ratio,
        np.tile(known, (rate.size, 1)),
        breakeven,
    )


def hop_grid(energies: Hardware) -> Grid:
    """Return the ratio over mean hops 0.01..10 for both twins reusing a weight 1..100 times, with
    each breakeven.
    """
    hops, reuse = np.geomspace(0.01, 10.0, 301), np.array(REUSE)
    operation = Operation(
        WINDOW, RATE, DENSITY, hops=hops, reuse_snn=reuse[:, None], reuse_qnn=reuse[:, None]
    )
    crossing = [
        hop_breakeven(
            Operation(WINDOW, RATE, DENSITY, reuse_snn=each, reuse_qnn=each),
            energies,
            hops[0],
            hops[-1],
        ).crossing
        for each in REUSE
    ]
    ratio = energy_ratio(operation, energies)
    return Grid(
        "hops", f"T = {WINDOW}, s_r = {RATE}, d = {DENSITY}",
        "hops", hops, "reuse", reuse, ratio, np.full(ratio.shape, "solved"),
        np.array([_only(points) for points in crossing]),
    )  # fmt: skip


def reuse_grid(hops: float, energies: Hardware) -> Grid:
    """Return the ratio over the reuse of the quantised twin (x) and of the spiking network (y),
    1..1000 each.
    """
    reuse = np.geomspace(1.0, 1000.0, 121)
    operation = Operation(
        WINDOW, RATE, DENSITY, hops=hops, reuse_snn=reuse[:, None], reuse_qnn=reuse
    )
    ratio = energy_ratio(operation, energies)
    return Grid(
        f"reuse-{hops:g}-hops", f"H = {hops:g}", "reuse_qnn", reuse, "reuse_snn", reuse, ratio,
        np.full(ratio.shape, "solved"),
    )  # fmt: skip


def configuration_grid(version: str = "v3", allow_extrapolated: bool = False) -> Grid:
    """Return the ratio of every named configuration and case of Theorem 2 (y) under every hardware
    setting (x).
    """
    row = [(configuration, case) for configuration in CONFIGURATIONS.values() for case in CASES]
    ratio = np.full((len(row), len(SETTINGS)), np.nan)
    known = np.full(ratio.shape, "refused", dtype="<U12")
    for j, (configuration, case) in enumerate(row):
        known[j] = knowledge(8, configuration.timesteps, allow_extrapolated)
        if model.rate(configuration.timesteps, 1.0, case) < configuration.rate:
            known[j] = "infeasible"
        if known[j, 0] in ("refused", "infeasible"):
            continue
        operation = Operation(
            configuration.timesteps, configuration.rate, case, configuration.fan_in
        )
        ratio[j] = [
            float(energy_ratio(operation, hardware(name, version, allow_extrapolated)))
            for name in SETTINGS
        ]
    return Grid(
        "configurations", "8-bit weights, H = 1, no reuse",
        "setting", np.array(list(SETTINGS)),
        "configuration", np.array([f"{configuration.name}, {case}" for configuration, case in row]),
        ratio, known,
    )  # fmt: skip


def landscapes(
    setting: str = "typical",
    version: str = "v3",
    allow_extrapolated: bool = False,
    progress: Progress | None = None,
) -> list[Grid]:
    """Return the grids of all pictures under one setting and version of the paper;
    progress('grids', done, grids) is called before each.
    """
    energies = hardware(setting, version, allow_extrapolated)
    makers: list[Callable[[], Grid]] = [
        *(partial(rate_grid, bits, fan_in, energies) for bits in WEIGHT_BITS for fan_in in FAN_IN),
        partial(hop_grid, energies),
        *(partial(reuse_grid, hops, energies) for hops in HOPS),
        partial(configuration_grid, version, allow_extrapolated),
    ]
    grids = []
    for done, make in enumerate(makers):
        if progress is not None:
            progress("grids", done, len(makers))
        grids.append(make())
    return grids
