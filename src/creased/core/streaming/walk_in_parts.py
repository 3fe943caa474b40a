"""Walk a level set sub-box by sub-box."""

from __future__ import annotations

from collections import deque
from collections.abc import MutableMapping
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.complexes.link import ProgramMaps
from creased.core.marching.surface_of_walk import surface_of_walk
from creased.core.marching.walkers import start_walk
from creased.core.numerics.memory import CellLimitError, Resources
from creased.core.streaming.piece import Piece, piece_of
from creased.core.streaming.sub_box_grid import Place, SubBoxGrid
from creased.core.subdivision.problem import SubdivisionProblem

CHECKED = 16  # one of so many vertices has the function evaluated there, which takes as long as to find it
Pieces = MutableMapping[Place, Piece]


class TooLargeError(CellLimitError):
    """A sub-box that holds more than memory allows."""

    def __init__(self, why: str, n_cells: int) -> None:
        super().__init__(why)
        self.n_cells = n_cells  # that were seen


class _Sides(NamedTuple):
    """What is remembered of the sides of a piece in planes."""

    walls: Tensor  # (s,) int64
    keys: Tensor  # (s,) int64
    n_entered: int


def walk_in_parts(
    problem: SubdivisionProblem, grid: SubBoxGrid, seeds: Tensor, resources: Resources, pieces: Pieces
) -> None:
    """Walk the components that seeds (m, 3) lie on; add what is not among the pieces yet.

    A sub-box that its neighbours have more polygons in than were found there is walked again, from these.

    Raises:
        TooLargeError: a sub-box holds more than the memory that is allowed.
    """
    _Parts(problem, grid, seeds, resources, pieces).walk()


class _Parts:
    def __init__(
        self,
        problem: SubdivisionProblem,
        grid: SubBoxGrid,
        seeds: Tensor,
        resources: Resources,
        pieces: Pieces,
    ) -> None:
        self._problem, self._grid, self._resources, self._pieces = problem, grid, resources, pieces
        self._seeds: dict[Place, list[int]] = {}
        for i, place in enumerate(grid.places(seeds)):
            self._seeds.setdefault(place, []).append(i)
        self._points = seeds
        self._sides: dict[Place, _Sides] = {}
        self._n_faces = 0
        for place, piece in pieces.items():
            self._remember(place, piece)

    def _remember(self, place: Place, piece: Piece) -> None:
        self._sides[place] = _Sides(piece.walls.clone(), piece.keys.clone(), piece.n_entered)
        self._n_faces += len(piece.sizes)

    def walk(self) -> None:
        """Walk until each sub-box has the polygons that reach it."""
        waiting = deque(self._seeds)
        waiting.extend(across for place in self._sides for across in self._grid.neighbours(place).values())
        while waiting:
            place = waiting.popleft()
            if not self._is_needed(place):
                continue
            n_more = len({other for other in waiting if other not in self._sides} - {place})
            piece = self._walk(place, n_more)
            self._pieces[place] = piece
            self._remember(place, piece)
            reached = set(piece.walls.tolist())
            waiting.extend(at for wall, at in self._grid.neighbours(place).items() if wall in reached)

    def _is_needed(self, place: Place) -> bool:
        entering = [sides.keys[sides.walls == wall ^ 1] for wall, sides in self._around(place)]
        n_entering = sum(map(len, entering))
        known = self._sides.get(place)
        if known is None:
            return place in self._seeds or n_entering > 0
        is_known = torch.isin(torch.cat([*entering, known.keys[:0]]), known.keys).all()
        return not is_known and n_entering > known.n_entered

    def _around(self, place: Place) -> list[tuple[int, _Sides]]:
        """List the sides of each neighbour that was walked, with the wall that is shared."""
        around = self._grid.neighbours(place).items()
        return [(wall, self._sides[other]) for wall, other in around if other in self._sides]

    def _walk(self, place: Place, n_more: int) -> Piece:
        def report(words: str) -> None:
            done = f"{len(self._sides):,} sub-boxes done, {n_more:,} more in sight, {self._n_faces:,} faces"
            self._resources.report(f"{done}; {words}")

        resources = self._resources._replace(progress=report)
        resources.report("the next one")
        part, whole = self._grid.at(place), self._grid.box
        problem = self._problem.on(part)
        walker = start_walk(problem, resources)
        walker.walk_from(self._points[self._seeds.get(place, [])])
        n_entered = 0
        for wall, other in self._grid.neighbours(place).items():
            if other in self._sides:
                entered = self._pieces[other]
                mine = (entered.walls == wall ^ 1).nonzero()[:, 0]
                device = self._points.device
                walker.walk_on(entered.words[mine].to(device), entered.middles[mine].to(device))
                n_entered += len(mine)
        if walker.why_stopped:
            raise TooLargeError(walker.why_stopped, walker.n_cells)
        walk, layout = walker.finish(), problem.rows.layout
        surface = surface_of_walk(walk, problem.rows, ProgramMaps(problem.program, part, layout))
        piece = piece_of(walk, surface, layout, part, whole, n_entered)
        checked = piece.vertices[::CHECKED].to(self._points)
        heights = problem.program.outputs_at(checked)[:, 0].abs().cpu()
        return piece._replace(residual=torch.cat([heights, piece.residual[None]]).amax())
