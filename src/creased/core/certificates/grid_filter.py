"""Filter signs on a grid: each simplex is a domain of its own, with a program of its own.

In a simplex with corners c_0 < ... < c_D a point is c_0 + sum f_j (c_j - c_{j-1}), with 1 >= f_1 >= ... >=
f_D >= 0, and the encoder takes it to the state s_0 + sum f_j (s_j - s_{j-1}) of the corners' states s_j. So
in the coordinates f all rows are those of a plain program and of walls, and `SignFilter` applies. A point
need only be near the vertex: its f is rounded, and taken as it is. The error of an interpolated state is
relative to the largest feature in its column of the table.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout
from creased.core.certificates.incidence import EdgeMates
from creased.core.certificates.row_bounds import Bounds, Sizes, rounding_rate
from creased.core.certificates.sign_filter import Frames, SignFilter
from creased.core.domains.domain import Domain
from creased.core.grids.planes import walls_on_planes
from creased.core.program.program import Program
from creased.core.program.simplices import corners_of, distinct_vertices


class AllInDoubt(SignFilter):
    """Leaves all signs to rationals: those of slices, which have few vertices."""

    def __init__(self, program: Program, domain: Domain, layout: RowLayout) -> None:
        self._n_rows = layout.n_rows
        self.bounds = Bounds(*torch.full((4, layout.n_rows), torch.inf, dtype=torch.float64))

    @property
    def has_kernels(self) -> bool:
        """False: it does not look."""
        return False

    def by_neighbours(self, points: Tensor, codes: CellCodes, sides: EdgeMates) -> Tensor:
        """True (V,) for vertices of a complex that may have a wrong sign: all."""
        return torch.ones_like(points[:, 0], dtype=torch.bool)

    def by_slopes(self, points: Tensor, codes: CellCodes) -> Tensor:
        """True (n, n_rows) for signs that may be wrong: all."""
        return torch.ones((len(points), self._n_rows), dtype=torch.bool, device=points.device)

    def distances(self, points: Tensor, codes: CellCodes, *, closely: bool = False) -> Tensor:
        """Infinite (n,): nothing is known."""
        return torch.full_like(points[:, 0], torch.inf)


class GridSignFilter(SignFilter):
    """Finds signs in doubt in simplices of a grid.

    Args:
        program: float64, with a grid; its outputs less the level.
        domain: where; walls that are planes of the grid bound simplices, and have no sign to be proven.
        layout: how rows are numbered while simplices are cut.
    """

    def __init__(self, program: Program, domain: Domain, layout: RowLayout) -> None:
        assert program.grid is not None
        walls = domain.halfspaces(torch.float64, program.device)
        is_plane = walls_on_planes(program.grid, domain.exact_walls()).ids.to(walls.device) < 0
        walls = walls.masked_fill(is_plane, 0)
        walls[-1, is_plane] = 1
        self._grid, dim = program.grid, program.in_dim
        self._program, self._layout = program.inner.exact, layout
        self._linear = self._program.linear_part()
        own = torch.zeros((dim + 1, dim + 1)).to(walls)  # of f and 1: 1 - f_1, f_1 - f_2, ..., f_D
        own[torch.arange(dim), torch.arange(dim)] = -1
        own[torch.arange(dim), torch.arange(1, dim + 1)] = 1
        own[dim, 0] = 1
        self._normals = torch.block_diag(own[:-1], walls[:-1])
        self._constants = torch.cat([own[-1], walls[-1]])
        features = [table.abs().amax(0) for table in self._grid.tables]
        largest = torch.cat([walls.new_full((dim,), self._grid.half_width), *features])
        unit = torch.ones_like(largest[:dim])
        sizes = Sizes(
            place=torch.cat([unit, largest[:dim]]),
            state=largest,
            place_axis=torch.cat([unit, 2 * largest[:dim]]),
            state_axis=2 * dim * largest,
        )
        self._lost = rounding_rate(self._program, n_more=2 * (dim + 1) * (2 * dim + 1))
        self.bounds = self._bound(sizes)

    def by_slopes(self, points: Tensor, codes: CellCodes) -> Tensor:
        """True (n, n_rows) for signs that may be wrong; simplex by simplex, which share corners."""
        order = codes.words[:, -1].argsort()
        doubts = super().by_slopes(points[order], codes.choose(order))
        return torch.empty_like(doubts).index_copy_(0, order, doubts)

    @property
    def has_kernels(self) -> bool:
        """False: programs of simplices differ."""
        return False

    def _bounds_at(self, points: Tensor, masks: Tensor) -> Bounds | None:
        """None: features are rounded by what all corners of a simplex have, not by what is there."""
        return None

    def _frames(self, points: Tensor, words: Tensor) -> Frames:
        grid = self._grid
        corners = corners_of(words[:, -1], grid.dim, grid.finest)
        used, place = distinct_vertices(corners, grid.finest)
        states = grid.at_vertices(used)[place]  # (n, D + 1, S)
        axes = corners.diff(dim=1).argmax(2)  # (n, D): of each step
        cubes = (points / grid.half_width + 1) * (grid.finest / 2) - corners[:, 0]
        shares = cubes.gather(1, axes).nan_to_num(0.0).clamp(0, 1).cummin(1).values  # f, in the simplex
        steps = states.diff(dim=1)
        state = torch.baddbmm(states[:, :1], shares[:, None], steps)[:, 0]
        eye = torch.eye(grid.dim).to(points)[:, None].expand(-1, len(points), -1)
        return Frames(
            place=torch.cat([shares, state[:, : grid.dim]], dim=1),
            state=state,
            place_axes=torch.cat([eye, steps[..., : grid.dim].transpose(0, 1)], dim=2),
            state_axes=steps.transpose(0, 1),
        )
