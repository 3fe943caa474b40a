"""The front doors of the engine: the complex of a program on a domain, and its level set.

Subdivision starts from the domain's own skeleton and cuts it by each block in turn; the outputs, less the
level, are the last block. A level set is complete because every cell of the domain was cut by every row, or,
where it was pruned, dropped by a bound that proves it not to meet the level.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.assemble import (
    Cycles,
    Sides,
    link_cycles,
    on_row,
    orient_polygons,
    orient_polylines,
    polygon_sides,
    region_gradients,
)
from creased.core.cofaces import Arrangement, arrange
from creased.core.complex import PolyhedralComplex
from creased.core.domain import Box
from creased.core.level_set import LevelSet, Polygons
from creased.core.pieces import Cutter, Task
from creased.core.program import Affine, Program
from creased.core.signs import RowLayout
from creased.core.skeleton import Skeleton
from creased.core.weld import Welder

COMPLETE = "complete in the domain: every cell was subdivided"
CERTIFIED = "complete in the domain: every cell was subdivided, or proven not to meet the level"


class Extraction(NamedTuple):
    """A fully cut skeleton."""

    skeleton: Skeleton
    rows: Arrangement
    n_torn: int


class Wanted(NamedTuple):
    """Which level set was asked for, and what its extraction proves."""

    level: float
    output: int
    guarantee: str


def extract_complex(
    program: Program,
    domain: Box,
    *,
    level: float | None = 0.0,
    at_once: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> PolyhedralComplex:
    """The complex of a program on a domain, cut by every neuron and by {output = level} for each output.

    Args:
        program: what to extract; detached.
        domain: where.
        level: the value of the outputs that cuts; None leaves the outputs out.
        device: where to work; the program's by default.
        dtype: floating type to work in; the program's by default.

    Raises:
        ValueError: dimensions differ, or a weight is not finite.
    """
    program = _prepare(program, domain, device, dtype)
    done = _cut_all(program, domain, level, at_once=at_once)
    return PolyhedralComplex(*done.skeleton, layout=done.rows.layout, n_torn=done.n_torn)


def extract_level_set(
    program: Program,
    domain: Box,
    level: float = 0.0,
    *,
    output: int = 0,
    prune: bool = True,
    at_once: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> LevelSet:
    """The exact set {f = level} of one output on a domain.

    Vertices come with D >= 1, edges with D >= 2; with D = 3 they are put together into oriented polygons,
    with D = 2 into polylines. An empty level set is a result, with a status, not an error.

    Args:
        program: what to extract; detached.
        domain: where.
        level: the value of the output.
        output: which output.
        prune: drop regions as soon as bounds prove that they do not meet the level; False cuts everything.
        device: where to work; the program's by default.
        dtype: floating type to work in; the program's by default.

    Raises:
        ValueError: dimensions differ, a weight is not finite, or there is no such output.
    """
    program = _prepare(program, domain, device, dtype)
    if not 0 <= output < program.out_dim:
        raise ValueError(f"extract_level_set: output must be in 0..{program.out_dim - 1}, got {output}")
    if not math.isfinite(level):
        raise ValueError(f"extract_level_set: level must be finite, got {level}")
    program = replace(program, head=_pick(program.head, output))
    done = _cut_all(program, domain, level, prune=prune, at_once=at_once, level_only=True)
    surface = done.skeleton._replace(edges=done.skeleton.edges.long())
    guarantee = CERTIFIED if prune and program.blocks else COMPLETE
    return _assemble(program, surface, done, Wanted(level, output, guarantee))


def _prepare(
    program: Program, domain: Box, device: torch.device | str | None, dtype: torch.dtype | None
) -> Program:
    if program.in_dim != domain.dim:
        raise ValueError(
            f"the program takes {program.in_dim} inputs, but the domain has {domain.dim} dimensions"
        )
    program = program.detach().to(device, dtype)
    for tensor in program.tensors():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(
                f"a weight of shape {tuple(tensor.shape)} holds NaN or infinity: nothing to extract"
            )
    return program


def _pick(head: Affine, output: int) -> Affine:
    return Affine(head.weight[output : output + 1], head.bias[output : output + 1])


def _cut_all(
    program: Program,
    domain: Box,
    level: float | None,
    *,
    prune: bool = False,
    at_once: int | None = None,
    level_only: bool = False,
) -> Extraction:
    """Cut the domain by every block, then by the outputs; prune what cannot meet the level, if asked to."""
    layout = RowLayout(domain.n_walls, program.widths, 0 if level is None else program.out_dim)
    rows = arrange(layout, program.device)
    if level is not None:
        program = replace(program, head=Affine(program.head.weight, program.head.bias - level))
    cutter = Cutter(Task(program, domain, rows, has_outputs=level is not None, prune=prune, at_once=at_once))
    welder = Welder(domain.dim, rows, program.dtype)
    while (piece := cutter.next_piece()) is not None:
        welder.add(on_row(piece, layout.first_output) if level_only else piece)
    return Extraction(welder.finish(), rows, welder.n_torn)


def _assemble(program: Program, surface: Skeleton, done: Extraction, wanted: Wanted) -> LevelSet:
    """Polygons or polylines of a level skeleton, and the record of it all."""
    none = Polygons(surface.edges.new_zeros(1), surface.edges.new_zeros(0))
    polygons, polylines, words, n_torn = none, none, surface.words[:0], done.n_torn
    edges, layout = surface.edges, done.rows.layout
    if edges.shape[0] and surface.vertices.shape[1] == 3:
        sides = polygon_sides(surface, done.rows)
        cycles = link_cycles(edges, sides, surface.vertices.shape[0])
        words = sides.words[cycles.owner]
        polygons = orient_polygons(cycles.cells, surface.vertices, region_gradients(program, words, layout))
        n_torn += cycles.n_open + cycles.n_crowded
    elif edges.shape[0] and surface.vertices.shape[1] == 2:
        cycles = _link_polylines(surface)
        edge_words = surface.words[edges[:, 0]] | surface.words[edges[:, 1]]
        polylines = orient_polylines(cycles, surface.vertices, region_gradients(program, edge_words, layout))
        edges = _directed_edges(polylines, cycles)
        n_torn += cycles.n_crowded
    return LevelSet(
        vertices=surface.vertices,
        zero_ids=surface.zero_ids,
        words=surface.words,
        edges=edges,
        edge_zero_ids=surface.edge_zero_ids,
        polygons=polygons,
        polygon_words=words,
        polylines=polylines,
        residual=(program(surface.vertices)[:, 0] - wanted.level).abs(),
        layout=layout,
        level=wanted.level,
        output=wanted.output,
        guarantee=wanted.guarantee if n_torn == 0 else f"not complete: rounding left {n_torn} faces open",
        status=_status(surface, layout, wanted.level, n_torn),
        n_torn=n_torn,
    )


def _link_polylines(surface: Skeleton) -> Cycles:
    n_edges = surface.edges.shape[0]
    every_edge = torch.arange(n_edges, device=surface.edges.device)
    sides = Sides(every_edge, torch.zeros_like(every_edge), surface.words[:1])
    return link_cycles(surface.edges, sides, surface.vertices.shape[0])


def _directed_edges(polylines: Polygons, cycles: Cycles) -> Tensor:
    """The edges (E, 2) in the direction of their polylines; an open one does not return to its start."""
    edges = torch.stack([polylines.indices, polylines.indices[polylines.following()]], dim=1)
    last = polylines.offsets[1:] - 1
    is_open = cycles.corner_edge[last] < 0
    keep = torch.ones_like(polylines.indices, dtype=torch.bool)
    keep[last[is_open]] = False
    return edges[keep]


def _status(surface: Skeleton, layout: RowLayout, level: float, n_torn: int) -> str:
    n_wall = int((surface.zero_ids < layout.n_walls).any(dim=1).sum())
    notes = []
    if surface.vertices.shape[0] == 0:
        notes.append(f"empty: the function does not take the value {level:g} in the domain")
    if n_wall:
        notes.append(f"cut open by the domain's walls at {n_wall} vertices")
    if n_torn:
        notes.append(f"rounding left {n_torn} faces open: extract in float64")
    return "; ".join(notes)
