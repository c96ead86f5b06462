"""Published numbers that a chip's file must reproduce: each is predicted by running a small
workload on the chip (study/claim_cases.py) and held to the tolerance the file states.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from simulator.describe import library
from simulator.describe.chip import Chip
from simulator.describe.corners import NOMINAL
from simulator.describe.published import Claim
from simulator.errors import InputError
from simulator.study.claim_cases import CASES
from simulator.study.simulation import Progress

#: how far a sum of joules may be off by its order; a tolerance of 0 means within that
ACCURACY = 1e-9


@dataclass(frozen=True)
class Prediction:
    """A claim of a chip's file and what a run makes of it."""

    chip: str
    claim: Claim
    predicted: float

    @property
    def deviation(self) -> float:
        """Of the prediction, relative to the published number."""
        return self.predicted / self.claim.number - 1

    @property
    def holds(self) -> bool:
        """Whether the prediction lies within the claim's tolerance."""
        least, most = self.claim.allowed
        return least - ACCURACY <= self.deviation <= most + ACCURACY


def predict(chip: str, claim: Claim) -> Prediction:
    """Return the prediction of one claim of a chip, given by name or path; raises InputError for a
    case that does not exist.
    """
    if claim.case not in CASES:
        raise InputError(
            f"{chip}: published: case must be one of {', '.join(CASES)}, not {claim.case!r}"
        )
    parameters: dict[str, Any] = dict(claim.parameters)
    loaded = Chip.load(chip, (), str(parameters.pop("corner", NOMINAL)))
    try:
        inspect.signature(CASES[claim.case]).bind(loaded, **parameters)
    except TypeError as error:
        raise InputError(f"{chip}: published: {claim.claim}: case {claim.case}: {error}") from error
    return Prediction(loaded.name, claim, float(CASES[claim.case](loaded, **parameters)))


def check(chips: list[str] | None = None, progress: Progress | None = None) -> list[Prediction]:
    """Return the predictions of all claims of the chips named (default: all shipped), in their
    files' order; progress('claims', done, claims) is called before each.
    """
    chosen = library.names("chip") if chips is None else chips
    claims = [(chip, claim) for chip in chosen for claim in Chip.load(chip).published]
    predictions = []
    for done, (chip, claim) in enumerate(claims):
        if progress is not None:
            progress("claims", done, len(claims))
        predictions.append(predict(chip, claim))
    return predictions
