"""Filter signs: prove most in floating point, with rigorous error bounds, and return those in doubt.

A vertex x* is where its D rows vanish, in the cell that its signs name. All that is known of it is a point x
near it. With the rows' values at x, and a bound on the inverse of their Jacobian J, it is no farther than
|x* - x| <= |J^-1| |values|; another row then has the sign at x* that it has at x, if it is larger there than
its slope times that, and than what rounding made of it. Two filters, both rigorous, the cheap one first:

- `by_neighbours` takes J^-1 from the edges: the one that leaves a row goes along a column of J^-1, of the
  length by which the row grows. Slopes are bounded once for all cells. For whole complexes.
- `by_slopes` finds J and all slopes at each vertex. For what the other one leaves, and for level sets.

What values, slopes and roundings are at most is bounded in `row_bounds`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout, signs_of
from creased.core.certificates.incidence import EdgeMates
from creased.core.certificates.row_bounds import Bounds, Sizes, bound_rows, rounding_rate
from creased.core.native.available import is_native
from creased.core.numerics.memory import rows_at_once
from creased.core.numerics.tolerance import rounding_error
from creased.core.program.program import BATCH, Program

AT_ONCE = 2048  # vertices at which all rows are evaluated: their values stay in the cache
CACHED = 1 << 18  # numbers of one kind at vertices that are looked at by slopes
FEWEST = 1 << 7  # vertices that are looked at in one go, however many rows there are
HALF = 0.5  # how far from the identity J times its approximate inverse may be


class Frames(NamedTuple):
    """Coordinates of cells: what walls and the program are functions of, at points and along D axes."""

    place: Tensor  # (n, k): of which walls are affine functions
    state: Tensor  # (n, S): of which the program is a function
    place_axes: Tensor  # (D, n or 1, k)
    state_axes: Tensor  # (D, n or 1, S)


class _Looked(NamedTuple):
    """Values found at vertices."""

    own: Tensor  # (V,): largest value of a row that should vanish, and its rounding; inf at other signs
    margin: Tensor  # (V,): least of the other values, each relative to how much its row may change
    beyond: Tensor  # (2 V D + 1,): how far rows have grown at the ends of edges that leave them


class _Located(NamedTuple):
    """Rows at points near vertices, and how far these are."""

    values: Tensor  # (n, n_rows)
    slopes: list[Tensor]  # along each axis, (n, n_rows)
    distance: Tensor  # (n,): bound along each axis; infinite where nothing is known


class SignFilter:
    """Finds signs in doubt.

    Args:
        program: float64, its outputs less the level.
        walls: (D + 1, M), the constant last.
        layout: how rows are numbered.
        reach: bound (D,) on absolute coordinates.
    """

    def __init__(self, program: Program, walls: Tensor, layout: RowLayout, reach: Tensor) -> None:
        self._program, self._linear, self._layout = program.exact, program.exact.linear_part(), layout
        self._normals, self._constants = walls[:-1], walls[-1]
        self._extent = 2 * float(reach.amax())  # no two points differ by more in a coordinate
        axes, self._lost = torch.ones_like(reach), rounding_rate(self._program)
        self.bounds = self._bound(Sizes(reach, reach, axes, axes))

    @property
    def has_kernels(self) -> bool:
        """Return whether kernels look by slopes, which is faster than to look by neighbours."""
        program = self._program
        return 2 <= program.in_dim <= 3 and is_native(program.device)

    def _bound(self, sizes: Sizes, masks: Tensor | None = None) -> Bounds:
        n_rows = self._layout.n_neurons + self._layout.n_outputs
        walls = self._normals, self._constants
        return bound_rows(self._program, walls, n_rows, sizes, self._lost, masks)

    def _cut(self, rows: Tensor) -> Tensor:
        return rows[..., : self._layout.n_neurons + self._layout.n_outputs]

    def _values(self, points: Tensor, out: Tensor) -> Tensor:
        """All rows (n, n_rows) at points."""
        layout, n_done, values = self._layout, self._layout.n_walls, out[: points.shape[0]]
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

    def at_first(self, points: Tensor, codes: CellCodes, sides: EdgeMates | None) -> Tensor:
        """True (V,) for vertices that are to be looked at by slopes.

        Kernels, where there are some, prove the others, or else neighbours, where edges are given.
        """
        if self.has_kernels:
            from creased.core.certificates.compiled_filter import are_proven  # needs numba

            walls = torch.cat([self._normals, self._constants[None]])
            return ~are_proven(self._program, walls, self.bounds, points, codes)
        if sides is not None:
            return self.by_neighbours(points, codes, sides)
        return torch.ones_like(points[:, 0], dtype=torch.bool)

    def by_neighbours(self, points: Tensor, codes: CellCodes, sides: EdgeMates) -> Tensor:
        """True (V,) for vertices of a complex that may have a wrong sign; its edges must be right."""
        looked, dim = self._look(points, codes, sides), points.shape[1]
        stubs = sides.inward(codes.zero_ids, self._layout.n_walls)
        grown = [looked.beyond.index_select(0, column).reciprocal_() for column in stubs]
        ends = [sides.opposite.index_select(0, column) for column in stubs]
        ends = [end.div_(2 * dim, rounding_mode="floor") for end in ends]
        known = torch.cat([looked.own, looked.own.new_full((1,), torch.inf)])  # of no end, nothing
        off, spread = torch.zeros_like(looked.own), torch.zeros_like(looked.own)
        for end, rate in zip(ends, grown, strict=True):
            off.addcmul_(known.index_select(0, end).add_(looked.own), rate)
            spread += rate
        twice, spread = 2 * (1 + float(self.bounds.passing.max())), spread.mul_(self._extent)
        unsure = ~((twice * off <= HALF) & (looked.margin > looked.own * (1 + 2 * spread)))
        # No edge is longer than all points are apart; where that is too much, it is as long as it is.
        left = (unsure & (twice * off <= HALF)).nonzero()[:, 0]
        spread = torch.zeros_like(spread[left])
        for end, rate in zip(ends, grown, strict=True):
            spread += (points[end[left]] - points[left]).abs_().amax(1) * rate[left]
        unsure[left] = ~(looked.margin[left] > looked.own[left] * (1 + 2 * spread))
        return unsure

    def _look(self, points: Tensor, codes: CellCodes, sides: EdgeMates) -> _Looked:
        """Evaluate all rows at all vertices, batch by batch; keep margins and values at edge ends."""
        bounds, layout, n_stubs = self.bounds, self._layout, 2 * points.shape[1]
        zero_ids = torch.nn.functional.pad(codes.zero_ids.reshape(-1), (0, 1))
        # A row may change by so much at most; what is larger than need be is sound too.
        scale = 1 / torch.maximum(torch.maximum(bounds.slope, bounds.passing), bounds.rounding / self._lost)
        out = points.new_empty((AT_ONCE, layout.n_rows))
        firsts = torch.arange(0, out.numel(), out.shape[1], device=points.device)[:, None]
        beyond, found = points.new_zeros(len(sides.opposite)), []
        for start in range(0, points.shape[0], AT_ONCE):
            batch = slice(start, start + AT_ONCE)
            values, zeros = self._values(points[batch], out), codes.zero_ids[batch].long()
            ends = sides.opposite[n_stubs * start : n_stubs * (start + len(zeros))]
            place = zero_ids.index_select(0, ends >> 1).view(-1, n_stubs) + firsts[: len(zeros)]
            beyond.scatter_(0, ends, out.view(-1).index_select(0, place.view(-1)).abs_())
            lost = bounds.rounding.index_select(0, zeros.view(-1)).view(zeros.shape)
            missed = values.gather(1, zeros).abs_().add_(lost).amax(1)
            signs = signs_of(codes.words[batch], layout.n_rows)
            margin = values.mul_(scale).mul_(signs).scatter_(1, zeros, torch.inf).amin(1)
            agrees = (margin > 0).logical_and_(signs.gather(1, zeros).amax(1) < 0)
            found.append((missed.masked_fill_(~agrees, torch.inf), margin.sub_(self._lost)))
        own, margin = (torch.cat(parts) for parts in zip(*found, strict=True))
        return _Looked(own, margin, beyond)

    def by_slopes(self, points: Tensor, codes: CellCodes) -> Tensor:
        """True (n, n_rows) for signs that may be wrong, at vertices of a complex or a level set.

        Rows are those of the cell that the signs name: where one of a vertex's is in doubt all are.
        """
        left = self.at_first(points, codes, None).nonzero()[:, 0]
        doubts = torch.zeros((points.shape[0], self._layout.n_rows), dtype=torch.bool, device=points.device)
        for at in left.split(self._fitting(points.device)):
            words, zero_ids = codes.choose(at)
            doubts[at] = self._doubts(points[at], words, zero_ids.long())
        return doubts

    def distances(self, points: Tensor, codes: CellCodes, *, closely: bool = False) -> Tensor:
        """Bound how far vertices are from points (n, D), in each coordinate; infinite where it is unknown.

        Closely with what rounds at each point, which takes some times as long.
        """
        found = [points.new_zeros(0)]
        for at in torch.arange(len(points), device=points.device).split(self._fitting(points.device)):
            words, zero_ids = codes.choose(at)
            frames, masks = self._frames(points[at], words), self._layout.masks(words, points.dtype)
            steps = frames.state_axes[..., : points.shape[1]].abs().sum(0).amax(1)  # of inputs
            moved = (frames.state[:, : points.shape[1]] - points[at]).abs() + self._lost * points[at].abs()
            bounds = (self._bounds_at(points[at], masks) if closely else None) or self.bounds
            far = self._locate(bounds, frames, zero_ids.long(), masks).distance
            found.append(moved.amax(1) + steps * far)
        return torch.cat(found)

    def _fitting(self, device: torch.device) -> int:
        """Number of vertices that are looked at in one go."""
        return rows_at_once(max(CACHED // self._layout.n_rows, FEWEST), device, BATCH)

    def _bounds_at(self, points: Tensor, masks: Tensor) -> Bounds | None:
        """Bounds at points (n, D) alone, in cells of these patterns: inactive neurons do not round."""
        axes = torch.ones_like(points)
        return self._bound(Sizes(points.abs(), points.abs(), axes, axes), masks)

    def _frames(self, points: Tensor, words: Tensor) -> Frames:
        """Frames at points (n, D), or as near to them as may be, in cells with these words (n, W)."""
        axes = torch.eye(points.shape[1]).to(points)[:, None]
        return Frames(points, points, axes, axes)

    def _doubts(self, points: Tensor, words: Tensor, zeros: Tensor) -> Tensor:
        masks = self._layout.masks(words, points.dtype)
        doubts, is_zero = self._doubts_by(self.bounds, points, words, zeros, masks)
        left = (doubts.any(1) & ~is_zero).nonzero()[:, 0]
        points, words, zeros, masks = (part[left] for part in (points, words, zeros, masks))
        bounds = self._bounds_at(points, masks) if left.shape[0] else None
        if bounds is not None:
            doubts[left] = self._doubts_by(bounds, points, words, zeros, masks)[0]
        return doubts

    def _doubts_by(
        self, bounds: Bounds, points: Tensor, words: Tensor, zeros: Tensor, masks: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Signs in doubt (n, n_rows), and where one is of a value of nothing but rounding (n,)."""
        layout, dim = self._layout, points.shape[1]
        values, slopes, distance = self._locate(bounds, self._frames(points, words), zeros, masks)
        is_known = distance.isfinite()
        margin = values * signs_of(words, layout.n_rows) - bounds.rounding
        lost = dim * bounds.slope_rounding
        proven = (margin > (bounds.slope + lost) * distance[:, None]).scatter(1, zeros, True)
        left = (is_known & ~proven.all(1)).nonzero()[:, 0]  # where slopes of all cells are too coarse
        steep = torch.stack([along[left].abs() for along in slopes]).sum(0) + lost.expand_as(values)[left]
        proven[left] = (margin[left] > steep * distance[left, None]).scatter(1, zeros[left], True)
        doubts = ~(proven & is_known[:, None])
        least = torch.finfo(values.dtype).eps * values.abs().amax(1, keepdim=True)
        return doubts, (doubts & (values.abs() <= least)).scatter(1, zeros, False).any(1)

    def _locate(self, bounds: Bounds, frames: Frames, zeros: Tensor, masks: Tensor) -> _Located:
        """Bound how far vertices are from points, given frames there, zeros (n, D) and patterns of cells."""
        n, dim = zeros.shape
        value_error, slope_error = (
            bound.expand(n, -1).gather(1, zeros) for bound in (bounds.rounding, bounds.slope_rounding)
        )
        neurons = self._cut(self._program.preactivations_on(frames.state, masks))
        values = torch.cat([frames.place @ self._normals + self._constants, neurons], dim=1)
        slopes = []
        for place, state in zip(frames.place_axes, frames.state_axes, strict=True):
            along = self._linear.preactivations_on(state.expand_as(frames.state), masks)
            normals = (place @ self._normals).expand(n, -1)
            slopes.append(torch.cat([normals, self._cut(along)], dim=1))
        jacobian = torch.stack([along.gather(1, zeros) for along in slopes], dim=2)
        inverse, info = torch.linalg.inv_ex(jacobian)
        product = inverse.abs() @ (
            jacobian.abs() * rounding_error(values.dtype, dim) + slope_error[:, :, None]
        )
        off = ((inverse @ jacobian - torch.eye(dim).to(values)).abs() + product).sum(2).amax(1)
        value = values.gather(1, zeros).abs() + value_error
        distance = (inverse.abs() @ value[:, :, None])[:, :, 0].amax(1) / (1 - off)
        is_known = (info == 0) & (off <= HALF) & distance.isfinite()
        return _Located(values, slopes, distance.masked_fill(~is_known, torch.inf))
