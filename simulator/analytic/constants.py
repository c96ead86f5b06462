"""The constants of the published closed-form model, each with its unit, its source and how it is
known.

Source of all of them: Yan, Bai, Tang, Wong, "Reconsidering the Energy Efficiency of Spiking Neural
Networks Inference from Analytical Perspectives", arXiv:2409.08290 v3 and v4.  A constant is `read`
in the public text, `derived` from what is read there, `solved` from the printed results (an
over-determined system), or `extrapolated` from solved ones; the last are refused unless asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from simulator.errors import InputError
from simulator.units import quantity

Entry = TypeVar("Entry")
Known = Literal["read", "derived", "solved", "extrapolated"]
PAPER = "arXiv:2409.08290 v3"
PROCESS = f"{PAPER}: 22 nm, TT, 0.80 V, 25 °C, 1 GHz"
TABLE = f"{PAPER}: solved from Table II and the smartwatch energies"


@dataclass(frozen=True)
class ModelConstant:
    """One energy, or a bare number of the measured network: its symbol, what it is, the written
    value, half-width of its band, source and how it is known.
    """

    symbol: str
    what: str
    written: str
    known: Known
    source: str
    band: str = "0 pJ"

    @property
    def joules(self) -> float:
        """Return an energy in joules."""
        return quantity(self.written, "energy")

    @property
    def number(self) -> float:
        """Return a bare number."""
        return float(self.written)


ACCUMULATE = ModelConstant("E_ACC", "one accumulate", "0.05448 pJ", "read", PROCESS)
COMPARE = ModelConstant("E_CMP", "one threshold comparison", "0.05448 pJ", "read", PROCESS)
SUBTRACT = ModelConstant("E_SUB", "one reset by subtraction", "0.05448 pJ", "read", PROCESS)
MEMBRANE = ModelConstant(
    "E_mem",
    "one membrane access, per neuron and timestep",
    "1.42 pJ",
    "derived",
    "arXiv:2409.08290 v4: derived from what its text says of the membrane (v3 has none)",
)
#: weight bits -> energy of one weight read
WEIGHT_READ = {
    8: ModelConstant("E_w", "one read of an 8-bit weight", "0.3100 pJ", "solved", TABLE),
    4: ModelConstant("E_w", "one read of a 4-bit weight", "0.155 pJ", "solved", TABLE),
}
#: (weight bits, activation bits) -> energy of one multiply-accumulate
MULTIPLY = {
    (8, 1): ModelConstant("E_MAC", "8-bit weight x 1-bit activation", "0.0809 pJ", "solved", TABLE),
    (8, 2): ModelConstant(
        "E_MAC", "8-bit weight x 2-bit activation", "0.08831 pJ", "solved", TABLE
    ),
    (8, 3): ModelConstant(
        "E_MAC", "8-bit weight x 3-bit activation", "0.10184 pJ", "solved", TABLE
    ),
    (8, 4): ModelConstant(
        "E_MAC", "8-bit weight x 4-bit activation", "0.11712 pJ", "solved", TABLE
    ),
    (4, 3): ModelConstant(
        "E_MAC", "4-bit weight x 3-bit activation", "0.0885 pJ", "solved", TABLE, band="0.003 pJ"
    ),
}
PER_WEIGHT_BIT = ModelConstant(
    "E_w", "one read of a weight, per bit", "0.03875 pJ", "solved", TABLE
)
PER_ACTIVATION_BIT = ModelConstant(
    "E_MAC", "each activation bit beyond 4", "0.01528 pJ", "extrapolated", TABLE
)


@dataclass(frozen=True)
class HardwareSetting:
    """A hardware setting: energy per bit and hop of a sparse (event) and of a dense (stream)
    transfer.
    """

    name: str
    sparse: ModelConstant
    dense: ModelConstant


def _setting(name: str, sparse: str, dense: str, source: str) -> HardwareSetting:
    return HardwareSetting(
        name,
        ModelConstant("Ẽ", f"sparse transfer, per bit and hop, {name}", sparse, "read", source),
        ModelConstant("E", f"dense transfer, per bit and hop, {name}", dense, "read", source),
    )


SETTINGS = {
    setting.name: setting
    for setting in (
        _setting("theoretical-minimum", "0 pJ", "0 pJ", f"{PAPER}: transfers cost nothing"),
        _setting(
            "typical",
            "3.0 pJ",
            "0.25 pJ",
            f"{PAPER}: 3.0 is Loihi's east-west hop per packet, used per bit",
        ),
        _setting(
            "worst-case",
            "1300 pJ",
            "20.3125 pJ",
            f"{PAPER}: a 64-bit DRAM word for one bit, and shared by 64",
        ),
    )
}


@dataclass(frozen=True)
class Version:
    """A revision of the paper: its membrane access, and hops and weight reuse of its measured
    network (Table II).
    """

    name: str
    has_membrane: bool
    table_hops: ModelConstant
    table_reuse: ModelConstant


def _version(name: str, has_membrane: bool, hops: str, reuse: str) -> Version:
    """Return a revision whose printed table was solved for the weight reuse."""
    paper = f"arXiv:2409.08290 {name}"
    return Version(
        name,
        has_membrane,
        ModelConstant("H", f"mean hops of the measured network, {name}", hops, "read", paper),
        ModelConstant(
            "R_Q",
            f"weight reuse of the measured network, {name}",
            reuse,
            "solved",
            f"{paper}: solved from Table II",
        ),
    )


VERSIONS = {
    "v3": _version("v3", has_membrane=False, hops="1", reuse="216"),
    "v4": _version("v4", has_membrane=True, hops="0.64", reuse="500"),
}


@dataclass(frozen=True)
class Configuration:
    """A named network of the paper: time window T, mean input spike rate s_r and fan-in N."""

    name: str
    timesteps: int
    rate: float
    fan_in: int


CONFIGURATIONS = {
    "efficient": Configuration("efficient", 2, 0.02, 4096),
    "typical": Configuration("typical", 4, 0.1, 4096),
    "high-performance": Configuration("high-performance", 31, 0.2, 4096),
}
#: fan-in of the paper's small network; density of the twin in its sensitivity studies; fan-in of
#: its measured network
SMALL_FAN_IN = 64
BASELINE_DENSITY = 0.2
TABLE_FAN_IN = ModelConstant("N", "fan-in of the measured network", "2394", "solved", TABLE)
#: Table II, VGG16 on CIFAR-10: T -> (input spike rate, twin's activation density)
TABLE_NETWORK = {
    3: (0.0549, 0.1222),
    4: (0.0643, 0.1652),
    5: (0.0710, 0.1989),
    6: (0.0773, 0.2298),
    7: (0.0819, 0.2545),
    8: (0.0852, 0.2739),
}


@dataclass(frozen=True)
class Hardware:
    """The energies one evaluation uses, in joules; weights and multiplications are looked up by
    their bits.
    """

    accumulate: float
    compare: float
    subtract: float
    membrane: float
    sparse: float
    dense: float
    allow_extrapolated: bool = False

    def weight_read(self, weight_bits: int) -> float:
        """Return the energy of one weight read, J (E_w)."""
        return weight_read(weight_bits, self.allow_extrapolated).joules

    def multiply(self, weight_bits: int, activation_bits: int) -> float:
        """Return the energy of one multiply-accumulate, J (E_MAC)."""
        return multiply(weight_bits, activation_bits, self.allow_extrapolated).joules


def hardware(
    setting: str = "typical", version: str = "v3", allow_extrapolated: bool = False
) -> Hardware:
    """Return the energies of a named setting under a named version of the paper."""
    chosen, revision = named(SETTINGS, "setting", setting), named(VERSIONS, "version", version)
    return Hardware(
        accumulate=ACCUMULATE.joules,
        compare=COMPARE.joules,
        subtract=SUBTRACT.joules,
        membrane=MEMBRANE.joules if revision.has_membrane else 0.0,
        sparse=chosen.sparse.joules,
        dense=chosen.dense.joules,
        allow_extrapolated=allow_extrapolated,
    )


def named(table: dict[str, Entry], what: str, name: str) -> Entry:
    """Return the entry `name` of a table of named things; raises InputError that lists what is
    allowed.
    """
    if name not in table:
        raise InputError(f"{what}: must be one of {', '.join(table)}, not {name!r}")
    return table[name]


def weight_read(weight_bits: int, allow_extrapolated: bool = False) -> ModelConstant:
    """Return E_w for a weight of `weight_bits`; widths other than 8 and 4 are extrapolated at
    0.03875 pJ per bit.
    """
    if weight_bits in WEIGHT_READ:
        return WEIGHT_READ[weight_bits]
    if isinstance(weight_bits, bool) or weight_bits != int(weight_bits) or weight_bits < 1:
        raise InputError(f"weight_bits: must be a whole number, at least 1, not {weight_bits!r}")
    picojoules = PER_WEIGHT_BIT.joules * 1e12 * weight_bits
    what = f"one read of a {weight_bits}-bit weight"
    return _extrapolated(
        "E_w", what, picojoules, f"{PER_WEIGHT_BIT.written} per bit", allow_extrapolated
    )


def multiply(
    weight_bits: int, activation_bits: int, allow_extrapolated: bool = False
) -> ModelConstant:
    """Return E_MAC; beyond the solved ones it is extrapolated, for 8- and 4-bit weights only.

    8-bit weights: + 0.01528 pJ per activation bit beyond 4.  4-bit weights: the 8-bit value of the
    same activation in the proportion of the one solved pair, 0.0885 / 0.10184.
    """
    if (weight_bits, activation_bits) in MULTIPLY:
        return MULTIPLY[weight_bits, activation_bits]
    if weight_bits not in WEIGHT_READ:
        raise InputError(
            f"E_MAC: must be of 8- or 4-bit weights, not {weight_bits}-bit weights: nothing "
            f"published fixes it"
        )
    wide = MULTIPLY.get((8, activation_bits))
    picojoules = 0.11712 + 0.01528 * (activation_bits - 4) if wide is None else wide.joules * 1e12
    rule = "+ 0.01528 pJ per activation bit beyond 4"
    if weight_bits == 4:
        picojoules *= 0.0885 / 0.10184
        rule = "the 8-bit value x 0.0885 / 0.10184"
    what = f"{weight_bits}-bit weight x {activation_bits}-bit activation"
    return _extrapolated("E_MAC", what, picojoules, rule, allow_extrapolated)


def _extrapolated(
    symbol: str, what: str, picojoules: float, rule: str, is_allowed: bool
) -> ModelConstant:
    """Return an extrapolated constant, or refuse it by name with the value it would have."""
    if not is_allowed:
        raise InputError(
            f"{symbol}, {what}: must be read or solved, not extrapolated ({picojoules:.4g} pJ: "
            f"{rule}); "
            "ask for it with allow_extrapolated=True"
        )
    return ModelConstant(symbol, what, f"{picojoules:.6g} pJ", "extrapolated", f"{TABLE}, {rule}")


def constants() -> list[ModelConstant]:
    """Return every constant of the model in the order of the documentation."""
    transfers = [
        constant for setting in SETTINGS.values() for constant in (setting.sparse, setting.dense)
    ]
    return [
        ACCUMULATE, COMPARE, SUBTRACT, MEMBRANE, *transfers, *WEIGHT_READ.values(), PER_WEIGHT_BIT,
        *MULTIPLY.values(), PER_ACTIVATION_BIT, TABLE_FAN_IN,
        *(version.table_hops for version in VERSIONS.values()),
        *(version.table_reuse for version in VERSIONS.values()),
    ]  # fmt: skip
