"""Integers by residues modulo primes (Chinese remainder theorem), in floats that hold them exactly.

Residues are of least absolute value, and sums of products of two stay below 2^52, so that matrices of them
are multiplied without rounding. A residue is zero if and only if the prime divides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    """Primes, the product of which exceeds four times the largest absolute value of what is computed.

    Twice would do for digits of least absolute value; these may exceed half of a prime by one.
    """

    primes: tuple[int, ...]

    @staticmethod
    def of(bound: int, n_terms: int) -> Moduli:
        """Choose them such that sums of so many products of two residues are exact."""
        found, product = list[int](), 1
        for prime in _primes_below(2 * isqrt(LARGEST_SUM // n_terms) - 2):
            found.append(prime)
            product *= prime
            if product > 4 * bound:
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
        """Signs (k,) int8 in {-1, 0, 1} of integers with residues (P, k), by Garner's algorithm.

        In the mixed radix system of the primes, with digits of least absolute value, the last digit that is
        not zero has the sign of the number.
        """
        some = (residues != 0).any(0).nonzero()[:, 0]
        signs, digits = residues.new_zeros(len(some)), list[Tensor]()
        for i, prime in enumerate(self.primes):
            digit = residues[i, some]
            for lower, other in zip(digits, self.primes, strict=False):
                digit = centred(digit.sub_(lower).mul_(_least(pow(other, -1, prime), prime)), prime)
            digits.append(digit)
            signs = torch.where(digit == 0, signs, digit.sign())
        return residues.new_zeros(residues.shape[1], dtype=torch.int8).index_copy_(
            0, some, signs.to(torch.int8)
        )


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

    def residues(self, primes: Sequence[int]) -> Tensor:
        """Residues (P, m) of the entries modulo each prime, float64."""
        moduli = torch.tensor(primes)[:, None]
        found = torch.zeros((len(primes), self.is_negative.shape[0]), dtype=torch.int64)
        for i, limb in enumerate(self.limbs):
            weights = torch.tensor([pow(2, LIMB * i, prime) for prime in primes])[:, None]
            found += limb % moduli * weights % moduli
        found = torch.where(self.is_negative, -found, found)
        return centred(found.double(), moduli.double())

    def modulo(self, primes: Sequence[int]) -> ModularMatrix:
        """Reduce the matrix modulo each prime."""
        entries, (n_rows, width) = self.residues(primes), self.shape
        place = torch.arange(len(primes))[:, None]
        index = torch.stack([self.index[0] + n_rows * place, self.index[1] + width * place]).flatten(1)
        matrix = torch.sparse_coo_tensor(
            index,
            entries.flatten(),
            (n_rows * len(primes), width * len(primes)),
            check_invariants=False,
            is_coalesced=True,
        )
        if self.index.shape[1] < SPARSE * prod(self.shape):
            return ModularMatrix(matrix, len(primes))
        dense = entries.new_zeros((len(primes), n_rows, width))
        dense[:, self.index[0], self.index[1]] = entries
        return ModularMatrix(dense, len(primes))


class ModularMatrix(NamedTuple):
    """A matrix (N, S) modulo P primes, float64."""

    entries: Tensor  # (P, N, S), or where most are zero sparse, with these as blocks of its diagonal
    n_primes: int

    def __matmul__(self, state: Tensor) -> Tensor:
        """Multiply by a matrix (P, S, m) of residues, without reducing: (P, N, m)."""
        if not self.entries.is_sparse:
            return self.entries @ state
        return (self.entries @ state.flatten(0, 1)).view(self.n_primes, -1, state.shape[2])


def centred(x: Tensor, primes: Tensor | int) -> Tensor:
    """Reduce integers, in floats, to residues of least absolute value, in place; primes are broadcast."""
    if isinstance(primes, int):
        return x.sub_((x * (1 / primes)).round_(), alpha=primes)
    return x.addcmul_((x * primes.reciprocal()).round_(), primes, value=-1)


def cofactors(rows: Tensor, primes: Tensor | int) -> Tensor:
    """Signed minors (..., k + 1) of k rows (k, ..., k + 1): a vector orthogonal to all of them."""
    n_rows, width = rows.shape[0], rows.shape[-1]
    minors: dict[tuple[int, ...], Tensor] = {(): rows.new_ones(rows.shape[1:-1])}
    for n_done in range(n_rows):
        minors = {
            columns: centred(_expanded(rows[n_done], columns, minors), primes)
            for columns in combinations(range(width), n_done + 1)
        }
    every = tuple(range(width))
    return torch.stack([(-1) ** j * minors[_without(every, j)] for j in every], dim=-1)


def _expanded(row: Tensor, columns: tuple[int, ...], minors: Mapping[tuple[int, ...], Tensor]) -> Tensor:
    """Expand a minor along its last row (..., width)."""
    terms = ((-1) ** i * row[..., j] * minors[_without(columns, i)] for i, j in enumerate(columns))
    return reduce(torch.add, terms) * (-1) ** (len(columns) - 1)


def _without(columns: tuple[int, ...], place: int) -> tuple[int, ...]:
    return columns[:place] + columns[place + 1 :]


def _least(x: int, prime: int) -> int:
    """Residue of least absolute value."""
    return x - prime if 2 * x > prime else x


def _primes_below(limit: int) -> Iterator[int]:
    """Primes, the largest first."""
    return (n for n in range(limit, 2, -1) if _is_prime(n))


@cache
def _is_prime(n: int) -> bool:
    return n % 2 == 1 and all(n % q for q in range(3, isqrt(n) + 1, 2))
