"""From codes and sums to populations and projections, in integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import numpy as np

from simulator import memory
from simulator.describe.connections import Connection
from simulator.describe.messages import shown_value
from simulator.describe.network import Network, Population, Projection
from simulator.describe.neuron import Neuron
from simulator.errors import InputError
from simulator.importers.choices import Choices
from simulator.importers.imported import Entering, Imported, Meaning, Stated
from simulator.importers.onnx_file import Graph
from simulator.importers.onnx_values import Codes, Fed, Sum, Term, neurons_of, row_sums
from simulator.importers.requantise import MOST_GAIN, WIDTHS, counting, shares

#: bits of a potential that is read
READ_BITS = 48
MOST_TIMESTEPS = 4096
#: largest gain of neurons that are read: their reals are made whole, or compared
CODED, UNCODED = 2.0**20, 2.0**14
#: bits of a potential that every chip here has room for
USUAL = 32


@dataclass(frozen=True, eq=False)
class Joined:
    """The terms of a sum as projections into one population: reals = unit * A + bias, where A is
    what the projections bring in a window in which inputs count `times`.
    """

    projections: tuple[Projection, ...]  # their targets are not set yet
    unit: np.ndarray  # (n,)
    bias: np.ndarray  # (n,)
    most: np.ndarray  # (n,) bounds on |A|
    times: int


class Builder:
    """One file while its network is built."""

    def __init__(self, path: Path, graph: Graph, choices: Choices, left_out: list[str]) -> None:
        """Begin with nothing built."""
        self.path, self.graph, self.choices, self.left_out = path, graph, choices, left_out
        self.populations: list[Population] = []
        self.projections: list[Projection] = []
        self.entering: list[Entering] = []
        self.meaning: list[Meaning] = []
        self.number: dict[tuple[object, ...], int] = {}  # of the population that sends codes
        self.names: set[str] = set()
        self.error, self.timesteps = 0.0, 1

    def build(self, outputs: Sequence[tuple[str, Codes | Sum]]) -> Imported:
        """Return the network whose outputs are read."""
        order, fed = _needed(outputs)
        levels = {codes.levels for codes in order}
        self.timesteps = max(levels, default=1)
        if self.timesteps > MOST_TIMESTEPS:
            raise InputError(
                f"its activations must have at most {MOST_TIMESTEPS} levels, not {self.timesteps}"
            )
        for codes in fed:
            self._enter(codes)
        for codes in order:
            self._count(codes)
        read = [self._read(name, value) for name, value in outputs]
        network = Network(tuple(self.populations), tuple(self.projections), tuple(read))
        warnings = []
        if len(levels) > 1:
            shown = ", ".join(str(one) for one in sorted(levels))
            warnings.append(
                f"its activations have {shown} levels: the quantised twin is the file's own at "
                f"T = {self.timesteps} alone, other windows cut them at other reals"
            )
        widths = [one.neuron.potential_bits for one in self.populations if one.neuron is not None]
        if max(widths) > USUAL:
            warnings.append(
                f"its sums need potentials of {max(widths)} bits: a chip with narrower ones "
                f"refuses them, unless core.soma.state is set to {max(widths)} bit"
            )
        return Imported(
            self.path,
            "ONNX",
            network,
            tuple(self.entering),
            self._stated(),
            tuple(warnings),
            timesteps=self.choices.timesteps or self.timesteps,
            meaning=tuple(self.meaning),
        )

    def _stated(self) -> tuple[Stated, ...]:
        found = [
            Stated(
                "timesteps",
                str(self.timesteps),
                "activations of as many levels: the quantised twin is then the file's own",
            ),
            Stated(
                "requantisation",
                f"within {self.error:.1e} of a level" if self.error else "exact",
                "scales as fractions of integers: gain over threshold",
            ),
            Stated("written by", shown_value(self.graph.producer), f"opset {self.graph.opset}"),
        ]
        for kind in self.left_out:
            found.append(Stated("left out", kind, "it follows the output and changes no answer"))
        return tuple(found)

    def _name(self, name: str) -> str:
        """Return a name no population has yet."""
        base = name[:60] or "population"
        found, place = base, 2
        while found in self.names:
            found, place = f"{base}-{place}", place + 1
        self.names.add(found)
        return found

    def _enter(self, codes: Codes) -> None:
        """Add an input population for codes that come from outside."""
        source = codes.source
        assert isinstance(source, Fed)
        shift = float(codes.shift)
        least, most = codes.least - shift, codes.most - shift
        if shift != int(shift) or codes.rounding != "even":
            raise InputError(f"input {source.name[:60]!r}: must have a whole zero point")
        if least > 0 or most < 0:
            raise InputError(f"input {source.name[:60]!r}: its zero point must be one of its codes")
        bits = max(int(-least - 1).bit_length() if least < 0 else 0, int(most).bit_length())
        self.number[codes.key] = len(self.populations)
        name = self._name(source.name)
        self.populations.append(Population(name, source.shape))
        self.entering.append(
            Entering(
                name,
                "current",
                float(codes.step),
                0,
                bits + (least < 0),
                least < 0,
                int(least),
                int(most),
            )
        )

    def _count(self, codes: Codes) -> None:
        """Add a population that makes codes."""
        source = codes.source
        assert isinstance(source, Sum)
        n = neurons_of(codes.name, source.neurons)
        memory.need(f"{codes.name[:60]}: {n:,} neurons", 200 * n)
        joined = self._join(codes.name, source)
        step = np.broadcast_to(codes.step, source.bias.shape)
        shift = np.broadcast_to(codes.shift, source.bias.shape)
        step, shift = (_of_neurons(source, one) for one in (step, shift))
        ratio = joined.times * step / joined.unit
        offset = joined.bias / step + shift - codes.least
        extra = 0.5 if codes.rounding == "even" else 0.0
        made = counting(
            codes.name[:60],
            ratio,
            offset,
            extra,
            joined.times * joined.most,
            codes.levels,
            self.timesteps,
        )
        compare = ">="
        if codes.rounding == "even" and made.is_exact:
            # halves go to the even whole number before the shift, which a spike's number follows
            odd = (shift - codes.least).astype(np.int64) % 2
            if odd.min() != odd.max():
                raise InputError(f"{codes.name[:60]}: must have one zero point")
            compare = "odd" if odd[0] else "even"
        self.error = max(self.error, 0.0 if made.is_exact else made.error)
        limit = codes.levels if codes.levels < self.timesteps else None
        neuron = Neuron(
            "if",
            made.threshold,
            made.initial,
            made.bias,
            compare=compare,
            potential_bits=made.bits,
            gain=None if (made.gain == 1).all() else made.gain,
            limit=limit,
        )
        number = self._add(codes.name, source, neuron, joined)
        self.number[codes.key] = number
        self.meaning.append(
            Meaning(self.populations[number].name, codes.name, codes.least, codes.most)
        )

    def _read(self, name: str, value: Codes | Sum) -> int:
        """Return the population an output is read of: a new one, unless its codes are used."""
        if isinstance(value, Codes) and value.key in self.number:
            return self.number[value.key]
        source = value.source if isinstance(value, Codes) else value
        if not isinstance(source, Sum):
            raise InputError(f"output {name[:60]!r}: must be computed, not an input")
        joined = self._join(name, source)
        is_coded = isinstance(value, Codes)
        # one real for all neurons: the potential that is read is compared between them
        size = abs(joined.unit)
        largest, room = (
            float(size.max()),
            (1 << (READ_BITS - 2)) / max(1.0, float(joined.most.max())),
        )
        if (joined.unit == joined.unit[0]).all() and joined.unit[0] > 0:
            gain, times = np.ones(len(size)), 1.0
            if not (joined.bias / joined.unit == np.rint(joined.bias / joined.unit)).all():
                times = min(256.0, room)
            gain, unit = gain * np.floor(times), largest / np.floor(times)
        else:
            most = np.floor(min(float(MOST_GAIN), room, CODED if is_coded else UNCODED))
            gain, unit = np.rint(joined.unit / largest * most), largest / most
        unit /= joined.times
        total = np.rint(joined.bias / unit)
        if not np.isfinite(total).all() or abs(total).max() >= 1 << (READ_BITS - 1):
            raise InputError(f"output {name[:60]!r}: its biases must fit {READ_BITS} bits")
        bias = np.floor(total / self.timesteps)
        whole = gain.astype(np.int64)
        reach = abs(whole) * joined.times * joined.most + abs(total)
        bits = next((bits for bits in WIDTHS if float(reach.max()) < 1 << (bits - 1)), READ_BITS)
        neuron = Neuron(
            "readout",
            np.ones(len(size), np.int64),
            (total - self.timesteps * bias).astype(np.int64),
            bias.astype(np.int64),
            potential_bits=bits,
            gain=None if (whole == 1).all() else whole,
        )
        number = self._add(name, source, neuron, joined)
        held = (None, None, None, None)
        if isinstance(value, Codes):
            held = (float(value.step), float(value.shift), value.least, value.most)  # type: ignore[assignment]
        step, shift, least, most_code = held
        self.meaning.append(
            Meaning(
                self.populations[number].name,
                name,
                least,
                most_code,
                unit,
                step,
                shift,
                source.low,
                source.high,
            )
        )
        return number

    def _add(self, name: str, source: Sum, neuron: Neuron, joined: Joined) -> int:
        number = len(self.populations)
        self.populations.append(Population(self._name(name), source.neurons, neuron))
        self.projections += [replace(one, target=number) for one in joined.projections]
        return number

    def _join(self, name: str, source: Sum) -> Joined:
        """Return the terms of a sum as projections that share one unit."""
        terms = source.terms
        fed = {isinstance(term.codes.source, Fed) for term in terms}
        if len(fed) > 1:
            raise InputError(f"{name[:60]}: must not add an input to what neurons send")
        factors = [_of_neurons(source, term.factor) for term in terms]
        free = [place for place, term in enumerate(terms) if term.is_free]
        fixed = [place for place in range(len(terms)) if place not in free]
        connections = [term.connection for term in terms]
        if fixed:
            unit = factors[fixed[0]]
            if any(not np.allclose(factors[place], unit, rtol=1e-7, atol=0) for place in fixed):
                raise InputError(
                    f"{name[:60]}: must add convolutions of one scale, or quantise each before it "
                    f"is added"
                )
            for place in free:
                weight = np.rint(factors[place] / unit)
                off = abs(weight * unit / factors[place] - 1).max()
                if abs(weight).max() >= 1 << 15 or not weight.all() or off > 1e-3:
                    raise InputError(
                        f"{name[:60]}: must quantise its sum before something of another scale is "
                        f"added to it"
                    )
                self.error = max(self.error, float(off) * self.timesteps)
                connections[place] = _weighted(terms[place], weight.astype(np.int64))
        else:
            weights, unit = shares(name[:60], [factors[place] for place in free], (1 << 15) - 1)
            for place, weight in zip(free, weights):
                connections[place] = _weighted(terms[place], weight)
                off = abs(weight * unit / factors[place] - 1).max()
                self.error = max(self.error, float(off) * self.timesteps)
        bias = source.bias.copy()
        most = np.zeros(len(bias))
        projections = []
        for term, connection in zip(terms, connections):
            source_is_fed = isinstance(term.codes.source, Fed)
            away = (term.codes.least - term.zero) if not source_is_fed else 0.0
            if away:
                bias += term.factor * away * row_sums(term.connection)
            low = term.codes.least - float(term.codes.shift) if source_is_fed else 0
            high = term.codes.most - float(term.codes.shift) if source_is_fed else term.codes.levels
            most += row_sums(connection, absolute=True) * max(abs(low), abs(high))
            pool = source.pool
            projections.append(Projection(self.number[term.codes.key], 0, connection, pool))
        return Joined(
            tuple(projections),
            unit,
            _of_neurons(source, bias),
            _of_neurons(source, most),
            self.timesteps if True in fed else 1,
        )


def _of_neurons(source: Sum, values: np.ndarray) -> np.ndarray:
    """Return what belongs to currents as what belongs to neurons: fields that are pooled share
    it.
    """
    if source.pool is None:
        return np.array(values, np.float64)
    size = source.pool.size
    image = values.reshape(source.currents)[:, ::size, ::size]
    return image.reshape(prod(source.neurons)).astype(np.float64)


def _weighted(term: Term, weight: np.ndarray) -> Connection:
    """Return the one-to-one connection of a free term with other weights."""
    largest = int(abs(weight).max())
    bits = max(2, largest.bit_length() + 1)
    return replace(term.connection, weight=weight.astype(np.int32), weight_bits=bits)


def _needed(outputs: Sequence[tuple[str, Codes | Sum]]) -> tuple[list[Codes], list[Codes]]:
    """Return the codes that populations have to make, each after those it needs, and those that
    are fed; what is only read needs none.
    """
    order: list[Codes] = []
    fed: list[Codes] = []
    done: set[tuple[object, ...]] = set()
    waiting: list[tuple[Codes, bool]] = []

    def want(terms: Sequence[Term]) -> None:
        waiting.extend((term.codes, False) for term in reversed(terms))

    for _, value in outputs:
        source = value.source if isinstance(value, Codes) else value
        if isinstance(source, Sum):
            want(source.terms)
        while waiting:
            codes, is_ready = waiting.pop()
            if codes.key in done:
                continue
            if isinstance(codes.source, Fed):
                done.add(codes.key)
                fed.append(codes)
            elif is_ready:
                done.add(codes.key)
                order.append(codes)
            else:
                waiting.append((codes, True))
                want(codes.source.terms)
    fed.sort(key=lambda codes: codes.name)
    return order, fed
