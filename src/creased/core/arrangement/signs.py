"""Packed sign vectors: one bit a row of the arrangement, 64 rows an int64 word.

Rows are the walls of the domain, then the neurons block by block, then the outputs; row ``i`` is bit
``i % 64`` of word ``i // 64``. A bit is 1 where the sign is +. Where a cell lies *on* a row (sign 0) its
bit is 0 and the row is listed among its zero ids: a cell of dimension d in D dimensions has D - d of them.
An exact zero that is not listed counts as + (simulation of simplicity: the row's bias moved up by an
infinitesimal), which keeps every arrangement generic.

Because listed zeros have bit 0, the code of an edge is the OR of the codes of its two ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

WORD = 64


@dataclass(frozen=True)
class RowLayout:
    """The numbering of rows: walls, neurons of each block, outputs."""

    n_walls: int
    widths: tuple[int, ...]  # neurons of each block
    n_outputs: int  # 0 if the outputs do not cut the complex
    at_infinity: bool = False  # True if row 0, the only wall, is the wall at infinity: see `whole_space`
    on_grid: bool = False  # the last word of a code is the number of a simplex, see `creased.core.grids`

    @property
    def n_neurons(self) -> int:
        """Number of neurons of all blocks."""
        return sum(self.widths)

    @property
    def n_rows(self) -> int:
        """Number of walls, neurons and outputs."""
        return self.n_walls + self.n_neurons + self.n_outputs

    @property
    def n_words(self) -> int:
        """Number of int64 words of a packed sign vector."""
        return -(-self.n_rows // WORD) + self.on_grid

    @property
    def first_output(self) -> int:
        """Row of the first output."""
        return self.n_walls + self.n_neurons

    def masks(self, words: Tensor, dtype: torch.dtype) -> Tensor:
        """Activation patterns (n, n_neurons), 1 or 0, of cells given by packed signs (n, W)."""
        return masks_of(words, self.n_walls, self.n_neurons, dtype)

    def is_ray(self, zero_ids: Tensor) -> Tensor:
        """True (V,) for vertices at infinity, stored as directions, given their zero ids (V, D)."""
        if not self.at_infinity:
            return torch.zeros(zero_ids.shape[0], dtype=torch.bool, device=zero_ids.device)
        return zero_ids[:, 0] == 0


def pack_rows(signs: Tensor, first_row: int, n_words: int) -> Tensor:
    """Pack signs (V, N), True for +, into words (V, n_words), the first one as row ``first_row``."""
    if signs.shape[1] == 0:
        return torch.zeros((signs.shape[0], n_words), dtype=torch.int64, device=signs.device)
    word, bit = divmod(first_row, WORD)
    padded = torch.nn.functional.pad(signs, (bit, -(bit + signs.shape[1]) % 8))
    lanes = padded.flatten().view(torch.int64) * 0x0102040810204080  # eight bools a lane, one in each byte
    octets = lanes.view(torch.uint8)[7::8]  # in the highest byte the eight bits of a lane
    octets = octets.reshape(len(padded), padded.shape[1] // 8)
    around = (8 * word, 8 * (n_words - word) - octets.shape[1])
    return torch.nn.functional.pad(octets, around).contiguous().view(torch.int64)


def clear_rows(words: Tensor, rows: Tensor) -> None:
    """Clear, in place, the bit of one row (V,) int64 in each of packed words (V, W)."""
    place = (rows // WORD)[:, None]
    bit = (torch.ones_like(rows) << (rows % WORD))[:, None]
    words.scatter_(1, place, words.gather(1, place) & ~bit)


def unpack_rows(words: Tensor, first_row: int, n_rows: int) -> Tensor:
    """Unpack the bits (V, n_rows), bool, of rows from ``first_row`` on of packed words (V, W)."""
    rows = torch.arange(first_row, first_row + n_rows, device=words.device)
    return (words[:, rows // WORD] >> (rows % WORD)) & 1 == 1


def masks_of(words: Tensor, first_row: int, n_rows: int, dtype: torch.dtype) -> Tensor:
    """Unpack bits as `unpack_rows` does, to numbers 0 and 1 of a dtype: (V, n_rows), strided."""
    octets = words.contiguous().view(torch.uint8).int()
    unpacked = torch.nn.functional.embedding(octets, _octet_table(dtype, words.device))
    return unpacked.flatten(1)[:, first_row : first_row + n_rows]


@cache
def _octet_table(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Tabulate the eight bits of every byte, (256, 8)."""
    with torch.inference_mode(mode=False):
        octets, bits = torch.arange(256, device=device), torch.arange(8, device=device)
        return ((octets[:, None] >> bits) & 1).to(dtype)


def signs_of(words: Tensor, n_rows: int) -> Tensor:
    """Unpack the first rows of packed words (V, W) to 1 for set bits, else -1: (V, n_rows) int8, strided."""
    octets = words.contiguous().view(torch.uint8).view(-1).int()
    unpacked = _octet_signs(words.device).index_select(0, octets).view(torch.int8)
    return unpacked.view(words.shape[0], WORD * words.shape[1])[:, :n_rows]


@cache
def _octet_signs(device: torch.device) -> Tensor:
    """Tabulate the signs of the eight bits of every byte, eight int8 in an int64: (256,)."""
    with torch.inference_mode(mode=False):
        return (2 * _octet_table(torch.float32, device) - 1).to(torch.int8).view(torch.int64).view(-1)


def row_bits(n_rows: int, n_words: int, device: torch.device) -> Tensor:
    """Tabulate the words (n_rows, n_words) with the bit of each row set."""
    rows = torch.arange(n_rows, device=device)
    bits = torch.zeros((n_rows, n_words), dtype=torch.int64, device=device)
    bits[rows, rows // WORD] = torch.ones_like(rows) << (rows % WORD)
    return bits


def rows_before(n_rows: int, n_words: int, device: torch.device) -> Tensor:
    """Tabulate masks (n_rows + 1, n_words): entry i has the bits of all rows below i."""
    bits = row_bits(n_rows, n_words, device)
    return torch.cat([torch.zeros_like(bits[:1]), bits.cumsum(0)])  # bits are disjoint: sums are ORs


def lowest_row(words: Tensor, first_word: int = 0) -> Tensor:
    """Find the lowest set row (V,) int32 of words (V, W) from one on; where no bit is set, the row before."""
    index = None if words.shape[1] == 1 else (words != 0).to(torch.int8).argmax(dim=1)
    word = words[:, 0] if index is None else words.gather(1, index[:, None])[:, 0]
    exponent = torch.frexp((word & -word).to(torch.float64)).exponent  # exact: a power of two
    return (exponent if index is None else exponent.add_(index, alpha=WORD)) + (WORD * first_word - 1)


def sign_vectors(words: Tensor, zero_ids: Tensor, n_rows: int) -> Tensor:
    """Unpack signs (V, n_rows) int8 in {-1, 0, +1} from packed words (V, W) and zero ids (V, z).

    Ids below 0, planes of a grid, have no column.
    """
    signs = unpack_rows(words, 0, n_rows).to(torch.int8) * 2 - 1
    columns = zero_ids.long().masked_fill(zero_ids < 0, n_rows)
    return torch.nn.functional.pad(signs, (0, 1)).scatter_(1, columns, 0)[:, :-1]
