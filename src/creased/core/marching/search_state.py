"""Lay out the state of a branch and bound search for its kernels; all memory is allocated once."""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.arrangement.skeleton import Skeleton
from creased.core.marching.kernels import search_records as records
from creased.core.marching.march import Walk
from creased.core.program.affine_arithmetic import gamma
from creased.core.subdivision.problem import SubdivisionProblem

VERTICES = 1 << 12  # of one region, a third of which it may have when it is cut
VERTICES_A_REGION = 64  # on the stack, on average
FOUND_AT_ONCE = 1 << 12  # cells


def _numbers(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.float64)


def _places(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.int64)


def network_of(problem: SubdivisionProblem) -> records.Network:
    """Lay out the weights of a problem's program, which has one output."""
    program = problem.cutting
    affines, dim = [block.affine for block in program.blocks], program.in_dim
    n_blocks, widest = len(affines), max(3, *program.widths)
    rows, bias, head = _numbers(n_blocks, widest, widest), _numbers(n_blocks, widest), _numbers(widest + 1)
    for block, affine in enumerate(affines):
        n, n_inputs = affine.weight.shape
        rows[block, :n, :n_inputs] = affine.weight
        bias[block, :n] = affine.bias
    head[: program.widths[-1]], head[-1] = program.head.weight[0], program.head.bias[0]
    columns = rows.transpose(1, 2).contiguous()
    reach = _numbers(4)
    reach[:dim], reach[3] = problem.begin.skeleton.vertices.abs().amax(0), 1
    first = torch.tensor([0, *program.widths[:-1]]).cumsum(0) + problem.rows.layout.n_walls
    return records.Network(
        widths=torch.tensor([dim, *program.widths, 1]).numpy(),
        columns=columns.numpy(),
        sizes=columns.abs().numpy(),
        rows=rows.numpy(),
        bias=bias.numpy(),
        head=head.numpy(),
        reach=reach.numpy(),
        first_row=first.numpy(),
        dim=dim,
        gamma=gamma(program.dtype, 4 * widest + dim + 1),
    )


def room_for_found(n_words: int) -> records.Found:
    """Make room for some cells."""
    words, points = _places(FOUND_AT_ONCE, n_words), _numbers(FOUND_AT_ONCE, 3)
    return records.Found(words.numpy(), points.numpy(), _places(records.COUNTS).numpy())


def make_levels(n_blocks: int, widest: int) -> records.Levels:
    """Make room for L blocks of up to N neurons."""
    return records.Levels(
        z=_numbers(n_blocks, records.PLANES, widest).numpy(),
        error=_numbers(n_blocks, widest).numpy(),
        slope=_numbers(n_blocks, widest).numpy(),
        passed=_numbers(n_blocks + 1, records.PLANES, widest).numpy(),
        open=_places(n_blocks, widest).numpy(),
        n_open=_places(n_blocks).numpy(),
        weighed=_numbers(n_blocks, widest).numpy(),
    )


def make_scratch(n_blocks: int, widest: int, n_words: int) -> records.Scratch:
    """Make room for one region."""
    low, high, slope, rise, lower = (_numbers(n_blocks, widest).numpy() for _ in range(5))
    return records.Scratch(
        _numbers(VERTICES, 3).numpy(),
        _places(VERTICES, 3).numpy(),
        _places(VERTICES, 3).numpy(),
        _numbers(widest, VERTICES).numpy(),
        _places(widest).numpy(),
        _places(n_words).numpy(),
        low,
        high,
        slope,
        rise,
        lower,
        _numbers(records.PLANES, widest).numpy(),
        _numbers(records.PLANES, widest).numpy(),
        _places(widest).numpy(),
        _numbers(2, widest).numpy(),
        _places(VERTICES, 3).numpy(),
        _places(VERTICES).numpy(),
        _places(records.FRAME).numpy(),
        _places(2).numpy(),
    )


def known_cells(walk: Walk, dim: int) -> records.Known:
    """Known cells: those of a walk that have sides, with the mean of their corners."""
    has_sides = walk.n_sides > 0
    cell = torch.repeat_interleave(torch.arange(len(walk.n_sides)), walk.n_sides)
    points = _numbers(len(walk.n_sides), 3)
    points[:, :dim].index_add_(0, cell, walk.starts)
    points /= walk.n_sides.clamp(min=1)[:, None]
    words = walk.words[: len(walk.n_sides)][has_sides]
    order = torch.arange(words.shape[0])
    return records.Known(points[has_sides].numpy(), words.numpy(), order.numpy())


def make_stack(depth: int, widest: int, n_words: int) -> records.Stack:
    """Make room for as many regions as can wait, one a neuron and some more."""
    n_vertices = VERTICES_A_REGION * depth + 8 * VERTICES
    return records.Stack(
        frames=_places(depth, records.FRAME).numpy(),
        share=_numbers(depth).numpy(),
        words=_places(depth, n_words).numpy(),
        vertices=_numbers(n_vertices, 3).numpy(),
        facets=_places(n_vertices, 3).numpy(),
        neighbours=_places(n_vertices, 3).numpy(),
        open=_places(depth * widest).numpy(),
        tops=_places(3).numpy(),
    )


def put_domain(stack: records.Stack, problem: SubdivisionProblem, n_points: int) -> None:
    """Push the whole domain."""
    start, dim = problem.begin.skeleton, problem.domain.dim
    n = start.vertices.shape[0]
    stack.vertices[:n, :dim] = start.vertices.numpy()
    stack.facets[:n, :dim] = start.zero_ids.numpy()
    stack.neighbours[:n, :dim] = _neighbours(start).numpy()
    stack.words[0] = problem.rows.before[problem.rows.layout.n_walls].numpy()
    stack.share[0] = 1.0
    stack.frames[0] = (-1, 0, n, 0, 0, 0, n_points)
    stack.tops[:] = (1, n, 0)


def _neighbours(cells: Skeleton) -> Tensor:
    """Return the vertex (V, D) at the other end of the edge that leaves each row of a vertex."""
    found = torch.empty_like(cells.zero_ids, dtype=torch.int64)
    for ends in (cells.edges.long(), cells.edges.long().flip(1)):
        first, second = ends.unbind(1)
        is_on = (cells.zero_ids[first][:, :, None] == cells.edge_zero_ids[:, None]).any(2)
        slot = (~is_on).nonzero()[:, 1]
        found[first, slot] = second
    return found
