"""Link the skeleton of a level set into polygons or polylines, and note what is unusual about it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout
from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.link import CellMaps, Cycles, Sides, drop_open, link_cycles, polygon_sides
from creased.core.complexes.orientation import directions_by_rows, orient_polygons, orient_polylines
from creased.core.complexes.polygons import Polygons
from creased.core.provenance import Finding, Note, Provenance

FAR = 1e3  # times the extent of all vertices: where rays are taken to end when polygons are oriented


class Surface(NamedTuple):
    """A level set's skeleton, linked."""

    skeleton: Skeleton  # its edges int64; D = 2: directed, with the inside on the left
    polygons: Polygons  # D = 3; else empty
    polygon_words: Tensor  # (F, W) int64
    polylines: Polygons  # D = 2; else empty
    n_inconsistent: int  # polygons that rounding left open, and the like


def link_surface(maps: CellMaps, skeleton: Skeleton, rows: Arrangement, *, is_whole: bool = True) -> Surface:
    """Link a level skeleton into oriented polygons (D = 3) or polylines (D = 2).

    Args:
        maps: of the level's function, less the level.
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
            mine = words[which]
            return directions_by_rows(cycles.cells, which, codes, mine, maps.row_gradients(mine), layout)

        polygons = orient_polygons(cycles.cells, points, maps.gradients(words), by_rows)
        is_ray = layout.is_ray(skeleton.zero_ids)
        n_unbounded = int(is_ray[polygons.indices].sum()) // 2 if layout.at_infinity else 0
        return Surface(skeleton, polygons, words, none, cycles.n_open - n_unbounded + cycles.n_nonmanifold)
    if edges.shape[0] and skeleton.vertices.shape[1] == 2:
        words = skeleton.words[edges[:, 0]] | skeleton.words[edges[:, 1]]
        return link_curve(skeleton, maps.gradients(words), layout)
    return Surface(skeleton, none, skeleton.words[:0], none, 0)


def link_curve(skeleton: Skeleton, gradients: Tensor, layout: RowLayout) -> Surface:
    """Link a level skeleton, D = 2, into polylines along the gradients (E, 2) of its edges."""
    cycles = _link_polylines(skeleton)
    polylines = orient_polylines(cycles, _places(skeleton, layout), gradients)
    edges, order = _directed_edges(polylines, cycles, skeleton.edges)
    directed = skeleton._replace(edges=edges, edge_zero_ids=skeleton.edge_zero_ids[order])
    none = Polygons(edges.new_zeros(1), edges.new_zeros(0))
    return Surface(directed, none, skeleton.words[:0], polylines, cycles.n_nonmanifold)


def _places(skeleton: Skeleton, layout: RowLayout) -> Tensor:
    """Positions (V, D) of vertices; for a ray, of a point far along it."""
    points, is_ray = skeleton.vertices, layout.is_ray(skeleton.zero_ids)
    if not (layout.at_infinity and bool(is_ray.any())):
        return points
    finite = points[~is_ray]
    extent = 1 + (finite.amax(0) - finite.amin(0)).amax()
    first, second = skeleton.edges.unbind(1)
    leaves = is_ray[first] != is_ray[second]
    ray = torch.where(is_ray[first], first, second)[leaves]
    apex = torch.where(is_ray[first], second, first)[leaves]
    return points.index_copy(0, ray, points[apex] + FAR * extent * points[ray])


def _link_polylines(surface: Skeleton) -> Cycles:
    n_edges = surface.edges.shape[0]
    every_edge = torch.arange(n_edges, device=surface.edges.device)
    sides = Sides(every_edge, torch.zeros_like(every_edge), surface.words[:1])
    return link_cycles(surface.edges, sides, surface.vertices.shape[0])


def _directed_edges(polylines: Polygons, cycles: Cycles, edges: Tensor) -> tuple[Tensor, Tensor]:
    """Edges (E, 2) in the direction of their polylines, and which of the given edges (E, 2) each was."""
    directed = torch.stack([polylines.indices, polylines.heads()], dim=1)
    last = polylines.offsets[1:] - 1
    keep = torch.ones_like(polylines.indices, dtype=torch.bool)
    keep[last[cycles.corner_edge[last] < 0]] = False  # an open one does not return to its start
    directed = directed[keep]
    n = int(edges.max()) + 1
    here, there = (torch.argsort(ends.amin(1) * n + ends.amax(1)) for ends in (directed, edges))
    return directed, torch.empty_like(here).index_copy_(0, here, there)


def notes_of(surface: Surface, layout: RowLayout, level: float, found: Provenance) -> list[Note]:
    """Note that a surface is empty, unbounded, or cut by walls."""
    cells, notes = surface.skeleton, []
    if cells.vertices.shape[0] == 0:
        words = f"no point was found where the function takes the value {level:g}"
        if found.is_complete:
            words = f"the function does not cross the value {level:g} in the domain"
        elif not found.is_whole:
            words = "what was looked through before the stop holds nothing"
        notes.append(Note(Finding.EMPTY, f"empty: {words}"))
    n_rays = int(layout.is_ray(cells.zero_ids).sum()) if layout.at_infinity else 0
    n_wall = int(((cells.zero_ids >= 0) & (cells.zero_ids < layout.n_walls)).any(dim=1).sum())
    if n_rays:
        notes.append(Note(Finding.UNBOUNDED, f"unbounded: {n_rays} vertices are rays"))
    elif n_wall:
        notes.append(Note(Finding.CUT_BY_WALLS, f"cut open by the domain's walls at {n_wall} vertices"))
    return notes
