"""Arrays that are drawn from a seed when a workload is loaded, instead of lying in its npz file."""

from __future__ import annotations

from math import prod
from typing import Annotated

import numpy as np
from pydantic import Field

from simulator import memory
from simulator.describe.documents import Description
from simulator.describe.fields import Natural, Positive

Bound = Annotated[int, Field(ge=-(2**31), lt=2**31)]
#: the bits of a draw that decide whether an entry is zero
_SHARE = 1 << 20


class DrawnArray(Description):
    """Whole numbers from `low` to `high`, equally likely, where an entry is not zero; `share` of
    them are not.
    """

    shape: Annotated[list[Positive], Field(min_length=1, max_length=5)]
    low: Bound
    high: Bound
    seed: Natural
    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0

    def fault(self) -> str | None:
        """Return what is wrong with it as a whole, or None."""
        if self.low > self.high:
            return f"high: must be at least low ({self.low}), not {self.high}"
        return None

    def array(self, name: str) -> np.ndarray:
        """Return the array: the same for the same keys on every machine, as its bits come from
        PCG64 and are used as whole numbers.
        """
        size, span = prod(self.shape), self.high - self.low + 1
        width = np.int8 if -128 <= self.low and self.high <= 127 else np.int32
        words = " x ".join(map(str, self.shape))
        memory.need(f"the drawn array {name!r} of {words}", 9 * size)
        found = np.empty(size, width)
        bits = np.random.PCG64(self.seed)
        for first in range(0, size, _SHARE):
            raw = bits.random_raw(min(_SHARE, size - first))
            value = (raw >> np.uint64(32)) * np.uint64(span) >> np.uint64(32)
            part = value.astype(np.int64) + self.low
            if self.share < 1:
                least = np.uint64(round(self.share * _SHARE))
                part *= (raw & np.uint64(_SHARE - 1)) < least
            found[first : first + len(part)] = part
        return found.reshape(self.shape)
