"""How far a total or a verdict can be trusted: the stated bands of the constants, propagated by
seeded draws.

Energy is quantity × product of constants, so a draw is a product of matrices and never a new
simulation.  A constant with a band [low, high] around its value is drawn with its value as the
median: half of the draws lie log-uniformly in [low, value], half in [value, high] (uniformly in a
half that touches zero).  A constant without a band stays as it is.  Constants that quote the same
source, or say `as <name>`, move together.  A draw depends on the seed and on the constant's name
alone, so both twins, and chips of one family, meet the same draws.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from simulator import memory
from simulator.account.energy import Ledger
from simulator.account.terms import ACTIONS, COMPONENT, COMPONENTS, TERMS, constants, rates
from simulator.describe.chip import Chip
from simulator.errors import InputError

LOW, MEDIAN, HIGH = 5.0, 50.0, 95.0
#: of one draw: every constant, rate and term of a ledger
DRAW_BYTES = 1500
_AS = re.compile(r"as ([a-z_]+)\b")
_COMPONENT_OF_TERM = np.array([COMPONENTS.index(COMPONENT[action]) for action, _ in TERMS])
assert set(COMPONENT) == set(ACTIONS)


@dataclass(frozen=True)
class Spread:
    """Where a number lies: as the constants stand, and 5, 50 and 95 % of its draws."""

    nominal: float
    low: float
    median: float
    high: float

    @classmethod
    def of(cls, nominal: float, draws: np.ndarray) -> Spread:
        """Return the spread of draws, (n_draws,), around a nominal value."""
        low, median, high = (float(value) for value in np.percentile(draws, [LOW, MEDIAN, HIGH]))
        return cls(nominal, low, median, high)


@dataclass(frozen=True)
class Swing:
    """What one constant alone does to a number, moved to the ends of its band."""

    constant: str
    value: float
    band: tuple[float, float]
    at_low: float
    at_high: float
    evidence: str

    @property
    def width(self) -> float:
        """How far the number moves from end to end."""
        return abs(self.at_high - self.at_low)


@dataclass(frozen=True)
class Uncertainty:
    """The energy per inference of one run under its chip's bands; joules."""

    draws: int
    seed: int
    energy: Spread
    by_component: dict[str, Spread]
    tornado: list[Swing]  # widest first; constants that move nothing are left out


@dataclass(frozen=True)
class VerdictUncertainty:
    """The energy ratio spiking / quantised under the same draws for both twins."""

    draws: int
    seed: int
    ratio: Spread
    spiking_wins: float  # share of the draws in which the spiking twin costs less
    tornado: list[Swing]

    @property
    def hangs_on(self) -> list[Swing]:
        """The constants whose band alone turns the verdict."""
        return [swing for swing in self.tornado if (swing.at_low < 1) != (swing.at_high < 1)]

    def sentence(self) -> str:
        """Return the verdict under uncertainty in one sentence."""
        share = self.spiking_wins
        winner, share = ("spiking", share) if share >= 0.5 else ("quantised", 1 - share)
        names = [swing.constant for swing in self.hangs_on]
        hangs = (
            f"; it hangs on {', '.join(names)}"
            if names
            else "; no single constant turns it within its band"
        )
        return (
            f"the {winner} twin wins in {_percent(share)} of {self.draws} draws "
            f"(energy ratio {self.ratio.median:.3g}, 5-95 %: {self.ratio.low:.3g} to "
            f"{self.ratio.high:.3g}){hangs}"
        )


def _percent(share: float) -> str:
    """Return a share of at least a half without rounding a doubt away: 99.7 % is not 100 %."""
    text = f"{share:.0%}"
    return "over 99%" if text == "100%" and share < 1 else text


def moves_with(chip: Chip) -> dict[str, str]:
    """Return for each constant the one it moves with: itself, or the first that quotes the same
    source.
    """
    table = constants(chip)
    first: dict[str, str] = {}
    leader: dict[str, str] = {}
    for name, constant in table.items():
        said = _AS.match(constant.source)
        if said and said[1] in leader:
            leader[name] = leader[said[1]]
        else:
            leader[name] = first.setdefault(constant.source, name)
    return leader


def draw(chip: Chip, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Return the drawn values of every constant by name, each (draws,) float64."""
    if draws < 1:
        raise InputError(f"draws: must be at least 1, not {draws}")
    memory.need(f"{draws:,} draws of every constant", DRAW_BYTES * draws)
    if seed < 0:
        raise InputError(f"seed: must be 0 or more, not {seed}")
    leader = moves_with(chip)
    quantile = {
        name: np.random.default_rng([seed, crc32(name.encode())]).random(draws)
        for name in set(leader.values())
    }
    return {
        name: _within(constant.value, constant.band, quantile[leader[name]])
        for name, constant in constants(chip).items()
    }


def _within(value: float, band: list[float] | None, quantile: np.ndarray) -> np.ndarray:
    """Return the constant's value at each quantile of its band; 0.5 is the value itself."""
    if band is None:
        return np.full(len(quantile), value)
    return np.where(
        quantile < 0.5,
        _between(band[0], value, 2 * quantile),
        _between(value, band[1], 2 * quantile - 1),
    )


def _between(low: float, high: float, share: np.ndarray) -> np.ndarray:
    """Return the point at a share of the way from low to high, by ratio where there is one, else by
    difference.
    """
    if low > 0:
        return low * (high / low) ** share  # type: ignore[no-any-return]
    return low + (high - low) * share


def energies(ledger: Ledger, drawn: dict[str, np.ndarray]) -> np.ndarray:
    """Return the joules of a run by component under each draw, (n_components, draws): quantities ×
    constants.
    """
    parts = np.zeros((len(COMPONENTS), len(TERMS)))
    parts[_COMPONENT_OF_TERM, np.arange(len(TERMS))] = ledger.quantity
    return parts @ rates(drawn)


def propagate(chip: Chip, ledger: Ledger, inferences: int, draws: int, seed: int) -> Uncertainty:
    """Return the spread of a run's energy per inference, and the constants it is owed to."""
    n = max(inferences, 1)
    parts = energies(ledger, draw(chip, draws, seed)) / n
    nominal = {name: joules / n for name, joules in ledger.by_component.items()}
    return Uncertainty(
        draws,
        seed,
        Spread.of(ledger.total / n, parts.sum(axis=0)),
        {
            name: Spread.of(nominal[name], part)
            for name, part in zip(COMPONENTS, parts)
            if nominal[name] or part.any()
        },
        _tornado(chip, lambda values: energies(ledger, values).sum(axis=0) / n),
    )


def verdict(
    chip: Chip, spiking: tuple[Ledger, int], quantised: tuple[Ledger, int], draws: int, seed: int
) -> VerdictUncertainty:
    """Return in how many draws the spiking twin wins, each draw giving both twins the same
    constants.

    Each twin is (ledger, inferences).  Raises InputError when a draw leaves the quantised twin
    without energy to compare with.
    """

    def ratio(values: dict[str, np.ndarray]) -> np.ndarray:
        snn, qnn = (
            energies(ledger, values).sum(axis=0) / max(n, 1) for ledger, n in (spiking, quantised)
        )
        if not (qnn > 0).all():
            raise InputError(
                "draws: the quantised twin must cost energy in every draw, or there is no ratio"
            )
        return np.asarray(snn / qnn)

    drawn = ratio(draw(chip, draws, seed))
    nominal = float(
        ratio({name: np.array([constant.value]) for name, constant in constants(chip).items()})[0]
    )
    return VerdictUncertainty(
        draws, seed, Spread.of(nominal, drawn), float((drawn < 1).mean()), _tornado(chip, ratio)
    )


def _tornado(chip: Chip, number: Any) -> list[Swing]:
    """Return the swings of `number`, a function of the constants, each constant moved alone; widest
    first.
    """
    table = constants(chip)
    banded = [name for name, constant in table.items() if constant.band is not None]
    # one column per end of a band: an experiment in which only that constant moves
    values = {
        name: np.full(2 * len(banded), constant.value, float) for name, constant in table.items()
    }
    for column, name in enumerate(banded):
        values[name][2 * column : 2 * column + 2] = table[name].band
    ends = number(values).reshape(-1, 2) if banded else np.zeros((0, 2))
    swings = [
        Swing(
            name,
            table[name].value,
            tuple(table[name].band),
            float(low),
            float(high),
            table[name].evidence,
        )
        for name, (low, high) in zip(banded, ends)
    ]
    return sorted((swing for swing in swings if swing.width > 0), key=lambda swing: -swing.width)
