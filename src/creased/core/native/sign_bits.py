"""Read and set the signs of rows in packed words."""

from __future__ import annotations

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from creased.core.native.compiler import Integers, part


@part
def has_bit(words: Integers, row: int) -> bool:
    """Return the sign of a row."""
    return (words[row >> 6] >> (row & 63)) & 1 == 1


@part
def bits_between(word: int, w: int, first: int, stop: int) -> int:
    """Clear the bits of word w that are of rows before ``first``, or from ``stop`` on."""
    low, high = first - (w << 6), stop - (w << 6)
    if low > 0:
        word &= -1 << low
    if high < 64:
        word &= ~(-1 << high)
    return word


@part
def lowest_row(word: int, w: int) -> int:
    """Return the row of the lowest bit that is set in word w, which is not zero."""
    n_below: int = trailing_zeros(word)
    return (w << 6) + n_below


@part
def list_set(words: Integers, first: int, n: int, found: Integers) -> int:
    """List which of n rows from one on are +; return how many."""
    n_found, stop = 0, first + n
    for w in range(first >> 6, (stop + 63) >> 6):
        bits = bits_between(words[w], w, first, stop)
        while bits != 0:
            found[n_found] = lowest_row(bits, w) - first
            bits &= bits - 1
            n_found += 1
    return n_found


@part
def set_bit(words: Integers, row: int) -> None:
    """Make the sign of a row +."""
    words[row >> 6] |= np.int64(1) << np.int64(row & 63)
