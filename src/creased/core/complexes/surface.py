"""A level set from its skeleton: polygons or polylines, and the record of what was asked for and proven."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout, masks_of
from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.link import (
    Cycles,
    Sides,
    drop_open,
    link_cycles,
    polygon_sides,
    region_gradients,
)
from creased.core.complexes.orientation import directions_by_rows, orient_polygons, orient_polylines
from creased.core.complexes.polygons import Polygons
from creased.core.domains.domain import Domain
from creased.core.domains.essential import Essential
from creased.core.program.program import Program

FAR = 1e3  # times the extent of all vertices: where rays are taken to end when polygons are oriented


class Origin(NamedTuple):
    """Which level set was asked for, and what its extraction proves."""

    level: float
    output: int
    guarantee: str
    notes: tuple[str, ...]  # what is unusual about the extraction, in words
    n_inconsistent: int  # faces that rounding left open
    is_complete: bool  # whether it is proven that what was not found is not there
    part: Essential | None  # what of the network was extracted, where directions were divided out


class Surface(NamedTuple):
    """A level set's skeleton, put together."""

    skeleton: Skeleton  # its edges int64; D = 2: directed, with the inside on the left
    polygons: Polygons  # D = 3; else empty
    polygon_words: Tensor  # (F, W) int64
    polylines: Polygons  # D = 2; else empty
    n_inconsistent: int  # polygons that rounding left open, and the like


def link_surface(
    program: Program, domain: Domain, skeleton: Skeleton, rows: Arrangement, *, is_whole: bool = True
) -> Surface:
    """Polygons or polylines of a level skeleton.

    Args:
        program: with one output, less the level.
        domain: where.
        skeleton: vertices and edges on the level, its edges int64.
        rows: tables of the arrangement.
        is_whole: False where extraction was stopped: polygons at its end are left out.
    """
    none = Polygons(skeleton.edges.new_zeros(1), skeleton.edges.new_zeros(0))
    edges, layout, n_vertices = skeleton.edges, rows.layout, skeleton.vertices.shape[0]
    if edges.shape[0] and skeleton.vertices.shape[1] == 3:
        sides = polygon_sides(skeleton, rows)
        cycles = link_cycles(edges, sides, n_vertices)
        if not is_whole:
            cycles = drop_open(cycles)
        words = sides.words[cycles.owner]
        points = _places(skeleton, layout)
        codes = CellCodes(skeleton.words, skeleton.zero_ids)

        def by_rows(which: Tensor) -> tuple[Tensor, Tensor]:
            maps = _gradients_of_rows(program, domain, words[which], layout)
            return directions_by_rows(cycles.cells, which, codes, words[which], maps, layout)

        polygons = orient_polygons(cycles.cells, points, region_gradients(program, words, layout), by_rows)
        n_unbounded = int(layout.is_ray(skeleton.zero_ids)[polygons.indices].sum()) // 2
        return Surface(skeleton, polygons, words, none, cycles.n_open - n_unbounded + cycles.n_nonmanifold)
    if edges.shape[0] and skeleton.vertices.shape[1] == 2:
        cycles = _link_polylines(skeleton)
        edge_words = skeleton.words[edges[:, 0]] | skeleton.words[edges[:, 1]]
        gradients = region_gradients(program, edge_words, layout)
        polylines = orient_polylines(cycles, _places(skeleton, layout), gradients)
        directed = skeleton._replace(edges=_directed_edges(polylines, cycles))
        return Surface(directed, none, skeleton.words[:0], polylines, cycles.n_nonmanifold)
    return Surface(skeleton, none, skeleton.words[:0], none, 0)


def _gradients_of_rows(program: Program, domain: Domain, words: Tensor, layout: RowLayout) -> Tensor:
    """Gradients (n, D, n_rows) of all rows in regions given by their signs (n, W)."""
    masks = masks_of(words, layout.n_walls, layout.n_neurons, program.dtype)
    walls = domain.halfspaces(program.dtype, program.device)[:-1].expand(words.shape[0], -1, -1)
    return torch.cat([walls, program.maps_on(masks)[:, :-1]], dim=2)


def _places(skeleton: Skeleton, layout: RowLayout) -> Tensor:
    """Positions (V, D) of the vertices; of a ray one far along it."""
    points, is_ray = skeleton.vertices, layout.is_ray(skeleton.zero_ids)
    if not bool(is_ray.any()):
        return points
    finite = points[~is_ray]
    extent = 1 + (finite.amax(0) - finite.amin(0)).amax()
    first, second = skeleton.edges.unbind(1)
    leaves = is_ray[first] != is_ray[second]
    ray = torch.where(is_ray[first], first, second)[leaves]
    apex = torch.where(is_ray[first], second, first)[leaves]
    return points.index_copy(0, ray, points[apex] + FAR * extent * points[ray])


def _residual(program: Program, skeleton: Skeleton, layout: RowLayout) -> Tensor:
    """How far vertices (V,) are from the zero set; for a ray, how fast the function leaves it."""
    residual = program.outputs_at(skeleton.vertices)[:, 0].abs()
    is_ray = layout.is_ray(skeleton.zero_ids)
    if bool(is_ray.any()):
        residual[is_ray] = program.linear_part().outputs_at(skeleton.vertices[is_ray])[:, 0].abs()
    return residual


def make_level_set(
    program: Program, surface: Surface, layout: RowLayout, domain: Domain, origin: Origin
) -> LevelSet:
    """The record of a surface; the program has one output, less the level."""
    skeleton = surface.skeleton
    n_lost = int((~skeleton.vertices.isfinite().all(1)).sum())
    n_inconsistent = origin.n_inconsistent + surface.n_inconsistent + n_lost
    return LevelSet(
        vertices=skeleton.vertices,
        zero_ids=skeleton.zero_ids,
        words=skeleton.words,
        edges=skeleton.edges,
        edge_zero_ids=skeleton.edge_zero_ids,
        polygons=surface.polygons,
        polygon_words=surface.polygon_words,
        polylines=surface.polylines,
        residual=_residual(program, skeleton, layout),
        layout=layout,
        domain=domain,
        level=origin.level,
        output=origin.output,
        guarantee=origin.guarantee
        if n_inconsistent == 0
        else f"not complete: rounding left {n_inconsistent} faces open",
        status="; ".join([*origin.notes, *_notes(skeleton, layout, origin, n_inconsistent)]),
        n_inconsistent=n_inconsistent,
        is_complete=origin.is_complete and n_inconsistent == 0,
        part=origin.part,
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


def _notes(surface: Skeleton, layout: RowLayout, origin: Origin, n_inconsistent: int) -> list[str]:
    """What is unusual, in words."""
    n_wall = int((surface.zero_ids < layout.n_walls).any(dim=1).sum())
    notes = []
    if surface.vertices.shape[0] == 0:
        absent = f"the function does not cross the value {origin.level:g} in the domain"
        unseen = f"no point was found where the function takes the value {origin.level:g}"
        notes.append(f"empty: {absent if origin.is_complete else unseen}")
    n_rays = int(layout.is_ray(surface.zero_ids).sum())
    if n_rays:
        notes.append(f"unbounded: {n_rays} vertices are rays")
    elif n_wall:
        notes.append(f"cut open by the domain's walls at {n_wall} vertices")
    if n_inconsistent:
        notes.append(f"rounding left {n_inconsistent} faces open")
    return notes
