"""What enters: real values as the integers of a stimulus, by a scale where they are not whole."""

from __future__ import annotations

import numpy as np

from simulator.describe.network import Feed, Stimulus
from simulator.describe.words import CURRENT, GRADED, RASTER, StimulusKind
from simulator.errors import InputError
from simulator.importers.choices import Choices
from simulator.importers.events import Recorded
from simulator.importers.floating import Floating
from simulator.importers.imported import Entering

#: whole values up to this width are kept as they are
WIDEST = 16
#: timesteps of an inference whose inputs enter once, where nobody says
TIMESTEPS = 4


def entering(name: str, recorded: Recorded | None, choices: Choices) -> Entering:
    """Return how an input's values become integers: spikes and whole numbers as they are, reals by
    the percentile of their magnitudes.
    """
    if recorded is None:
        return Entering(name, RASTER)
    values = recorded.values[name]
    kind: StimulusKind = CURRENT if values.ndim == 2 else GRADED
    is_signed = bool(values.min() < 0)
    if (values == np.rint(values)).all() and abs(values).max() < 1 << (WIDEST - 1):
        if kind == GRADED and not is_signed and values.max() <= 1:
            return Entering(name, RASTER)
        most = max(int(values.max()), -int(values.min()) - 1, 1)
        return Entering(name, kind, bits=most.bit_length() + is_signed, signed=is_signed)
    bits = choices.input_bits
    magnitude = np.abs(values[values != 0])
    reach = float(np.percentile(magnitude, choices.percentile)) if magnitude.size else 1.0
    scale = reach / ((1 << (bits - is_signed)) - 1)
    if not np.isfinite(scale) or scale <= 0:
        raise InputError(f"{name}: must have values that a scale can reach, not {reach:g}")
    return Entering(name, kind, scale, bits=bits, signed=is_signed)


def fed(ways_in: list[Entering], recorded: Recorded) -> Stimulus:
    """Return recorded values as the stimulus of the integer network."""
    feeds = [
        Feed(each.kind, each.integers(recorded.values[each.name]), each.bits) for each in ways_in
    ]
    return Stimulus(tuple(feeds), recorded.labels)


def in_reals(
    floating: Floating, recorded: Recorded, limit: int | None, timesteps: int | None = None
) -> dict[int, np.ndarray]:
    """Return what the network in reals is fed, (inferences, timesteps, lines) each; what enters
    once enters in every timestep.
    """
    found = {}
    lengths = [x.shape[1] for x in recorded.values.values() if x.ndim == 3]
    length = lengths[0] if lengths else (timesteps or TIMESTEPS)
    for k in floating.inputs:
        values = recorded.values[floating.places[k].name][:limit].astype(np.float64)
        if values.ndim == 2:
            values = np.repeat(values[:, None], length, axis=1)
        found[k] = values
    return found
