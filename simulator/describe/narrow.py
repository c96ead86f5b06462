"""Integers in the narrowest types that hold them."""

from __future__ import annotations

import numpy as np

from simulator.errors import InputError


def narrow(array: np.ndarray) -> np.ndarray:
    """Return integers in the narrowest signed type that holds them, contiguous, without a copy
    where they already are.
    """
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for dtype in (np.int8, np.int16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.ascontiguousarray(array, dtype)
    return np.ascontiguousarray(array, np.int64)


def narrow_index(index: np.ndarray, n_out: int) -> np.ndarray:
    """Return targets below n_out in 16 bits where they fit, else in 32, contiguous and not to be
    written to.
    """
    narrowed = np.ascontiguousarray(index, np.int16 if n_out <= 1 << 15 else np.int32)
    narrowed.setflags(write=False)
    return narrowed


def integers(what: str, array: object) -> np.ndarray:
    """Return an array of integers as it is; raises InputError for anything else."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iub":
        given = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(f"{what}: must be an array of integers, not of {given}")
    return array
