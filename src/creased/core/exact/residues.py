"""Integers by residues modulo primes (Chinese remainder theorem), in floats that hold them exactly.

Residues are of least absolute value, and sums of products of two stay below 2^52, so that matrices of them
are multiplied without rounding. A residue is zero if and only if the prime divides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from itertools import combinations
from math import isqrt, prod
from operator import mul
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.exact.integer_program import IntegerAffine

LARGEST_SUM = 2**52
LIMB = 62  # bits of an integer that are taken at once
SPARSE = 0.25  # share of nonzero entries below which a matrix is kept sparse


class Moduli(NamedTuple):
    """Primes, the product of which exceeds twice the largest absolute value of what is computed."""

    primes: tuple[int, ...]

    @staticmethod
    def of(bound: int, n_terms: int) -> Moduli:
        """Choose them such that sums of so many products of two residues are exact."""
        found, product = list[int](), 1
        for prime in _primes_below(2 * isqrt(LARGEST_SUM // n_terms) - 2):
            found.append(prime)
            product *= prime
            if product > 2 * bound:
                return Moduli(tuple(found))
        raise ArithmeticError(f"too few primes: of an integer of {bound.bit_length()} bits")

    def integers(self, residues: Tensor) -> list[int]:
        """Integers (k,) of residues (P, k)."""
        product = prod(self.primes)
        others = [product // prime for prime in self.primes]
        basis = [m * pow(m, -1, prime) for m, prime in zip(others, self.primes, strict=True)]
        found = (sum(map(mul, column, basis)) % product for column in residues.T.long().tolist())
        return [x - product if 2 * x > product else x for x in found]

    def signs(self, residues: Tensor) -> Tensor:
        """Signs (k,) int8 in {-1, 0, 1} of integers with residues (P, k)."""
        signs = (residues != 0).any(0).to(torch.int8)
        nonzero = signs.nonzero()[:, 0]
        values = self.integers(residues[:, nonzero])
        signs[nonzero] = torch.tensor([1 if x > 0 else -1 for x in values], dtype=torch.int8)
        return signs


@dataclass(frozen=True)
class SplitMatrix:
    """An integer matrix, cut into limbs."""

    shape: tuple[int, int]
    index: Tensor  # (2, m) int64: of its nonzero entries
    limbs: Tensor  # (L, m) int64, of their absolute values, the lowest first
    is_negative: Tensor  # (m,) bool
    shift: int

    @staticmethod
    def of(affine: IntegerAffine) -> SplitMatrix:
        """Cut weight and bias of an affine map."""
        columns = [j for row in affine.columns for j in row]
        rows = [i for i, row in enumerate(affine.columns) for _ in row]
        entries = [x for row in affine.entries for x in row]
        n_limbs = max((-(-x.bit_length() // LIMB) for x in entries), default=1)
        low = (1 << LIMB) - 1
        limbs = [[abs(x) >> (LIMB * i) & low for x in entries] for i in range(n_limbs)]
        return SplitMatrix(
            (len(affine.columns), affine.width + 1),
            torch.tensor([rows, columns], dtype=torch.int64).view(2, -1),
            torch.tensor(limbs, dtype=torch.int64).view(n_limbs, -1),
            torch.tensor([x < 0 for x in entries], dtype=torch.bool),
            affine.shift,
        )

    def modulo(self, prime: int) -> Tensor:
        """Residues of the matrix, float64, sparse where most entries are zero."""
        found = torch.zeros_like(self.is_negative, dtype=torch.int64)
        for i, limb in enumerate(self.limbs):
            found += limb % prime * pow(2, LIMB * i, prime) % prime
        found = torch.where(self.is_negative, -found, found)
        entries = centred(found.double(), prime)
        matrix = torch.sparse_coo_tensor(
            self.index, entries, self.shape, check_invariants=False, is_coalesced=True
        )
        return matrix if self.index.shape[1] < SPARSE * prod(self.shape) else matrix.to_dense()


def centred(x: Tensor, prime: int) -> Tensor:
    """Reduce integers, in floats, to residues of least absolute value, in place."""
    return x.sub_((x * (1 / prime)).round_(), alpha=prime)


def cofactors(rows: Tensor, prime: int) -> Tensor:
    """Signed minors (n, k + 1) of matrices of k rows (k, n, k + 1): a vector orthogonal to all of them."""
    n_rows, _, width = rows.shape
    minors: dict[tuple[int, ...], Tensor] = {(): rows.new_ones(rows.shape[1])}
    for n_done in range(n_rows):
        minors = {
            columns: centred(_expanded(rows[n_done], columns, minors), prime)
            for columns in combinations(range(width), n_done + 1)
        }
    every = tuple(range(width))
    return torch.stack([(-1) ** j * minors[_without(every, j)] for j in every], dim=1)


def _expanded(row: Tensor, columns: tuple[int, ...], minors: Mapping[tuple[int, ...], Tensor]) -> Tensor:
    """Expand a minor along its last row (n, width)."""
    terms = ((-1) ** i * row[:, j] * minors[_without(columns, i)] for i, j in enumerate(columns))
    return reduce(torch.add, terms) * (-1) ** (len(columns) - 1)


def _without(columns: tuple[int, ...], place: int) -> tuple[int, ...]:
    return columns[:place] + columns[place + 1 :]


def _primes_below(limit: int) -> Iterator[int]:
    """Primes, the largest first."""
    return (n for n in range(limit, 2, -1) if _is_prime(n))


@cache
def _is_prime(n: int) -> bool:
    return n % 2 == 1 and all(n % q for q in range(3, isqrt(n) + 1, 2))
