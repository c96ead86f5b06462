"""What agreement with a published number is worth: one of three words, and how they are counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

#: prediction: nothing that went into the computation was taken from the number, so it could have
#: missed.  identity: the number, or another from which it follows by arithmetic, went in.  fit:
#: constants that went in were solved from it, or from a set of numbers that holds it.
Kind = Literal["prediction", "identity", "fit"]
PLURAL: dict[Kind, str] = {"identity": "identities", "fit": "fits", "prediction": "predictions"}


def counted(kinds: Iterable[Kind]) -> str:
    """Return how many there are of each kind, such as '16 identities, 4 fits, 1 prediction'."""
    found = list(kinds)
    number = {kind: found.count(kind) for kind in PLURAL}
    return ", ".join(
        f"{count} {kind if count == 1 else PLURAL[kind]}" for kind, count in number.items()
    )
