"""A table as Parquet, where the extra `parquet` is installed: columns keep their types."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any


def parquet(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes | None:
    """Return a table as Parquet: numbers as numbers, all else as text, None as missing; None where
    pyarrow is not installed.  Whole numbers no type of 64 bits holds are text, to the last digit.
    """
    if importlib.util.find_spec("pyarrow") is None:
        return None
    import pyarrow
    from pyarrow.parquet import write_table

    arrays = [_typed([row[n] for row in rows]) for n in range(len(columns))]
    sink = pyarrow.BufferOutputStream()
    write_table(pyarrow.table(arrays, names=list(columns)), sink)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _typed(cells: list[Any]) -> Any:
    """Return the cells as a column of one type."""
    import pyarrow

    known = [cell for cell in cells if cell is not None]
    whole = [cell for cell in known if type(cell) is int]
    if known and len(whole) == len(known) and all(-(2**63) <= cell < 2**63 for cell in whole):
        return pyarrow.array(cells, pyarrow.int64())
    is_number = all(type(cell) in (int, float) for cell in known)
    if known and is_number and all(abs(cell) <= 2**53 for cell in whole):
        return pyarrow.array([None if cell is None else float(cell) for cell in cells])
    return pyarrow.array([None if c is None else str(c) for c in cells], pyarrow.string())
