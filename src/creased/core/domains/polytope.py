"""Polytopes {x: A x <= b} as domains.

The vertices of a polytope are found by the loop that cuts by neurons. D independent inequalities make a
cone: in homogeneous coordinates (x, w), with the wall at infinity w >= 0, it is a simplex whose other
vertices are directions, w = 0. The remaining inequalities cut it one by one, and what is outside is dropped.
What still has a vertex at infinity then is unbounded; what has no other vertices is empty.

A vertex on more than D walls is several vertices in one place, each on D of them, as everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import arrange
from creased.core.arrangement.signs import RowLayout, pack_rows
from creased.core.arrangement.skeleton import GrowingSkeleton, Skeleton, subcomplex
from creased.core.arrangement.subdivide import cut_by_next, start_block
from creased.core.domains.domain import BoundedDomain
from creased.core.domains.simplex import Table, simplex_skeleton
from creased.core.formatting import format_number_of, format_space
from creased.core.numerics.linear_algebra import independent_rows
from creased.core.numerics.tensors import Growable
from creased.core.numerics.tolerance import get_epsilon, may_coincide
from creased.core.program.layers import Affine
from creased.core.program.rounding import snap_sums


@dataclass(frozen=True)
class Polytope(BoundedDomain):
    """The bounded set {x: normals x <= offsets}; wall ``i`` is its inequality ``i``.

    Inequalities that hold with room to spare everywhere in it are walls without vertices: see `redundant`.

    Args:
        normals: A, (M, D).
        offsets: b, (M,).

    Raises:
        ValueError: shapes differ, an entry is not finite, or the set is empty, unbounded, or without volume.
    """

    normals: Table
    offsets: tuple[float, ...]

    def __init__(
        self, normals: Sequence[Sequence[float]] | Tensor, offsets: Sequence[float] | Tensor
    ) -> None:
        object.__setattr__(self, "normals", tuple(tuple(float(x) for x in row) for row in normals))
        object.__setattr__(self, "offsets", tuple(float(x) for x in offsets))
        dims = {len(row) for row in self.normals}
        if len(self.normals) != len(self.offsets) or len(dims) != 1 or 0 in dims:
            shapes = f"{len(self.normals)} rows of lengths {sorted(dims)} and {len(self.offsets)} offsets"
            raise ValueError(f"Polytope: needs normals (M, D) and offsets (M,), got {shapes}")
        if not all(map(math.isfinite, (*self.offsets, *(x for row in self.normals for x in row)))):
            raise ValueError("Polytope: normals and offsets must be finite, got NaN or infinity")
        _cut_by_walls(self.normals, self.offsets)

    @property
    def dim(self) -> int:
        """Ambient dimension D."""
        return len(self.normals[0])

    @property
    def n_walls(self) -> int:
        """Number of inequalities M, redundant ones included."""
        return len(self.normals)

    @property
    def vertices(self) -> Tensor:
        """Vertices (V, D) float64; one on more than D walls is repeated."""
        return _cut_by_walls(self.normals, self.offsets).vertices

    @property
    def lower(self) -> tuple[float, ...]:
        """Least coordinates of its vertices."""
        return tuple(self.vertices.amin(0).tolist())

    @property
    def upper(self) -> tuple[float, ...]:
        """Greatest coordinates of its vertices."""
        return tuple(self.vertices.amax(0).tolist())

    @property
    def redundant(self) -> tuple[int, ...]:
        """Indices of inequalities without a vertex."""
        used = set(_cut_by_walls(self.normals, self.offsets).zero_ids.reshape(-1).tolist())
        return tuple(i for i in range(self.n_walls) if i not in used)

    def halfspaces(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        """The walls as affine functions (D + 1, M), >= 0 inside, the constant last."""
        normals, offsets = (torch.tensor(x, dtype=dtype, device=device) for x in (self.normals, self.offsets))
        return torch.cat([-normals.T, offsets[None]])

    def skeleton(self, n_words: int, dtype: torch.dtype, device: torch.device) -> Skeleton:
        """Vertices and edges of the polytope."""
        cells = _cut_by_walls(self.normals, self.offsets)
        is_off = torch.ones((cells.vertices.shape[0], self.n_walls), dtype=torch.bool)
        is_off.scatter_(1, cells.zero_ids.long(), False)
        moved = cells._replace(vertices=cells.vertices.to(dtype), words=pack_rows(is_off, 0, n_words))
        return Skeleton(*(part.to(device, copy=True) for part in moved))

    def __repr__(self) -> str:
        return f"a polytope in {format_space(self.dim)}, {format_number_of(self.n_walls, 'wall')}"


@lru_cache(maxsize=64)
def _cut_by_walls(normals: Table, offsets: tuple[float, ...]) -> Skeleton:
    """Find vertices and edges of {x: A x <= b}, numbered by its rows; words are left empty.

    Raises:
        ValueError: it is empty, unbounded, or without volume.
    """
    a, b = torch.tensor(normals, dtype=torch.float64), torch.tensor(offsets, dtype=torch.float64)
    length = a.norm(dim=1).masked_fill(a.abs().amax(1) == 0, 1)
    walls = torch.cat([-a, b[:, None]], dim=1) / length[:, None]
    n_walls, dim = a.shape
    first = independent_rows(a)
    if len(first) < dim:
        spanned = f"the {n_walls} inequalities span {len(first)} of {dim} dimensions"
        raise ValueError(f"Polytope: unbounded or empty, as {spanned}")
    order = torch.tensor([*first, *(i for i in range(n_walls) if i not in first)])
    cells = _cut_cone(walls[order], dim)
    is_finite = cells.zero_ids[:, 0] > 0
    if not bool(is_finite.any()):
        raise ValueError("Polytope: empty, no point satisfies all inequalities")
    if not bool(is_finite.all()):
        direction = cells.vertices[~is_finite][0, :-1]
        raise ValueError(f"Polytope: unbounded, in direction {(direction / direction.norm()).tolist()}")
    zero_ids, edge_zero_ids = (
        order[ids.long() - 1].sort(1).values.int() for ids in (cells.zero_ids, cells.edge_zero_ids)
    )
    points = _solve_again(cells.vertices[:, :-1] / cells.vertices[:, -1:], a, b, zero_ids.long())
    _refuse_flat(points, walls)
    return Skeleton(points, zero_ids, cells.words[:, :0], cells.edges, edge_zero_ids)


def _cut_cone(walls: Tensor, dim: int) -> Skeleton:
    """Cut the cone of the first D homogeneous rows (M, D + 1) by the others; row 0 is at infinity."""
    apex = torch.linalg.solve(walls[:dim, :-1], -walls[:dim, -1])
    rays = torch.linalg.inv(walls[:dim, :-1]).T
    rays = rays / rays.norm(dim=1, keepdim=True)
    corners = rays.new_zeros((dim + 1, dim + 1))
    corners[0, :-1], corners[0, -1], corners[1:, :-1] = apex, 1, rays
    rows = arrange(RowLayout(1 + walls.shape[0], (), 0), walls.device)
    skeleton = GrowingSkeleton.of(simplex_skeleton(corners, rows.layout.n_words))
    others = walls[dim:]
    values, linear = corners @ others.T, Affine(others, others.new_zeros(others.shape[0]))
    snap_sums(values, linear, corners)
    if others.shape[0] == 0:
        return skeleton.freeze()
    cut = start_block(skeleton, Growable(values), others.shape[0], 1 + dim, rows)
    while not cut.is_done:
        row = cut.first_row + cut.n_done
        cut_by_next(skeleton, cut)
        is_on = (skeleton.zero_ids.rows == row).any(1)
        is_inside = ((skeleton.words.rows & rows.bits[row]) != 0).any(1)
        skeleton, cut = subcomplex(skeleton, cut, is_on | is_inside)
    return skeleton.freeze()


def _solve_again(points: Tensor, a: Tensor, b: Tensor, zero_ids: Tensor) -> Tensor:
    """Solve vertices (V, D) from their own D inequalities where that is well conditioned."""
    solved, info = torch.linalg.solve_ex(a[zero_ids], b[zero_ids])
    distance = (solved - points).abs().amax(1)
    is_near = (info == 0) & may_coincide(distance, float(points.abs().amax()))
    return torch.where(is_near[:, None], solved, points)


def _refuse_flat(points: Tensor, walls: Tensor) -> None:
    """Raise if the vertices (V, D) all lie on one of the walls (M, D + 1)."""
    heights = points @ walls[:, :-1].T + walls[:, -1]
    size = points.abs().amax() + (points.amax(0) - points.amin(0)).amax() + walls[:, -1].abs()
    is_flat = (heights.amax(0) <= get_epsilon(points.dtype) * size) & (walls[:, :-1].abs().amax(1) > 0)
    if bool(is_flat.any()):
        wall = int(is_flat.nonzero()[0])
        raise ValueError(
            f"Polytope: without volume, as all of it lies on the hyperplane of inequality {wall}; "
            "slice the program by that hyperplane with slice_program, and take a domain there"
        )
