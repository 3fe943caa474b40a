"""Cells of the unperturbed arrangement: perturbed cells of the same dimension, identified by true signs.

Subdivision perturbs: rows that meet in a point are moved apart by nothing, which leaves cells without extent.
A perturbed cell shrinks to a part of the cell with the signs that the network really has on it, zeros in
all places where it vanishes; those are the signs of its vertices together. It keeps its dimension unless
these signs are those of a cell of less. So the true cells of dimension k are the true signs of perturbed
k-cells that keep k.

Which values are zero is decided in rationals, wherever floating point leaves it open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cells import CellsAround
from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.hash_keys import CellCodes, find_words, group_words
from creased.core.arrangement.signs import RowLayout, pack_rows, unpack_rows
from creased.core.arrangement.skeleton import Skeleton
from creased.core.domains.domain import Domain
from creased.core.exact.exact_signs import ExactRows
from creased.core.formatting import format_number_of
from creased.core.numerics.tolerance import may_coincide
from creased.core.program.program import BATCH, Program


class Signs(NamedTuple):
    """True signs of cells, packed: a row vanishes where neither bit is set."""

    plus: Tensor  # (n, W) int64
    minus: Tensor  # (n, W) int64

    def choose(self, index: Tensor) -> Signs:
        """Select cells (m,)."""
        return Signs(self.plus[index], self.minus[index])

    def unpack(self, n_rows: int) -> Tensor:
        """Signs (n, n_rows) int8 in {-1, 0, +1}."""
        plus, minus = (unpack_rows(words, 0, n_rows).to(torch.int8) for words in self)
        return plus - minus

    def __repr__(self) -> str:
        return f"signs of {format_number_of(len(self.plus), 'cell')}"


@dataclass(frozen=True)
class TrueCells:
    """Relatively open cells, each once, by dimension; cells at infinity are left out."""

    signs: tuple[Signs, ...]  # of the cells of dimension 0, 1, ..., D
    vertices: Tensor  # (n_0, D): positions of the first
    edges: Tensor  # (n_1, 2) int64: ends of the second; -1 at infinity
    vertex: Tensor  # (V,) int64: which true vertex each perturbed one is; -1 for rays
    layout: RowLayout

    def f_vector(self) -> tuple[int, ...]:
        """Numbers of cells of dimension 0, 1, ..., D."""
        return tuple(signs.plus.shape[0] for signs in self.signs)

    def on_row(self, row: int) -> tuple[int, ...]:
        """Numbers of cells of dimension 0, 1, ..., D on which a row vanishes."""
        return tuple(int((signs.unpack(row + 1)[:, row] == 0).sum()) for signs in self.signs)

    def sign_vectors(self, dim: int) -> Tensor:
        """Signs (n, n_rows) int8 in {-1, 0, +1} of the cells of one dimension."""
        return self.signs[dim].unpack(self.layout.n_rows)

    @property
    def n_flat(self) -> int:
        """Full-dimensional cells on which an output vanishes."""
        outputs = self.sign_vectors(len(self.signs) - 1)[:, self.layout.first_output :]
        return int((outputs == 0).any(1).sum())

    def __repr__(self) -> str:
        return f"unperturbed cells: f-vector {self.f_vector()}"


def find_true_cells(
    skeleton: Skeleton, domain: Domain, program: Program, exact: ExactRows, rows: Arrangement
) -> TrueCells:
    """Find the unperturbed cells of a whole complex.

    Args:
        skeleton: of the whole complex, with right signs; see `creased.core.exact.exact_signs`.
        domain: that was cut.
        program: that it is of, its outputs less the level.
        exact: the same in rationals.
        rows: tables of the arrangement.
    """
    codes = CellCodes(skeleton.words, skeleton.zero_ids)
    walls = domain.halfspaces(program.dtype, program.device)
    in_doubt = may_vanish(codes, skeleton.vertices, program, walls, exact.layout)
    at_vertices = true_signs(codes, skeleton.vertices, in_doubt, exact)
    found = list[Signs]()
    for dim in range(exact.dim + 1):
        cells = CellsAround(codes, None, dim, rows)
        found.append(distinct_cells(signs_of_cells(cells, at_vertices), found, exact.layout))
    is_ray = exact.layout.is_ray(skeleton.zero_ids)
    label = find_words(_names(at_vertices), _names(found[0])).masked_fill(is_ray, -1)
    place = torch.zeros(found[0].plus.shape[0], dtype=torch.int64, device=label.device)
    finite = (~is_ray).nonzero()[:, 0]
    place[label[finite]] = finite
    first, second = skeleton.edges.long().unbind(1)
    along = Signs(*(x[first] | x[second] for x in at_vertices))
    number = find_words(_names(along), _names(found[1])) if skeleton.edges.shape[0] else first
    has = (number >= 0).nonzero()[:, 0]
    edges = torch.full((found[1].plus.shape[0], 2), -1, device=label.device)
    edges[number[has]] = label[skeleton.edges.long()[has]]
    return TrueCells(tuple(found), skeleton.vertices[place], edges, label, exact.layout)


def true_signs(codes: CellCodes, points: Tensor, in_doubt: Tensor, exact: ExactRows) -> Signs:
    """True signs of all rows at vertices (V, D); with zeros beyond the zero ids only where in doubt (V,)."""
    words, layout = codes.words, exact.layout
    is_zero = torch.zeros((words.shape[0], layout.n_rows), dtype=torch.bool, device=words.device)
    is_zero.scatter_(1, codes.zero_ids.long(), True)
    doubtful = in_doubt.nonzero()[:, 0]
    is_zero[doubtful] |= exact.zeros(codes.choose(doubtful), points[doubtful])
    rows, zeros = (pack_rows(part, 0, layout.n_words) for part in (torch.ones_like(is_zero[:1]), is_zero))
    minus = ~words & rows & ~zeros
    return Signs(words & ~zeros, minus)


def may_vanish(
    codes: CellCodes, points: Tensor, program: Program, walls: Tensor, layout: RowLayout
) -> Tensor:
    """True (V,) for rays, and where a row outside of the zero ids may vanish."""
    parts, zero_ids = [], codes.zero_ids.long()
    for at, zeros in zip(points.split(BATCH), zero_ids.split(BATCH), strict=True):
        neurons = program.preactivations(at)[:, : layout.n_neurons + layout.n_outputs]
        values = torch.cat([at @ walls[:-1] + walls[-1], neurons], dim=1)
        reach = float(values.abs().max()) if values.numel() else 0.0
        parts.append(may_coincide(values.scatter(1, zeros, torch.inf), reach).any(1))
    return torch.cat([*parts, points[:0, 0].bool()]) | layout.is_ray(zero_ids)


def signs_of_cells(cells: CellsAround, at_vertices: Signs) -> Signs:
    """Signs of cells: the union of those of their vertices."""
    groups = cells.group()
    vertex = cells.vertices(groups.order)
    starts = groups.starts.nonzero()[:, 0]
    sizes = torch.diff(starts, append=starts.new_tensor([vertex.shape[0]]))
    together = at_vertices.choose(vertex[starts])
    for index in range(1, int(sizes.max()) if sizes.numel() else 0):
        more = (sizes > index).nonzero()[:, 0]
        others = at_vertices.choose(vertex[starts[more] + index])
        for words, other in zip(together, others, strict=True):
            words[more] |= other
    return together


def distinct_cells(signs: Signs, lower: Sequence[Signs], layout: RowLayout) -> Signs:
    """Distinct signs (n,) of cells that keep their dimension, and are not at infinity.

    A cell that shrinks to one of less dimension has the signs of that one, for some of its faces keeps that
    dimension, and covers a part of it.

    Args:
        signs: of perturbed cells of one dimension.
        lower: of the true cells of each lower dimension.
        layout: how rows are numbered.
    """
    names = _names(signs)
    groups = group_words(names)
    once = groups.firsts()
    known = torch.cat([names[:0], *map(_names, lower)])
    once = once[find_words(names[once], known) < 0]
    if layout.at_infinity:
        once = once[signs.plus[once, 0] & 1 == 1]
    return signs.choose(once)


def _names(signs: Signs) -> Tensor:
    return torch.cat(signs, dim=1)
