"""Which signs of a found complex floating point proves, and which it leaves in doubt.

A vertex x* is where its D rows vanish, in the cell that its signs name. All that is known of it is a point x
near it. With the rows' values at x, and a bound on the inverse of their Jacobian J, it is no farther than
|x* - x| <= |J^-1| |values|; another row then has the sign at x* that it has at x, if it is larger there than
its slope times that, and than what rounding made of it. Two filters, both rigorous, the cheap one first:

- `by_neighbours` takes J^-1 from the edges: the one that leaves a row goes along a column of J^-1, of the
  length by which the row grows. Slopes are bounded once for all cells. For whole complexes.
- `by_slopes` finds J and all slopes at each vertex. For what the other one leaves, and for level sets.

With K the affine maps of the cell in which own rows are inactive, rounding of an evaluation is bounded by
gamma times the same network with absolute weights, as in Higham, Accuracy and Stability, section 3.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.pairing import CellCodes
from creased.core.program import BATCH, Program
from creased.core.records import map_tensors
from creased.core.signs import RowLayout, masks_of, pack_rows
from creased.core.tolerance import rounding_error

HALF = 0.5  # how far from the identity J times its approximate inverse may be


class Bounds(NamedTuple):
    """What is known of all rows, in all cells, on a domain."""

    rounding: Tensor  # (n_rows,): of a value
    slope: Tensor  # (n_rows,): sum of absolute derivatives
    passing: Tensor  # (n_rows,): what changes of 1 in all earlier neurons can do
    slope_rounding: Tensor  # (n_rows,): of a derivative


class HalfEdges(NamedTuple):
    """Edges as they leave vertices, on the side where the row that they leave is inactive."""

    vertex: Tensor  # (n,) int32
    end: Tensor  # (n,) int32
    row: Tensor  # (n,) int32: the row that vanishes at the vertex, but not along the edge
    length: Tensor  # (n,): largest difference of coordinates

    def by_end(self) -> HalfEdges:
        """The same, in the order of their ends."""
        order = torch.argsort(self.end)
        return HalfEdges(*(part.index_select(0, order) for part in self))


class _Looked(NamedTuple):
    """What was found at vertices."""

    own: Tensor  # (V,): largest value of a row that should vanish, and its rounding
    margin: Tensor  # (V,): least of the other values, each relative to how much its row may change
    beyond: Tensor  # (n,): how far rows have grown at the end of half edges that leave them
    agrees: Tensor  # (V,) bool: whether signs are those of the values


class Filter:
    """Finds signs in doubt.

    Args:
        program: float64, its outputs less the level.
        walls: (D + 1, M), the constant last.
        layout: how rows are numbered.
        reach: bound (D,) on absolute coordinates.
    """

    def __init__(self, program: Program, walls: Tensor, layout: RowLayout, reach: Tensor) -> None:
        self._program, self._linear, self._layout = program, program.linear_part(), layout
        self._normals, self._constants = walls[:-1], walls[-1]
        self.bounds = self._bound(reach)

    def _bound(self, reach: Tensor) -> Bounds:
        program, (normals, constants) = self._program, (self._normals.abs(), self._constants.abs())
        absolute = map_tensors(program, torch.abs)
        ones = reach.new_ones((1, program.n_neurons))
        size = self._cut(absolute.preactivations_on(reach[None], ones))[0]
        slope = self._cut(absolute.linear_part().preactivations_on(torch.ones_like(reach)[None], ones))[0]
        n_terms = sum(sum(b.affine.weight.shape) + 4 for b in program.blocks)
        n_terms += sum(program.head.weight.shape) + program.in_dim
        lost = self._lost = rounding_error(torch.float64, n_terms)
        slopes = torch.cat([normals.sum(0), slope])
        return Bounds(
            rounding=lost * torch.cat([reach @ normals + constants, size]),
            slope=slopes,
            passing=torch.cat([torch.zeros_like(constants), self._cut(_passing(absolute))]),
            slope_rounding=lost * slopes,
        )

    def _cut(self, rows: Tensor) -> Tensor:
        return rows[..., : self._layout.n_neurons + self._layout.n_outputs]

    def _values(self, points: Tensor) -> Tensor:
        """All rows (n, n_rows) at points."""
        layout, n_done = self._layout, self._layout.n_walls
        values = points.new_empty((points.shape[0], layout.n_rows))
        torch.addmm(self._constants, points, self._normals, out=values[:, :n_done])
        state = points
        for block in self._program.blocks:
            z = values[:, n_done : n_done + block.n_neurons]
            torch.addmm(block.affine.bias, state, block.affine.weight.T, out=z)
            state = block.advance(state, z.relu())
            n_done += block.n_neurons
        if layout.n_outputs:
            torch.addmm(self._program.head.bias, state, self._program.head.weight.T, out=values[:, n_done:])
        return values

    def by_neighbours(self, points: Tensor, codes: CellCodes, sides: HalfEdges) -> Tensor:
        """True (V,) for vertices of a complex that may have a wrong sign; its edges are known to be right."""
        sides = sides.by_end()
        looked = self._look(points, codes, sides)
        twice = 2 * (1 + float(self.bounds.passing.max()))
        value = torch.where(looked.agrees, looked.own, torch.inf)
        both = value.index_select(0, sides.vertex).add_(value.index_select(0, sides.end))
        off = torch.zeros_like(value).index_add_(0, sides.vertex, both.div_(looked.beyond))
        spread = torch.zeros_like(value).index_add_(0, sides.vertex, sides.length / looked.beyond)
        n_sides = torch.bincount(sides.vertex, minlength=points.shape[0])
        is_known = (n_sides == points.shape[1]) & (twice * off <= HALF) & looked.agrees
        return ~(is_known & (looked.margin > value * (1 + twice * spread)))

    def _look(self, points: Tensor, codes: CellCodes, sides: HalfEdges) -> _Looked:
        """Evaluate all rows at all vertices, batch by batch, and keep what matters of them."""
        bounds, n = self.bounds, points.shape[0]
        like = points.new_empty(n)
        looked = _Looked(like, torch.empty_like(like), points.new_empty(len(sides.end)), like > 0)
        # A row may change by so much at most; what is larger than need be is sound too.
        scale = 1 / torch.maximum(torch.maximum(bounds.slope, bounds.passing), bounds.rounding / self._lost)
        starts = range(0, n, BATCH)
        cuts = torch.searchsorted(sides.end, torch.tensor([*starts, n]).to(sides.end)).tolist()
        for index, start in enumerate(starts):
            batch, mine = slice(start, start + BATCH), slice(cuts[index], cuts[index + 1])
            values, zeros = self._values(points[batch]), codes.zero_ids[batch].long()
            place = (sides.end[mine] - start) * values.shape[1] + sides.row[mine]
            looked.beyond[mine] = values.view(-1).index_select(0, place).abs_()
            looked.agrees[batch] = self._agree(values, codes.words[batch], zeros)
            lost = bounds.rounding.index_select(0, zeros.view(-1)).view(zeros.shape)
            looked.own[batch] = values.gather(1, zeros).abs_().add_(lost).amax(1)
            looked.margin[batch] = (
                values.abs_().mul_(scale).scatter_(1, zeros, torch.inf).amin(1) - self._lost
            )
        return looked

    def _agree(self, values: Tensor, words: Tensor, zeros: Tensor) -> Tensor:
        """True (n,) where all signs but the own rows' are those of the values."""
        signs = (values >= 0).scatter_(1, zeros, False)
        return (pack_rows(signs, 0, self._layout.n_words) == words).all(1)

    def by_slopes(self, points: Tensor, codes: CellCodes) -> Tensor:
        """True (n, n_rows) for signs at vertices that may be wrong, whatever they are vertices of.

        Rows are those of the cell that the signs name: where one of a vertex's is in doubt all are.
        """
        parts = [
            self._doubts(at, words, zero_ids.long())
            for at, words, zero_ids in zip(
                points.split(BATCH), codes.words.split(BATCH), codes.zero_ids.split(BATCH), strict=True
            )
        ]
        return torch.cat(parts)

    def _doubts(self, points: Tensor, words: Tensor, zeros: Tensor) -> Tensor:
        bounds, layout, dim = self.bounds, self._layout, points.shape[1]
        masks = masks_of(words, layout.n_walls, layout.n_neurons, points.dtype)
        neurons = self._cut(self._program.preactivations_on(points, masks))
        values = torch.cat([points @ self._normals + self._constants, neurons], dim=1)
        slopes = []
        for axis, normal in zip(torch.eye(dim).to(points), self._normals, strict=True):
            along = self._linear.preactivations_on(axis.expand_as(points), masks)
            slopes.append(torch.cat([normal.expand(len(points), -1), self._cut(along)], dim=1))
        gradients = torch.stack(slopes, dim=2)  # (n, n_rows, D)
        jacobian = gradients.gather(1, zeros[:, :, None].expand(-1, -1, dim))
        inverse, info = torch.linalg.inv_ex(jacobian)
        error = bounds.slope_rounding[zeros][:, :, None]
        product = inverse.abs() @ (jacobian.abs() * rounding_error(points.dtype, dim) + error)
        off = ((inverse @ jacobian - torch.eye(dim).to(points)).abs() + product).sum(2).amax(1)
        value = values.gather(1, zeros).abs() + bounds.rounding[zeros]
        distance = (inverse.abs() @ value[:, :, None])[:, :, 0].amax(1) / (1 - off)
        is_known = (info == 0) & (off <= HALF) & distance.isfinite()
        moved = (gradients.abs().sum(2) + dim * bounds.slope_rounding) * distance[:, None]
        signs = masks_of(words, 0, layout.n_rows, points.dtype) * 2 - 1
        proven = (values * signs > bounds.rounding + moved) & is_known[:, None]
        return ~proven.scatter(1, zeros, True) | ~is_known[:, None]


def _passing(absolute: Program) -> Tensor:
    """What changes of 1 in every ReLU may do to each row (n_rows,), given absolute weights."""
    linear, rows = absolute.linear_part(), []
    state = absolute.head.bias.new_zeros((1, absolute.in_dim))
    for block in linear.blocks:
        z = block.affine(state)
        rows.append(z[0])
        state = block.advance(state, z + 1)
    return torch.cat([*rows, linear.head(state)[0]])
