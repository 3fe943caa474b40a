"""Reduce a filtered cell complex to its critical cells: discrete Morse theory by coreductions.

In each lower star a cell that has one facet left there is paired with it, and both are removed (a
coreduction, Mrozek and Batko 2009); where there is none, a cell of the least dimension left is critical.
After `ProcessLowerStars` of Robins, Wood and Sheppard 2011, on all stars at once. What is paired in one round
has no other facet left, so that paths of pairs lead to earlier rounds or lower stars: the matching is
acyclic.

The critical cells with the boundaries that follow along paths of pairs have the homology of the complex, and,
as pairs are within stars, its persistence (Mischaikow and Nanda 2013). Around a vertex of a generic complex
there is no critical cell, or one, of as many dimensions as the rows along both sides of which the function
falls (Grigsby, Lindsey and Masden 2022; Brooks and Masden 2024): so few are left. A subcomplex may be paired
by itself, and the rest by itself: no path leads from the subcomplex to the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.numerics.tensors import ranges_of
from creased.topology.cell_complexes import CellComplex

MOST = 1 << 53  # of an incidence number between critical cells


@dataclass(frozen=True)
class Matching:
    """An acyclic matching of the cells of a complex."""

    upper: Tensor  # (n,) int64: the cell of one dimension more that a cell is paired with; -1: none
    lower: Tensor  # (n,) int64: the facet that it is paired with; -1: none

    def critical(self) -> Tensor:
        """Cells (c,) int64 in no pair."""
        return ((self.upper < 0) & (self.lower < 0)).nonzero()[:, 0]


def match_lower_stars(complex_: CellComplex, star: Tensor, is_free: Tensor | None = None) -> Matching:
    """Pair cells within their stars.

    Args:
        complex_: any regular cell complex.
        star: of each cell, (n,) int64: the rank of a vertex.
        is_free: True (n,) for cells that may be paired, less a subcomplex; None: all.
    """
    cell, facet = complex_.facets.cell, complex_.facets.facet
    is_left = torch.ones_like(star, dtype=torch.bool) if is_free is None else is_free.clone()
    inner = ((star[cell] == star[facet]) & is_left[cell] & is_left[facet]).nonzero()[:, 0]
    cell, facet, left = cell[inner], facet[inner], is_left.nonzero()[:, 0]
    upper, lower = (torch.full_like(star, -1) for _ in range(2))
    n_stars = int(star.max()) + 1 if star.numel() else 0
    while left.numel():
        n_facets = torch.bincount(cell, minlength=complex_.n)
        only = torch.zeros_like(star).index_add_(0, cell, facet)  # the one facet, where there is one
        paired = left[n_facets[left] == 1]
        upper.scatter_reduce_(0, only[paired], paired, "amax")  # of several cells one has the facet
        paired = paired[upper[only[paired]] == paired]
        lower[paired] = only[paired]
        is_busy = torch.zeros(n_stars, dtype=torch.bool).index_fill_(0, star[paired], value=True)
        idle = left[~is_busy[star[left]]]
        least = star.new_full((n_stars,), complex_.n).scatter_reduce_(0, star[idle], idle, "amin")
        is_left[torch.cat([paired, only[paired], least[star[idle]]])] = False
        left = left[is_left[left]]
        remains = (is_left[cell] & is_left[facet]).nonzero()[:, 0]
        cell, facet = cell[remains], facet[remains]
    return Matching(upper, lower)


class MorseBoundary(NamedTuple):
    """Boundaries of critical cells, as sparse entries."""

    cell: Tensor  # (m,) int64
    face: Tensor  # (m,) int64: critical, of one dimension less
    value: Tensor  # (m,) int64: incidence number, not 0


def morse_boundary(complex_: CellComplex, matching: Matching, modulo: int = 0) -> MorseBoundary:
    """Sum incidence numbers over all paths of pairs from critical cells to critical faces.

    Paths are followed upwards from all faces at once: a cell that is paired with a facet is left by the other
    cofaces of that.

    Args:
        complex_: oriented, unless numbers are taken modulo 2.
        matching: of its cells, acyclic.
        modulo: a prime below 2^20; 0 for integers.

    Raises:
        ArithmeticError: a number is too large.
    """
    critical, is_critical = matching.critical(), (matching.upper < 0) & (matching.lower < 0)
    cofaces = _Cofaces(complex_, matching)
    entries = []
    face, at, value = torch.arange(len(critical), device=critical.device), critical, torch.ones_like(critical)
    while at.numel():
        source, cell, sign = cofaces.beside_pairs(at)
        key, place = torch.unique(face[source] * complex_.n + cell, return_inverse=True)
        value = torch.zeros_like(key).index_add_(0, place, value[source] * sign)
        value = value % modulo if modulo else value
        if value.numel() and int(value.abs().max()) > MOST:
            raise ArithmeticError("homology: incidence numbers of critical cells exceed 2^53; give `modulo`")
        kept = value.nonzero()[:, 0]
        face, cell, value = key[kept] // complex_.n, key[kept] % complex_.n, value[kept]
        ends, goes_on = is_critical[cell].nonzero()[:, 0], (matching.lower[cell] >= 0).nonzero()[:, 0]
        entries.append(MorseBoundary(cell[ends], critical[face[ends]], value[ends]))
        face, at = face[goes_on], matching.lower[cell[goes_on]]
        value = -value[goes_on] * cofaces.sign_of_pair[at]
    return _summed(entries, complex_.n, modulo)


class _Cofaces:
    """Cells of one dimension more around cells that paths of pairs lead through or start from."""

    def __init__(self, complex_: CellComplex, matching: Matching) -> None:
        cell, facet, sign = complex_.facets
        is_pair = matching.upper[facet] == cell
        pairs = is_pair.nonzero()[:, 0]
        self.sign_of_pair = torch.zeros_like(matching.upper).index_copy_(0, facet[pairs], sign[pairs])  # (n,)
        kept = (~is_pair & (matching.lower < 0)[facet]).nonzero()[:, 0]
        cell, facet, sign = (column.index_select(0, kept) for column in (cell, facet, sign))
        order = facet.argsort(stable=True)
        self._cell, self._sign = cell[order], sign[order]
        self._sizes = torch.bincount(facet, minlength=complex_.n)
        self._starts = self._sizes.cumsum(0) - self._sizes

    def beside_pairs(self, at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """List the cofaces of cells (k,), but those they are paired with: place in ``at``, cell, sign."""
        source, place = ranges_of(self._starts[at], self._sizes[at])
        return source, self._cell[place], self._sign[place]


def _summed(entries: list[MorseBoundary], n: int, modulo: int) -> MorseBoundary:
    """Sum entries of the same cell and face; leave out those that cancel."""
    none = torch.empty(0, dtype=torch.int64)
    cell, face, value = (
        (torch.cat(column) for column in zip(*entries, strict=True)) if entries else (none,) * 3
    )
    key, place = torch.unique(cell * n + face, return_inverse=True)
    value = torch.zeros_like(key).index_add_(0, place, value)
    value = value % modulo if modulo else value
    kept = value.nonzero()[:, 0]
    return MorseBoundary(key[kept] // n, key[kept] % n, value[kept])
