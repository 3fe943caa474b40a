"""Cut many simplices at once: subdivision from a skeleton of simplices that share nothing.

Rows are the D + 1 walls of a simplex, then those of the user: walls of the domain, neurons, outputs. The
number of the simplex is the last word of the code of each of its cells, so that cells of different simplices
are never joined. The first preactivations are evaluated at grid vertices, once each, so that simplices agree
on what they share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache, cached_property
from itertools import combinations

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement, arrange
from creased.core.arrangement.signs import RowLayout, pack_rows
from creased.core.arrangement.skeleton import GrowingSkeleton, Skeleton, subcomplex
from creased.core.arrangement.subdivide import cut_by_next, start_block
from creased.core.exact.decisions import Decisions
from creased.core.grids.cell_maps import CornerStates, GridMaps
from creased.core.grids.exact_rows import GridRows
from creased.core.grids.planes import heights_over, walls_on_planes
from creased.core.grids.search import ALL, Share, find_candidates, heights_of
from creased.core.grids.section import Heights, coordinates, cut_out
from creased.core.numerics.memory import Resources, format_bytes, rows_at_once, working_bytes
from creased.core.numerics.tensors import Growable
from creased.core.program.layers import Affine, Block
from creased.core.program.rounding import advance_snapped, snap_sums
from creased.core.program.simplices import corners_of, n_paths
from creased.core.subdivision.pieces import Piece
from creased.core.subdivision.problem import SubdivisionProblem

EVALUATED = 1 << 14  # simplices whose corners are evaluated in one go
FIRST = 1 << 12  # simplices that are cut before it is known how many vertices they have
LARGE = 40  # such vertices, more than most networks make
GROWTH = 8  # of the number that is cut at once, from one batch to the next
SPARE = 2  # simplices of the next batch may have so many times the vertices
ASSEMBLY = 6  # welding takes so many times the memory of what is welded


def simplex_layout(layout: RowLayout, dim: int) -> RowLayout:
    """How rows are numbered while simplices are cut: D + 1 walls of their own come first."""
    return replace(layout, n_walls=dim + 1 + layout.n_walls)


class SimplexCutter:
    """Cuts simplices by all rows of a problem.

    Args:
        problem: of a program with a grid.
    """

    def __init__(self, problem: SubdivisionProblem) -> None:
        program, domain = problem.cutting, problem.domain
        assert program.grid is not None
        self.dim, self.n_own = program.in_dim, program.grid.dim + 1
        self._n = program.grid.finest
        layout = simplex_layout(problem.rows.layout, program.grid.dim)
        self._section = None if program.grid.section is None else Heights(program.grid)
        self.rows: Arrangement = arrange(layout, program.device)
        self._blocks = [*program.blocks, *[Block(program.head)] * problem.has_outputs]
        walls = domain.halfspaces(program.dtype, program.device)
        self._walls = Affine(walls[:-1].T, walls[-1])
        self._in_space = self._walls  # the same as functions of a point of the grid's space
        if program.grid.section is not None:
            back = coordinates(program.grid)
            self._in_space = Affine(self._walls.weight @ back.weight, self._walls(back.bias))
        self._on_planes = walls_on_planes(program.grid, domain.exact_walls()).to(program.device)
        self.maps = GridMaps(problem.program, walls, layout)
        reach = program.grid.half_width
        self._is_cube = self._section is None and (
            domain.is_box and domain.lower == (-reach,) * self.dim and domain.upper == (reach,) * self.dim
        )
        self._is_on_planes = self._section is None and bool((self._on_planes.ids < 0).all())  # all walls
        self.problem = problem
        widest = max((sum(block.affine.weight.shape) for block in program.blocks), default=program.in_dim)
        bytes_a_vertex = 8 * (widest + program.in_dim + layout.n_words + 5)
        self._working = min(working_bytes(program.device), problem.share)
        self._most = problem.at_once or max(self._working // bytes_a_vertex, 1)
        fitting = self._most // LARGE
        self._n_at_once = min(rows_at_once(FIRST, program.device, fitting), fitting)
        self._decisions = None if problem.band is None else Decisions(lambda: self.exact, problem.band)

    @cached_property
    def exact(self) -> GridRows:
        """The rows in exact arithmetic."""
        walls = self.problem.domain.exact_walls()
        return GridRows(self.problem.cutting, walls, self.rows.layout)

    def no_cells(self) -> Skeleton:
        """Return what is cut out of no simplex; edges are int64."""
        words = self.rows.bits.new_empty((0, self.rows.layout.n_words))
        ids = words.new_empty((0, self.dim), dtype=torch.int32)
        points = self._walls.bias.new_empty((0, self.dim))
        return Skeleton(points, ids, words, words.new_empty((0, 2)), ids[:, 1:].clone())

    def pieces(self, share: Share = ALL) -> Iterator[tuple[CornerStates, Piece]]:
        """Cut all simplices of a share that bounds do not rule out; yield them with what they are cut to."""
        walls = None if self._is_cube else self._in_space
        program, prune = self.problem.cutting, self.problem.prune
        working = self._working
        for found in find_candidates(program, walls, self._section, share, prune=prune, working=working):
            yield from self._batches(found)

    def pieces_of(self, simplices: Tensor) -> Iterator[tuple[CornerStates, Piece]]:
        """Cut some simplices (m,)."""
        grid = self.problem.cutting.grid
        assert grid is not None
        for some in simplices.split(EVALUATED):
            found = CornerStates.of(grid, some)
            yield from self._batches(found._replace(states=found.states.to(self._walls.bias)))

    def _batches(self, found: CornerStates) -> Iterator[tuple[CornerStates, Piece]]:
        """Cut as many simplices at once as fit the cache by the number of vertices that those before had."""
        first = 0
        while first < len(found.simplices):
            some = found.choose(slice(first, first + max(self._n_at_once, 1)))
            piece, n = self.cut(some), len(some.simplices)
            if len(piece.skeleton.vertices):
                yield some, piece
            first += n
            fitting = self._most * n // (SPARE * len(piece.skeleton.vertices) + 1)
            self._n_at_once = min(fitting, GROWTH * max(self._n_at_once, 1))

    def require_memory(self, resources: Resources) -> None:
        """Refuse to cut all simplices where they alone exceed the free memory; not if some was given.

        Raises:
            ValueError: naming the grid, and what it takes.
        """
        free, grid = resources.memory_on(self.rows.bits.device), self.problem.program.grid
        assert grid is not None
        n = n_paths(self.dim) * grid.finest**self.dim
        one = torch.zeros(1, dtype=torch.int64, device=self.rows.bits.device)
        needed = ASSEMBLY * n * sum(part.nbytes for part in _start(self.rows, CornerStates.of(grid, one)))
        if self._is_cube and resources.memory is None and free is not None and needed > free:
            raise ValueError(
                f"extract_complex: a grid of {grid.finest} cubes an axis has {n:,} simplices; their complex "
                f"takes {format_bytes(needed)} or more, {format_bytes(free)} are free: count it, or stream it"
            )

    @torch.no_grad()
    def cut(self, corners: CornerStates) -> Piece:
        """Cut simplices, given the encoded states at their corners."""
        heights = corners.states.new_empty(0)
        if not self._is_cube:
            heights = self._heights(corners)
            is_met = torch.where(self._on_planes.ids < 0, heights > 0, heights >= 0).any(1).all(1)
            inside = is_met.nonzero()[:, 0]
            heights = torch.where(self._on_planes.ids < 0, 1, heights[inside])  # all of a simplex is inside
            corners, heights = corners.choose(inside), heights.flatten(0, 1)
        states, row = corners.states, self.n_own
        place: Tensor | slice = corners.place.flatten()
        skeleton = GrowingSkeleton.of(_start(self.rows, corners))
        if self._section is not None:
            values = torch.cat([heights, states[place]], dim=1)
            skeleton, values = cut_out(skeleton, self._section, values, self.rows)
            heights, states = self._in_section(skeleton, values)
            place = slice(None)
        if not self._is_on_planes:
            skeleton, states = self._within_domain(skeleton, states[place], heights)
            place = slice(None)
        row += self._walls.bias.shape[0]
        for block in self._blocks:
            z = block.affine(states)  # at first where simplices meet, once
            snap_sums(z, block.affine, states)
            values = torch.cat([z, states], dim=1) if block.has_passthrough else z
            carried = Growable(values[place])
            cut = start_block(
                skeleton,
                carried,
                block.n_neurons,
                row,
                self.rows,
                decisions=self._decisions,
                n_corners=0 if isinstance(place, slice) else self.n_own,
            )
            while not cut.is_done:
                cut_by_next(skeleton, cut)
            z, passthrough = cut.carried.rows.tensor_split([block.n_neurons], dim=1)
            states, place = advance_snapped(block, passthrough, z.relu_()), slice(None)
            row += block.n_neurons
        return Piece(skeleton.freeze(), None, 1.0, skeleton.n_inconsistent)

    def _heights(self, corners: CornerStates) -> Tensor:
        """Heights (m, D + 1, M) of corners over walls of the domain, signs of those on planes exact."""
        ids, sides = self._on_planes
        whole = heights_over(ids, corners_of(corners.simplices, self.n_own - 1, self._n), self._n) * sides
        heights = heights_of(self._in_space, corners.states)[corners.place]
        return torch.where(ids < 0, whole.to(heights), heights)

    def _in_section(self, skeleton: GrowingSkeleton, carried: Tensor) -> tuple[Tensor, Tensor]:
        """Give vertices the coordinates of the section; take apart heights (V, M) over walls, and states."""
        grid = self.problem.program.grid
        assert grid is not None
        points = coordinates(grid)(skeleton.vertices.rows)
        skeleton.vertices = Growable(points)
        interpolated, states = carried.tensor_split([self._walls.bias.shape[0]], dim=1)
        heights = torch.where(self._on_planes.ids < 0, interpolated, heights_of(self._walls, points))
        return heights, states

    def _within_domain(
        self, skeleton: GrowingSkeleton, state: Tensor, heights: Tensor
    ) -> tuple[GrowingSkeleton, Tensor]:
        """Cut by the walls of the domain, and drop what is outside; with the state (V, S) of what is left."""
        n_walls, first_row = self._walls.bias.shape[0], self.n_own
        carried = Growable(torch.cat([heights, state], dim=1))
        cut = start_block(skeleton, carried, n_walls, first_row, self.rows, decisions=self._decisions)
        while not cut.is_done:
            row = first_row + cut.n_done
            cut_by_next(skeleton, cut)
            is_on = (skeleton.zero_ids.rows == row).any(1)
            is_inside = ((skeleton.words.rows & self.rows.bits[row]) != 0).any(1)
            skeleton, cut = subcomplex(skeleton, cut, is_on | is_inside)
        return skeleton, cut.carried.rows[:, n_walls:]


@cache
def _faces_of_simplex(n: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Walls (n, n - 1) on n corners, corners (e, 2) of edges, and the walls (e, n - 2) on these; int64."""
    ends = list(combinations(range(n), 2))
    lists = (
        [[k for k in range(n) if k != corner] for corner in range(n)],
        ends,
        [[k for k in range(n) if k not in pair] for pair in ends],
    )
    with torch.inference_mode(False):
        others, edges, kept = (torch.tensor(each, device=device) for each in lists)
    return others, edges, kept


def _start(rows: Arrangement, corners: CornerStates) -> Skeleton:
    """Make the skeleton of m simplices; corner k is on all walls but k."""
    m, n = corners.place.shape
    others, edges, kept = _faces_of_simplex(n, corners.place.device)
    off = torch.eye(n, dtype=torch.bool, device=edges.device)
    words = pack_rows(off, 0, rows.layout.n_words).repeat(m, 1)
    words[:, -1] = corners.simplices.repeat_interleave(n)
    first = n * torch.arange(m, device=edges.device)
    return Skeleton(
        vertices=corners.states[corners.place.flatten(), : n - 1],
        zero_ids=others.int().repeat(m, 1),
        words=words,
        edges=(first[:, None, None] + edges).reshape(-1, 2).int(),
        edge_zero_ids=kept.int().repeat(m, 1),
    )


def why_stopped(n_vertices: int, n_bytes: int, memory: int | None, assembly: int = ASSEMBLY) -> str | None:
    """Say why cutting stops at so many vertices of so many bytes; None if their welding fits in memory."""
    if memory is None or assembly * n_bytes <= memory:
        return None
    return (
        f"stopped at {n_vertices:,} vertices: all would take more than the {format_bytes(memory)} that are "
        "allowed"
    )
