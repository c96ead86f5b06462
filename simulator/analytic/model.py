"""The published closed-form energy of a spiking network and of its quantised twin, per output
neuron and inference.

Equations 1 to 20 and both theorems of arXiv:2409.08290 v3 (v4 adds the membrane access).  Symbols:
T time window; b activation bits of the twin; s_r mean spike rate per input and step; d density of
the twin's activations; N fan-in; H mean hops; R_S, R_Q weight reuse; E_w weight read; Ẽ, E energy
per bit and hop of sparse and dense transfer. Every energy is in joules; every argument broadcasts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.analytic.constants import Hardware
from simulator.errors import InputError

Floats = NDArray[np.floating[Any]]
#: how the spikes of an active input spread over the window, seen by the spiking twin
CASES = ("best", "average", "worst")
#: a derived density of exactly 1 is a product and a quotient of rounded numbers
ROUNDING = 1e-12


@dataclass(frozen=True)
class Operation:
    """What both twins are asked to do; arrays broadcast against each other.

    `density` d of the quantised twin: a number, or the case of Theorem 2 that derives it from T and
    s_r. `reuse_snn`, `reuse_qnn`: uses of a weight per read (1: every use reads).  `aggregated`:
    the spiking network sends its spike counts once per window (equations 19 and 20) instead of its
    spikes.
    """

    timesteps: ArrayLike
    rate: ArrayLike
    density: ArrayLike = "average"
    fan_in: ArrayLike = 4096
    weight_bits: int = 8
    hops: ArrayLike = 1.0
    reuse_snn: ArrayLike = 1.0
    reuse_qnn: ArrayLike = 1.0
    aggregated: bool = False

    def __post_init__(self) -> None:
        """Refuse what has no meaning, by name."""
        _within("timesteps", self.timesteps, 1, None, whole=True)
        _within("rate", self.rate, 0, 1)
        _within("fan_in", self.fan_in, 1, None, whole=True)
        _within("hops", self.hops, 0, None)
        _within("reuse_snn", self.reuse_snn, 1, None)
        _within("reuse_qnn", self.reuse_qnn, 1, None)
        if isinstance(self.density, str):
            if self.density not in CASES:
                raise InputError(
                    f"density: must be a number or one of {', '.join(CASES)}, not {self.density!r}"
                )
        else:
            _within("density", self.density, 0, 1)

    @property
    def twin_density(self) -> Floats:
        """Return d as numbers, shape of the broadcast of T and s_r when derived (Theorem 2)."""
        if isinstance(self.density, str):
            return density(self.timesteps, self.rate, self.density)
        return np.asarray(self.density, dtype=np.float64)


@dataclass(frozen=True)
class Energy:
    """The energy of one twin by part, J; `sparse` and `dense` are its two ways to move data, the
    cheaper is paid.

    Invariant: compute + data = total = the sum of the parts.
    """

    part: dict[str, Floats]
    sparse: Floats
    dense: Floats
    #: weight reads and transfer of either way, whichever is cheaper
    way: dict[str, dict[str, Floats]]

    @property
    def is_dense(self) -> NDArray[np.bool_]:
        """Return where the dense way is strictly cheaper."""
        return self.dense < self.sparse

    @property
    def data(self) -> Floats:
        """Return the energy of moving data: min(sparse, dense)."""
        return np.minimum(self.sparse, self.dense)

    @property
    def compute(self) -> Floats:
        """Return the energy of everything but moving data."""
        parts = [e for name, e in self.part.items() if name not in ("weight_read", "transfer")]
        return np.asarray(sum(parts))

    @property
    def total(self) -> Floats:
        """Return compute + data (equation 1)."""
        return self.compute + self.data


def activation_bits(timesteps: ArrayLike) -> NDArray[np.int64]:
    """Return b = ceil(log2(T + 1)), the bits that hold a spike count 0..T, in exact integers
    (Theorem 1).
    """
    _within("timesteps", timesteps, 1, None, whole=True)
    # frexp gives the bit length of an integer without a logarithm that could round
    return np.frexp(np.asarray(timesteps, dtype=np.float64))[1].astype(np.int64)


def uses_full_capacity(timesteps: ArrayLike) -> NDArray[np.bool_]:
    """Return whether T = 2^b - 1, so that the twin's b bits have no unused value (Theorem 1)."""
    return np.asarray(timesteps, dtype=np.int64) == (1 << activation_bits(timesteps)) - 1


def spikes_per_active_input(timesteps: ArrayLike, case: str) -> Floats:
    """Return T·s_r/d, the spikes an active input sends in a window: 1, (T + 1)/2 or T (Theorem
    2).
    """
    window = np.asarray(timesteps, dtype=np.float64)
    if case not in CASES:
        raise InputError(f"case: must be one of {', '.join(CASES)}, not {case!r}")
    return {"best": np.ones_like(window), "average": (window + 1) / 2, "worst": window}[case]


def density(timesteps: ArrayLike, rate: ArrayLike, case: str = "average") -> Floats:
    """Return d of the quantised twin from T and s_r (Theorem 2).

    Best T·s_r, average 2T·s_r/(T + 1) (uniform activations), worst s_r: best and worst as seen by
    the spiking twin.  Raises InputError where that is more than 1: so many spikes cannot come from
    inputs that send so few each, and there is no such twin.
    """
    window, sent = np.broadcast_arrays(*_floats(timesteps, rate))
    each = spikes_per_active_input(window, case)
    active = window * sent / each
    if (active > 1 + ROUNDING).any():
        worst = np.unravel_index(np.argmax(active), active.shape)
        raise InputError(
            f"rate: must be at most {each[worst] / window[worst]:.4g} at T = {window[worst]:g} in "
            f"the {case} case of Theorem 2, not {sent[worst]:g}: more than every input of the "
            f"quantised twin would be active"
        )
    return np.minimum(active, 1.0)


def rate(timesteps: ArrayLike, density: ArrayLike, case: str = "average") -> Floats:
    """Return s_r from T and d (Theorem 2): d/T, (d/2)(1 + 1/T) or d."""
    window = np.asarray(timesteps, dtype=np.float64)
    return np.asarray(density, dtype=np.float64) * spikes_per_active_input(timesteps, case) / window


def spiking(operation: Operation, hardware: Hardware) -> Energy:
    """Return the energy of the spiking network (equations 3, 7 and 17, 8 and 18, or 19 and 20 when
    aggregated).
    """
    window, spike_rate, fan_in, hops, reuse = _floats(
        operation.timesteps, operation.rate, operation.fan_in, operation.hops, operation.reuse_snn
    )
    weight = hardware.weight_read(operation.weight_bits) / reuse
    if operation.aggregated:
        sent, places, bits = (
            fan_in * operation.twin_density,
            fan_in,
            activation_bits(operation.timesteps),
        )
    else:
        sent, places, bits = fan_in * window * spike_rate, fan_in * window, np.asarray(1)
    return _energy(
        {
            "accumulate": window * fan_in * spike_rate * hardware.accumulate,
            "compare": window * hardware.compare,
            "reset": window * spike_rate * hardware.subtract,
            "membrane": window * hardware.membrane,
        },
        sparse=(sent * weight, sent * hops * bits * hardware.sparse),
        dense=(places * weight, places * hops * bits * hardware.dense),
    )


def quantised(operation: Operation, hardware: Hardware) -> Energy:
    """Return the energy of the quantised twin (equations 2, 5 and 15, 6 and 16)."""
    fan_in, hops, reuse = _floats(operation.fan_in, operation.hops, operation.reuse_qnn)
    bits, active = activation_bits(operation.timesteps), operation.twin_density
    weight = hardware.weight_read(operation.weight_bits) / reuse
    return _energy(
        {
            "multiply": fan_in * active * multiply_energy(operation.weight_bits, bits, hardware),
            "clamp": np.asarray(2 * hardware.compare),
        },
        sparse=(fan_in * active * weight, fan_in * active * hops * bits * hardware.sparse),
        dense=(fan_in * weight, fan_in * hops * bits * hardware.dense),
    )


def energy_ratio(operation: Operation, hardware: Hardware) -> Floats:
    """Return E_SNN / E_QNN; below 1 the spiking network is the cheaper twin."""
    return spiking(operation, hardware).total / quantised(operation, hardware).total


def multiply_energy(weight_bits: int, bits: ArrayLike, hardware: Hardware) -> Floats:
    """Return E_MAC for every entry of `bits`, J; each distinct width is looked up once."""
    width, inverse = np.unique(np.asarray(bits), return_inverse=True)
    found = np.array([hardware.multiply(weight_bits, int(one)) for one in width])
    return found[inverse].reshape(np.shape(bits))


def wins_on_compute(operation: Operation, hardware: Hardware) -> NDArray[np.bool_]:
    """Return whether k·d >= T·s_r + (T(1 + s_r) - 2)/N, k = E_MAC/E_ACC (equation 4): no worse on
    compute alone.
    """
    window, spike_rate, fan_in = _floats(operation.timesteps, operation.rate, operation.fan_in)
    bits = activation_bits(operation.timesteps)
    k = multiply_energy(operation.weight_bits, bits, hardware) / hardware.accumulate
    return (
        k * operation.twin_density >= window * spike_rate + (window * (1 + spike_rate) - 2) / fan_in
    )


def required_k(timesteps: ArrayLike, case: str) -> Floats:
    """Return the least k = E_MAC/E_ACC at which spiking wins on compute as N grows: 1, (T + 1)/2 or
    T (equation 4).
    """
    return spikes_per_active_input(timesteps, case)


def beta(operation: Operation, hardware: Hardware, is_twin_dense: bool) -> Floats:
    """Return (E_w + b·E_act)/(E_w + Ẽ), E_act = E when the twin sends densely, Ẽ otherwise
    (equations 9 to 14).
    """
    weight = hardware.weight_read(operation.weight_bits)
    transfer = hardware.dense if is_twin_dense else hardware.sparse
    return (weight + activation_bits(operation.timesteps) * transfer) / (weight + hardware.sparse)


def wins_on_data(
    operation: Operation, hardware: Hardware, case: str, is_twin_dense: bool
) -> NDArray[np.bool_]:
    """Return whether sparse spikes move no more energy than the twin at H = R = 1 (equations 9 to
    14).

    Against a sparse twin: β >= spikes per active input; against a dense one: β >= d times that.
    """
    spikes = spikes_per_active_input(operation.timesteps, case)
    needed = operation.twin_density * spikes if is_twin_dense else spikes
    return beta(operation, hardware, is_twin_dense) >= needed


def dense_rate(operation: Operation, hardware: Hardware) -> Floats:
    """Return the spike rate above which the spiking network sends densely: (E_w/R_S + H·E)/(E_w/R_S
    + H·Ẽ).
    """
    hops, reuse = _floats(operation.hops, operation.reuse_snn)
    weight = hardware.weight_read(operation.weight_bits) / reuse
    return (weight + hops * hardware.dense) / (weight + hops * hardware.sparse)


def lifetime(battery: ArrayLike, energy: ArrayLike, inferences_per_second: ArrayLike) -> Floats:
    """Return E_battery/(E_inference·f), s: how long a battery of `battery` J lasts."""
    charge, each, frequency = _floats(battery, energy, inferences_per_second)
    return charge / (each * frequency)


def _energy(
    part: dict[str, Floats], sparse: tuple[Floats, Floats], dense: tuple[Floats, Floats]
) -> Energy:
    """Join compute parts with the weight read and transfer of the cheaper way."""
    both = (sparse[0] + sparse[1], dense[0] + dense[1])
    is_dense = both[1] < both[0]
    moved = {
        "weight_read": np.where(is_dense, dense[0], sparse[0]),
        "transfer": np.where(is_dense, dense[1], sparse[1]),
    }
    way = {
        name: {"weight_read": read, "transfer": moving}
        for name, (read, moving) in (("sparse", sparse), ("dense", dense))
    }
    return Energy({name: np.asarray(e) for name, e in (part | moved).items()}, *both, way)


def _floats(*values: ArrayLike) -> tuple[Floats, ...]:
    return tuple(np.asarray(value, dtype=np.float64) for value in values)


def _within(
    name: str, value: ArrayLike, low: float, high: float | None, whole: bool = False
) -> None:
    """Refuse a value outside low..high (or not whole), naming the first offender."""
    given = np.atleast_1d(np.asarray(value, dtype=np.float64)).ravel()
    is_good = np.isfinite(given) & (given >= low)
    if high is not None:
        is_good &= given <= high
    if whole:
        is_good &= given == np.floor(given)
    if not is_good.all():
        allowed = f"at least {low:g}" if high is None else f"from {low:g} to {high:g}"
        raise InputError(
            f"{name}: must be {'a whole number, ' if whole else ''}{allowed}, not "
            f"{given[~is_good][0]:g}"
        )
