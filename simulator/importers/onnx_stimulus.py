"""What an ONNX network is presented: recorded values as the whole numbers that its inputs take."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from simulator import memory
from simulator.describe.network import Feed, Stimulus
from simulator.errors import InputError
from simulator.importers.events import Drawn, Recorded, Stimuli
from simulator.importers.imported import Entering, Imported, Stated


def presented(imported: Imported, recording: Stimuli) -> Imported:
    """Return an imported network with a stimulus: real values of each inference, or drawn ones."""
    shapes = {population.name: population.shape for population in imported.network.populations}
    wanted = [(each.name, shapes[each.name]) for each in imported.entering]
    if isinstance(recording, Drawn):
        recorded = _drawn(imported, recording)
    else:
        recorded = recording.fitted(wanted, None)
    feeds = []
    for each in imported.entering:
        values = recorded.values[each.name]
        if values.ndim == 3 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 2:
            raise InputError(
                f"{imported.path.name}: {each.name}: must be given values (inferences, "
                f"{values.shape[-1]}), not {values.shape[1]} timesteps of them"
            )
        feeds.append(Feed("current", each.integers(values), each.bits))
    stated = (*imported.stated, *recorded.stated)
    stimulus = Stimulus(tuple(feeds), recorded.labels)
    return replace(imported, recorded=recorded, stimulus=stimulus, stated=stated)


def _drawn(imported: Imported, drawn: Drawn) -> Recorded:
    """Return whole numbers drawn evenly from what each input takes, most of them 0, as reals."""
    rng = np.random.default_rng(drawn.seed)
    values = {}
    for each in imported.entering:
        n = prod(_shape_of(imported, each))
        memory.need(f"{drawn.inferences:,} inferences of {n:,} lines", 24 * drawn.inferences * n)
        assert each.least is not None and each.most is not None
        codes = rng.integers(each.least, each.most + 1, (drawn.inferences, n))
        codes[rng.random(codes.shape) >= drawn.rate] = 0
        values[each.name] = codes * each.scale
    said = f"each line is a whole number other than 0 with probability {drawn.rate:g}"
    because = f"drawn with seed {drawn.seed}: no stimulus was given"
    return Recorded(values, None, (Stated("input", said, because),))


def _shape_of(imported: Imported, each: Entering) -> tuple[int, ...]:
    return next(one.shape for one in imported.network.populations if one.name == each.name)
