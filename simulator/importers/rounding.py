"""From reals to integers by stated scales: weights, thresholds, leaks and widths.

A neuron's current is counted in steps of its scale, its potential in steps of scale · gain, so that
weights need no more bits than a chip stores and thresholds are rounded in the same unit.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np

from simulator.describe.connections import Connection
from simulator.describe.network import Network, Neuron, Population, Projection
from simulator.describe.words import CURRENT
from simulator.errors import DescriptionError
from simulator.importers.choices import Choices
from simulator.importers.entering import TIMESTEPS, entering, fed, in_reals
from simulator.importers.events import Recorded, Stimuli
from simulator.importers.floating import Cell, Floating, Ran
from simulator.importers.imported import Entering, Imported, Rounded, Stated
from simulator.importers.joining import Joined, as_rows, join
from simulator.importers.scales import Scale, scale_of

FULL_DECAY = 4096
#: bits of potentials and currents where no stimulus tells
UNKNOWN_BITS, LARGEST_BITS = 24, 48
#: inferences that widths are told from
CALIBRATED = 10
_HUGE = 1 << 46


def rounded(
    path: Path,
    format: str,
    floating: Floating,
    choices: Choices,
    recording: Stimuli | None,
    stated: list[Stated],
    warnings: list[str],
) -> Imported:
    """Return a network in reals as integers; raises DescriptionError for all that cannot be."""
    joined = _joined(path, floating)
    shapes = _shapes(floating, joined)
    inputs = [(floating.places[k].name, shapes[k]) for k in floating.inputs]
    recorded = None
    if recording is not None:
        recorded = recording.fitted(inputs, floating.dt, choices.timesteps)
        stated = [*stated, *recorded.stated]
    ways_in = [entering(name, recorded, choices) for name, _ in inputs]
    ran = _calibrated(floating, recorded, choices.timesteps)
    maker = _Maker(floating, joined, shapes, ways_in, choices, ran, [*warnings])
    network = maker.network()
    if maker.faults:
        raise DescriptionError([f"{path.name}: {fault}" for fault in maker.faults])
    stimulus = None if recorded is None else fed(ways_in, recorded)
    says = [*stated, *maker.stated]
    if recorded is not None:
        says += [Stated(each.name, each.words(), "as it was recorded") for each in ways_in]
        if choices.timesteps is None and all(each.kind == CURRENT for each in ways_in):
            says.append(Stated("timesteps", str(TIMESTEPS), "what enters once does not tell"))
    how = f"percentile {choices.percentile:g}" if choices.percentile < 100 else "largest magnitude"
    where = "each neuron or channel" if choices.per_channel else "each population"
    says.append(Stated("weights", f"{choices.weight_bits} bits, a scale for {where}", how))
    return Imported(
        path=path,
        format=format,
        network=network,
        entering=tuple(ways_in),
        stated=tuple(says),
        warnings=tuple(maker.warnings),
        rounded=tuple(maker.rounded),
        timesteps=choices.timesteps,
        floating=floating,
        recorded=recorded,
        stimulus=stimulus,
    )


def _joined(path: Path, floating: Floating) -> list[Joined]:
    """Return every way as one connection."""
    found, faults = [], []
    for way in floating.ways:
        source, target = floating.places[way.source], floating.places[way.target]
        try:
            found.append(join(way, source.n, target.n))
        except ValueError as error:
            faults.append(f"{path.name}: {source.name} to {target.name}: {error}")
    if faults:
        raise DescriptionError(faults)
    return found


def _shapes(floating: Floating, joined: list[Joined]) -> list[tuple[int, ...]]:
    """Return the shapes of populations as convolutions ask for them; what asks for another shape
    than a convolution before it is written out as rows.
    """
    fixed: dict[int, tuple[int, ...]] = {}
    for k, (way, found) in enumerate(zip(floating.ways, joined)):
        if found.kind != "convolution":
            continue
        asked = {way.source: found.input_shape, way.target: found.shape}
        if way.source == way.target and found.input_shape != found.shape:
            asked = {way.source: (0,)}
        if all(fixed.get(end, shape) == shape for end, shape in asked.items()):
            fixed |= asked
        else:
            joined[k] = as_rows(way, floating.places[way.source].n, floating.places[way.target].n)
    return [fixed.get(k, place.shape) for k, place in enumerate(floating.places)]


def _calibrated(floating: Floating, recorded: Recorded | None, timesteps: int | None) -> Ran | None:
    """Return what the network in reals does on the first inferences."""
    if recorded is None:
        return None
    return floating.run(in_reals(floating, recorded, CALIBRATED, timesteps))


class _Maker:
    """Makes the integer network, population by population."""

    def __init__(
        self,
        floating: Floating,
        joined: list[Joined],
        shapes: list[tuple[int, ...]],
        ways_in: list[Entering],
        choices: Choices,
        ran: Ran | None,
        warnings: list[str],
    ) -> None:
        self.floating, self.joined, self.shapes, self.choices = floating, joined, shapes, choices
        self.ran, self.warnings = ran, warnings
        self.input_scale = {k: each.scale for k, each in zip(floating.inputs, ways_in)}
        self.faults: list[str] = []
        self.stated: list[Stated] = []
        self.rounded: list[Rounded] = []

    def network(self) -> Network:
        """Return populations and projections in integers."""
        populations: list[Population] = []
        projections: dict[int, Projection] = {}
        for number, place in enumerate(self.floating.places):
            if place.cell is None:
                populations.append(Population(place.name, self.shapes[number]))
                continue
            mine = [k for k, way in enumerate(self.floating.ways) if way.target == number]
            scale = self._scale(number, place.cell, mine)
            neuron, bias = self._neuron(number, place.cell, scale)
            for k in mine:
                projections[k] = self._projection(k, scale, bias)
                bias = None
            self.rounded.append(scale.report(place.name))
            populations.append(Population(place.name, self.shapes[number], neuron))
        ordered = tuple(projections[k] for k in sorted(projections))
        return Network(tuple(populations), ordered, self.floating.outputs)

    def _scale(self, number: int, cell: Cell, mine: list[int]) -> Scale:
        weights = []
        for k in mine:
            factor = self.input_scale.get(self.floating.ways[k].source, 1.0)
            weights.append((self.joined[k], self.joined[k].weight * factor))
        beside = [self.floating.places[number].bias, cell.drift]
        gain, exact = cell.input_gain, None
        if cell.current_decay is None and (cell.decay == 1).all():
            levels = (cell.threshold, cell.reset_to, cell.lower)
            exact = [beside[0], *(None if x is None else x / gain for x in (*levels, beside[1]))]
        return scale_of(weights, self.shapes[number], self.choices, exact)

    def _neuron(self, number: int, cell: Cell, scale: Scale) -> tuple[Neuron, np.ndarray | None]:
        """Return a population's neurons, and the bias of its synaptic current where it has one."""
        place, has_current = self.floating.places[number], cell.current_decay is not None
        unit, n = scale.step * cell.input_gain, place.n
        fires = cell.threshold is not None
        threshold = (
            np.ones(n, np.int64) if cell.threshold is None else _whole(cell.threshold / unit)
        )
        drift = _whole(cell.drift / unit)
        bias = None if place.bias is None else _whole(place.bias / scale.step)
        if bias is not None and not has_current:
            drift, bias = drift + bias, None
        reset = None if cell.reset_to is None else _whole(cell.reset_to / unit)
        initial = np.floor(cell.initial / unit + 1e-6).astype(np.int64)
        lower = None if cell.lower is None else _whole(cell.lower / unit)
        decay = self._decay(place.name, cell.decay)
        if fires and threshold.min() < 1:
            raised = np.maximum(1 - threshold, 0)  # potentials are counted from another zero
            if reset is None or cell.many:
                self.warnings.append(
                    f"{place.name}: a threshold is less than half a step of its weights, and is 1"
                )
                threshold = np.maximum(threshold, 1)
            else:
                threshold, initial, reset = threshold + raised, initial + raised, reset + raised
                drift = drift + _whole(raised * decay / FULL_DECAY)
                lower = None if lower is None else lower + raised
        if max(abs(threshold).max(initial=0), abs(drift).max(initial=0)) >= _HUGE:
            self.faults.append(
                f"{place.name}: threshold or bias: must be below 2^46 steps of a weight"
            )
            threshold, drift = np.minimum(threshold, _HUGE), np.clip(drift, -_HUGE, _HUGE)
        model = "if" if not decay else "lif"
        if has_current:
            model = "cuba-lif"
        if not fires:
            model = "cuba-readout" if has_current else "readout"
        held = [
            np.abs(x).max(initial=0)
            for x in (threshold, initial, drift, reset, lower)
            if x is not None
        ]
        bits = self._bits(number, unit, int(max(held)), False)
        neuron = Neuron(
            model,
            threshold,
            initial,
            drift,
            decay=decay,
            potential_bits=bits,
            current_decay=0
            if cell.current_decay is None
            else self._decay(place.name, cell.current_decay),
        )
        if has_current:
            largest = 0 if bias is None else int(np.abs(bias).max(initial=0))
            neuron = replace(
                neuron,
                current_bits=self._bits(number, scale.step * cell.current_gain, largest, True),
            )
        if fires:
            is_zero = reset is not None and not reset.any()
            neuron = replace(
                neuron,
                reset="subtract" if reset is None else "zero" if is_zero else "value",
                reset_value=None if reset is None or is_zero else reset,
                reset_at=cell.reset_at,
                compare=">" if cell.strict else ">=",
                lower_bound=lower,
                graded_bits=self._value_bits(number) if cell.many else 0,
            )
        return neuron, bias

    def _decay(self, name: str, decay: np.ndarray) -> int:
        """Return a leak in 1/4096 of a timestep, which a population shares."""
        whole = np.rint((1 - decay) * FULL_DECAY).astype(np.int64)
        if whole.min() != whole.max():
            self.faults.append(
                f"{name}: must have one time constant for all its neurons, not leaks of "
                f"{whole.min()} to {whole.max()} 4096ths a timestep"
            )
        return int(whole.flat[0])

    def _bits(self, number: int, unit: np.ndarray, least: int, of_current: bool) -> int:
        """Return a width with a bit to spare over what the calibration met."""
        if self.ran is None:
            return min(max(UNKNOWN_BITS, least.bit_length() + 4), LARGEST_BITS)
        peak = (self.ran.current_peak if of_current else self.ran.peak)[number]
        most = int(min(np.ceil((peak / np.abs(unit)).max(initial=0)), 2.0**46))
        return min(max(most, least, 1).bit_length() + 2, LARGEST_BITS)

    def _value_bits(self, number: int) -> int:
        """Return the width of values, with a bit to spare over what the calibration met."""
        if self.ran is None:
            return 4
        most = int(self.ran.sent[number].max(initial=1))
        return min(max(most, 1).bit_length() + 1, 16)

    def _projection(self, k: int, scale: Scale, bias: np.ndarray | None) -> Projection:
        way, joined = self.floating.ways[k], self.joined[k]
        factor = self.input_scale.get(way.source, 1.0)
        weight = scale.integers(joined, joined.weight * factor)
        source, target = self.shapes[way.source], self.shapes[way.target]
        before, behind = joined.input_shape, joined.output_shape
        if joined.kind != "convolution":
            before = source
            behind = source if joined.kind == "one-to-one" else (prod(target),)
        return Projection(
            way.source,
            way.target,
            Connection(
                joined.kind,
                weight,
                self.choices.weight_bits,
                before,
                behind,
                stride=joined.stride,
                padding=joined.padding,
                start=joined.start,
                index=joined.index,
                delay=joined.delay,
                dilation=joined.dilation,
                groups=joined.groups,
            ),
            joined.pool,
            way.delay,
            bias,
        )


def _whole(values: np.ndarray) -> np.ndarray:
    """Return the nearest integers, held to what 62 bits can."""
    return np.clip(np.rint(values), -(2.0**61), 2.0**61).astype(np.int64)
