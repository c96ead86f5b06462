"""A chip under the constants its file states, whatever was changed of them."""

from __future__ import annotations

from simulator.describe.chip import Chip
from simulator.describe.corners import NOMINAL
from simulator.errors import SpikemeshError

#: keys of constants: what a run costs, not what it does
PRICES = ("energy.", "power.")


def as_filed(chip: Chip) -> Chip:
    """Return a chip with the energies, powers and the period its file states for its structure, at
    the nominal operating point; a chip from no file is returned as it is.
    """
    origin = chip._origin
    if origin is None:
        return chip
    kept = tuple(change for change in origin.changes if not change.path.startswith(PRICES))
    if len(kept) == len(origin.changes) and chip.corner == NOMINAL:
        return chip
    try:
        filed = Chip._made(origin.document, kept, NOMINAL)
    except SpikemeshError:  # what was changed needs its prices
        return chip
    prices = {"energy": filed.energy, "power": filed.power, "period": filed.period}
    return chip.model_copy(update=prices)
