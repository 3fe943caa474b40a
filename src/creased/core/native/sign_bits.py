"""Read and set the signs of rows in packed words."""

from __future__ import annotations

import numpy as np

from creased.core.native.compiler import Integers, part


@part
def has_bit(words: Integers, row: int) -> bool:
    """Return the sign of a row."""
    return (words[row >> 6] >> (row & 63)) & 1 == 1


@part
def set_bit(words: Integers, row: int) -> None:
    """Make the sign of a row +."""
    words[row >> 6] |= np.int64(1) << np.int64(row & 63)
