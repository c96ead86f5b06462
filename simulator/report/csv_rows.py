"""Rows of integers as CSV text, some hundred megabytes a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from simulator.jit import kernel

#: a 64-bit integer, its sign and the comma behind it
WIDEST = 21
COMMA, NEWLINE, MINUS, ZERO = 44, 10, 45, 48


@kernel
def format_rows(rows, text):  # type: ignore[no-untyped-def]
    """Write rows (n, columns) int64 into text, uint8 with WIDEST bytes a number; return the bytes
    written.
    """
    position = 0
    for n in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            number = rows[n, column]
            if number < 0:
                text[position] = MINUS
                position += 1
                number = -number
            digits = 1
            rest = number
            while rest >= 10:
                rest //= 10
                digits += 1
            for k in range(digits):
                text[position + digits - 1 - k] = ZERO + number % 10
                number //= 10
            position += digits
            text[position] = COMMA if column < rows.shape[1] - 1 else NEWLINE
            position += 1
    return position


def rows_writer(file: BinaryIO, columns: tuple[str, ...]) -> Callable[[np.ndarray], None]:
    """Write the header and return what writes rows of integers under it."""
    file.write((",".join(columns) + "\n").encode())

    def write(rows: np.ndarray) -> None:
        rows = np.ascontiguousarray(rows, np.int64)
        text = np.empty(rows.size * WIDEST, np.uint8)
        file.write(text[: format_rows(rows, text)].data)

    return write
