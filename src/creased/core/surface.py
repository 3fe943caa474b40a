"""A level set from its skeleton: polygons or polylines, and the record of what was asked for and proven."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.assemble import (
    Cycles,
    Sides,
    drop_open,
    link_cycles,
    orient_polygons,
    orient_polylines,
    polygon_sides,
    region_gradients,
)
from creased.core.cofaces import Arrangement
from creased.core.level_set import LevelSet, Polygons
from creased.core.program import Program
from creased.core.signs import RowLayout
from creased.core.skeleton import Skeleton


class Origin(NamedTuple):
    """Which level set was asked for, and what its extraction proves."""

    level: float
    output: int
    guarantee: str
    notes: tuple[str, ...]  # what is unusual about the extraction, in words
    n_torn: int  # faces that rounding left open
    is_whole: bool = True  # False: extraction was stopped, and polygons at its end are left out
    proves_absence: bool = True  # whether what was not found is not there


def make_level_set(program: Program, surface: Skeleton, rows: Arrangement, origin: Origin) -> LevelSet:
    """Polygons or polylines of a level skeleton, and the record of it all.

    Args:
        program: with one output, less the level.
        surface: vertices and edges on the level, their edges int64.
        rows: tables of the arrangement.
        origin: what was asked for, and what came of it.
    """
    none = Polygons(surface.edges.new_zeros(1), surface.edges.new_zeros(0))
    polygons, polylines, words, n_torn = none, none, surface.words[:0], origin.n_torn
    edges, layout = surface.edges, rows.layout
    if edges.shape[0] and surface.vertices.shape[1] == 3:
        sides = polygon_sides(surface, rows)
        cycles = link_cycles(edges, sides, surface.vertices.shape[0])
        if not origin.is_whole:
            cycles = drop_open(cycles)
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
        residual=program(surface.vertices)[:, 0].abs(),
        layout=layout,
        level=origin.level,
        output=origin.output,
        guarantee=origin.guarantee if n_torn == 0 else f"not complete: rounding left {n_torn} faces open",
        status="; ".join([*origin.notes, *_notes(surface, layout, origin, n_torn)]),
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


def _notes(surface: Skeleton, layout: RowLayout, origin: Origin, n_torn: int) -> list[str]:
    """What is unusual, in words."""
    n_wall = int((surface.zero_ids < layout.n_walls).any(dim=1).sum())
    notes = []
    if surface.vertices.shape[0] == 0:
        absent = f"the function does not take the value {origin.level:g} in the domain"
        unseen = f"no point was found where the function takes the value {origin.level:g}"
        notes.append(f"empty: {absent if origin.proves_absence else unseen}")
    if n_wall:
        notes.append(f"cut open by the domain's walls at {n_wall} vertices")
    if n_torn:
        notes.append(f"rounding left {n_torn} faces open")
    return notes
