"""Cut a domain by all of a program: whole where it fits in memory, else in pieces, depth first.

A part that grows over its share of memory while it is cut is divided by regions; the others wait while one is
finished. So what is worked on stays small as long as no single region outgrows it, and a finished piece can
be counted, written or put together with the others, and forgotten. A cell between pieces is found in each,
and belongs to the first of them. Before each step its memory is estimated: where it would exceed what is
allowed, or the time is over, cutting stops before it is taken.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.buckets import Batches
from creased.core.arrangement.skeleton import BlockCut, GrowingSkeleton, Skeleton, restrict
from creased.core.arrangement.subdivide import SCAN, cut_by_next, start_block
from creased.core.numerics.memory import rows_at_once, working_bytes
from creased.core.numerics.tensors import Growable
from creased.core.program.layers import Affine
from creased.core.program.rounding import advance_snapped, errors_on_cells, inherited_noise, snap_sums
from creased.core.subdivision.footprint import NO_LIMITS, Footprint, Limits
from creased.core.subdivision.problem import SubdivisionProblem
from creased.core.subdivision.prune import Pruner
from creased.core.subdivision.subproblem import Subproblem, divide, renumber

CACHED = 1 << 12  # states that are looked at in one go
FEWEST_DIVIDED = 1 << 12  # vertices of a part that is divided before it is too large
FEW = 8  # while vertices are fewer than would be divided by this factor, new regions get numbers of their own


class Piece(NamedTuple):
    """A completely cut part of a complex."""

    skeleton: Skeleton
    corners: Tensor | None  # (V, 2^D) int32; None: this is the whole
    share: float  # of the whole, about
    n_inconsistent: int  # faces that rounding left open


class Cutter:
    """Cut a problem piece by piece; neighbouring pieces follow each other."""

    def __init__(self, problem: SubdivisionProblem) -> None:
        self._problem = problem
        self._program, self._rows = problem.cutting, problem.rows
        self._affines = [block.affine for block in self._program.blocks]
        self._affines += [self._program.head] * problem.has_outputs
        self._widths = [sum(affine.matrix.shape) for affine in (*self._affines, self._program.head)]
        self._pruner: Pruner | None = None
        self._noise: list[Tensor | None] = []  # of the states, inherited
        self.n_bytes_needed: int | None = (
            None  # that stopped cutting, being more than allowed; None: nothing did
        )
        self._scales = [0.0] * len(self._affines)  # such that proven errors are in the band of doubt
        self._stack: list[Subproblem] = [self._start()]

    @torch.no_grad()
    def next_piece(self, limits: Limits = NO_LIMITS) -> Piece | None:
        """Cut the next piece; None when all of the domain is done, or cutting stopped at a limit."""
        while self._stack:
            part = self._stack.pop()
            if self._is_cut(part):
                return _finish(part)
            n_waiting = sum(map(self._footprint.held, self._stack))
            parts = self._advance(part, limits._replace(n_bytes=limits.n_bytes - n_waiting))
            self._stack.extend(reversed(parts))
            if limits.is_late():
                return None
            if self.n_bytes_needed is not None:
                self.n_bytes_needed += n_waiting
                return None
        return None

    @property
    def is_done(self) -> bool:
        """True if no piece is left."""
        return not self._stack

    @torch.no_grad()
    def _start(self) -> Subproblem:
        """Make the subproblem of the whole domain, ready for the first block."""
        problem, program = self._problem, self._program
        start, corners = problem.begin.copied()
        self._noise = inherited_noise(program, start.vertices)
        if problem.band:
            errors = errors_on_cells(program, start.vertices.abs().amax(0))
            self._scales = [max(error.tolist(), default=0.0) / problem.band for error in errors]
        if problem.prune and program.blocks:
            self._pruner = Pruner(program, start.vertices.abs().amax(0))
        number, dim, n_bytes = start.vertices.element_size(), start.vertices.shape[1], self._bytes_a_vertex()
        division = Footprint.of(dim, self._rows.layout, number, has_corners=True).division
        fitting = min(working_bytes(program.device) // n_bytes, problem.share // (n_bytes + division))
        at_once = problem.at_once or max(fitting, 1)
        # So many vertices have C(n, D) creases; where they fit at once, nothing need be numbered.
        is_large = math.comb(self._rows.layout.n_neurons, problem.domain.dim) > at_once
        is_numbered = self._pruner is not None or is_large
        self._footprint = Footprint.of(dim, self._rows.layout, number, has_corners=is_numbered)
        skeleton = GrowingSkeleton.of(start, corners if is_numbered else None)
        cut = self._start_block(skeleton, 0, start.vertices, problem.begin.n_started)
        return Subproblem(skeleton, cut, 0, at_once, forms=self._pruner.whole() if self._pruner else None)

    def _bytes_a_vertex(self) -> int:
        """Estimate the bytes of a vertex, with its edges and values, while a part is cut."""
        dim, layout, program = self._problem.domain.dim, self._rows.layout, self._program
        number = program.head.weight.element_size()
        widest = max((sum(block.affine.matrix.shape) for block in program.blocks), default=1)
        edges = dim * (8 + 4 * (dim - 1))
        maps = 4 * 2**dim + (dim + 1) * number * widest // 4 if self._problem.prune else 0
        return dim * (number + 4) + 8 * layout.n_words + edges + number * widest + maps

    def _is_cut(self, part: Subproblem) -> bool:
        return part.cut.is_done and part.index >= len(self._affines) - 1

    def _advance(self, part: Subproblem, limits: Limits) -> list[Subproblem]:
        """Cut by neurons until the part is done, so large that it is divided, or stopped at a limit."""
        footprint = self._footprint
        while not self._is_cut(part):
            if part.cut.is_done:
                if self._exceeds(footprint.to_advance(part, self._widths[part.index + 1]), limits):
                    break
                self._next_block(part)
            if self._exceeds(footprint.to_cut(part), limits):
                break
            cut_by_next(part.skeleton, part.cut)
            if self._pruner and part.index < len(self._program.blocks):
                self._pruner.within_block(part)
            if self._expected(part) > part.split_above and not self._is_cut(part):
                return [part] if self._exceeds(footprint.to_divide(part), limits) else divide(part)
        return [part]

    def _expected(self, part: Subproblem) -> float:
        """Estimate how many vertices a part will have: what is divided early is moved while it is small."""
        n, layout = part.skeleton.vertices.n, self._rows.layout
        if self._pruner is not None or n < FEWEST_DIVIDED:
            return n
        n_done = part.cut.first_row - layout.n_walls + part.cut.n_done
        return n * (layout.n_neurons / max(n_done, 1)) ** part.skeleton.zero_ids.rows.shape[1]

    def _exceeds(self, n_bytes: int, limits: Limits) -> bool:
        """Tell if the next step would exceed the limits, and record the bytes that it needs."""
        if n_bytes > limits.n_bytes:
            self.n_bytes_needed = n_bytes
            return True
        return limits.is_late()

    def _next_block(self, part: Subproblem) -> None:
        """Propagate the state at the vertices through the block that has cut; start the next one."""
        block = self._program.blocks[part.index]
        z, passthrough = part.cut.carried.rows.tensor_split([block.n_neurons], dim=1)
        state = advance_snapped(block, passthrough, z.relu_(), self._noise[part.index])
        if self._pruner and part.index + 1 < len(self._program.blocks):
            state = self._pruner.after_block(part, state)
        else:
            is_small = part.skeleton.vertices.n < part.split_above // FEW
            if not self._pruner and part.skeleton.corners and is_small:
                renumber(part)
            part.index += 1
        part.cut = self._start_block(part.skeleton, part.index, state)

    def _start_block(self, skeleton: GrowingSkeleton, index: int, state: Tensor, n_done: int = 0) -> BlockCut:
        """Start block ``index``, or the outputs, from its state (V, S) at the vertices."""
        first_row = self._rows.layout.n_walls + sum(self._program.widths[:index])
        if index == len(self._affines):
            return BlockCut(self._rows, first_row, 0, Growable(state), Batches.of(0))
        affine = self._affines[index]
        blocks = self._program.blocks[index : index + 1]
        has_passthrough = any(block.has_passthrough for block in blocks)
        carried = _evaluate(affine, state, has_passthrough=has_passthrough)
        decisions = self._problem.decisions
        if decisions is None or decisions.snaps:
            for rows, inputs in zip(carried.rows.split(SCAN), state.split(SCAN), strict=True):
                snap_sums(rows[:, : affine.bias.shape[0]], affine, inputs, self._noise[index])
        return start_block(
            skeleton,
            carried,
            affine.bias.shape[0],
            first_row,
            self._rows,
            n_done,
            decisions,
            largest=self._scale_of_doubt(index, state, carried.rows),
        )

    def _scale_of_doubt(self, index: int, state: Tensor, values: Tensor) -> float:
        """Return the size that doubts about a block's values (V, N + P) are relative to; its state is (V, S).

        Proven errors grow beyond all use with depth: where not all doubts are to be decided, the sizes of the
        sums stand in for them.
        """
        decisions, affine = self._problem.decisions, self._affines[index]
        if not state.numel() or not affine.bias.numel():
            return self._scales[index]
        if decisions is None or decisions.most is None:
            return max(self._scales[index], *map(abs, torch.stack(values.aminmax()).tolist()))
        is_rectified = index > 0 and self._program.blocks[index - 1].is_plain
        largest = state.new_zeros(state.shape[1])
        for rows in state.split(rows_at_once(CACHED, state.device)):
            torch.maximum(largest, rows.amax(0), out=largest)
            if not is_rectified:
                torch.maximum(largest, -rows.amin(0), out=largest)
        return float((affine.matrix.abs() @ largest + affine.bias.abs()).max())


def _evaluate(affine: Affine, state: Tensor, *, has_passthrough: bool) -> Growable:
    """Preactivations at the vertices, followed by the state (V, S) where the block passes it on."""
    n_neurons, n_inputs = affine.matrix.shape
    width = n_neurons + (n_inputs if has_passthrough else 0)
    values = Growable.with_room(state.shape[0], state.new_empty((0, width)))
    for rows, inputs in zip(values.rows.split(SCAN), state.split(SCAN), strict=True):
        if has_passthrough or affine.matrix.layout != torch.strided:
            rows[:, :n_neurons] = affine(inputs)
            rows[:, n_neurons:] = inputs[:, : width - n_neurons]
        else:
            torch.addmm(affine.bias, inputs, affine.weight.T, out=rows)
    return values


def _finish(part: Subproblem) -> Piece:
    skeleton = part.skeleton
    corners = None if skeleton.corners is None else skeleton.corners.rows
    return Piece(skeleton.freeze(), corners, part.share, skeleton.n_inconsistent)


def on_row(piece: Piece, row: int) -> Piece:
    """Restrict a piece to a row (the last one that cut), with its vertices renumbered from 0."""
    cells = piece.skeleton
    is_on = cells.zero_ids[:, -1] == row
    edge = (cells.edge_zero_ids[:, -1:] == row).any(1).nonzero()[:, 0]  # none in one dimension
    corners = None if piece.corners is None else piece.corners[is_on]
    return piece._replace(skeleton=restrict(cells, is_on, edge), corners=corners)
