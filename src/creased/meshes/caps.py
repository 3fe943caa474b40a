"""Caps: close a surface that the domain's walls cut, by the parts of the walls where f <= level.

On a wall the sublevel set is bounded by the surface's boundary edges on the wall, reversed, and by the inside
pieces of the wall's own edges. Along an edge of the domain inside and outside alternate at the vertices on
it; the direction of the boundary edge at a vertex decides which comes first. Vertices are in the order of the
perturbed arrangement (`creased.meshes.edge_order`), so that those of a degenerate network may coincide. An
edge without vertices takes the side of its ends; if no edge has vertices, the function at a corner decides.

The mesh has the vertices of the surface, and corners of the domain. Not guaranteed: without the program
positions are compared, and the sign of the volume decides. The result is audited; `CapError` is raised where
it is wrong.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.polygons import Polygons
from creased.core.program.program import Program
from creased.extras import how_to_install
from creased.geometry.halfedges import halfedges_of
from creased.meshes.edge_order import order_along
from creased.meshes.polygon_mesh import PolygonMesh


class CapError(ValueError):
    """The surface cannot be closed along the walls; the message says why."""


class _Walls(NamedTuple):
    """The edges of the domain, once for each of their two walls, which is on the left seen from outside."""

    corners: Tensor  # (C, 3) float64
    ends: list[tuple[int, int, int, int]]  # (wall, edge, corner from, corner to)
    normals: Tensor  # (M, 3) float64, outward
    edge_walls: list[tuple[int, int]]  # the two walls of each edge


def cap(level_set: LevelSet, program: Program | None = None) -> PolygonMesh:
    """Close the surface of {f <= level} in the domain: its polygons, then triangles on the walls.

    Args:
        level_set: a bounded surface with D = 3 in a box, a simplex or a polytope.
        program: the level set's; orders vertices that coincide on an edge of the domain, which generic
            networks do not have.

    Raises:
        CapError: rounding has changed the order of vertices on an edge, or the surface is inconsistent.
        ImportError: manifold3d is not installed.
    """
    here = level_set.to("cpu")
    function = None if program is None else program.detach().to("cpu", torch.float64)
    walls = _walls_of(here)
    cuts = _cut_sides(here)
    crossings = _crossings(here, walls, cuts, function)
    inside = _inside_corners(walls, cuts, crossings)
    n_vertices = here.vertices.shape[0]
    closed = _closed_by(here, walls, _wall_sides(walls, cuts, crossings, inside, n_vertices))
    if not any(crossings) and _is_inside_out(closed, here, walls, function):
        inside = dict.fromkeys(range(walls.corners.shape[0]), True)
        closed = _closed_by(here, walls, _wall_sides(walls, cuts, crossings, inside, n_vertices))
    return _audited(closed)


def _is_inside_out(mesh: PolygonMesh, level_set: LevelSet, walls: _Walls, function: Program | None) -> bool:
    """Decide, for a surface that meets no edge of the domain, whether all corners are inside."""
    if function is None:
        return mesh.volume() < 0
    values = function(walls.corners)[:, level_set.output] - level_set.level
    return bool(values[values.abs().argmax()] < 0)


def _walls_of(level_set: LevelSet) -> _Walls:
    """Direct the edges of the domain by normals alone, so that edges of no length have a direction.

    Around wall a, seen from outside, the edge with wall b runs along n_a x n_b; it starts at the corner whose
    third wall it leaves inward.
    """
    domain, cpu = level_set.domain, torch.device("cpu")
    dtype = level_set.vertices.dtype  # corners are rounded as the vertices are
    cells = domain.skeleton(level_set.words.shape[1], dtype, cpu)
    cells = cells._replace(vertices=cells.vertices.double())
    normals = -domain.halfspaces(torch.float64, cpu)[:-1].T
    edge_walls = [(a, b) for a, b in cells.edge_zero_ids.tolist()]
    corner_walls = [set(walls) for walls in cells.zero_ids.tolist()]
    ends = []
    for edge, (first, second) in enumerate(cells.edges.tolist()):
        for wall, other in (edge_walls[edge], edge_walls[edge][::-1]):
            along = torch.linalg.cross(normals[wall], normals[other])
            (third,) = corner_walls[first] - {wall, other}
            leaves = float(along @ normals[third]) < 0
            ends.append((wall, edge, first, second) if leaves else (wall, edge, second, first))
    return _Walls(cells.vertices, ends, normals, edge_walls)


def _cut_sides(level_set: LevelSet) -> dict[int, list[tuple[int, int]]]:
    """Collect for each wall the boundary edges on it, reversed: (tail, head), the inside on the left."""
    sides = halfedges_of(level_set.polygons)
    is_open = sides.twin < 0
    tail, head = sides.tail[is_open], sides.head[is_open]
    cuts: dict[int, list[tuple[int, int]]] = {}
    for wall in range(level_set.layout.n_walls):
        on_wall = (level_set.zero_ids == wall).any(1)
        here = on_wall[tail] & on_wall[head]
        if bool(here.any()):
            cuts[wall] = list(zip(head[here].tolist(), tail[here].tolist(), strict=True))
    n_found = sum(map(len, cuts.values()))
    if n_found != tail.shape[0]:
        n_astray = abs(tail.shape[0] - n_found)
        raise CapError(f"{n_astray} open edges of the surface do not lie on one wall each")
    return cuts


def _crossings(
    level_set: LevelSet, walls: _Walls, cuts: dict[int, list[tuple[int, int]]], function: Program | None
) -> list[list[int]]:
    """Order the vertices on each edge of the domain, from its first corner to its second."""
    met = {vertex for sides in cuts.values() for side in sides for vertex in side}
    used = torch.tensor(sorted(met), dtype=torch.int64)
    ids, ordered = level_set.zero_ids[used], []
    for wall, other in walls.edge_walls:
        found = used[(ids == wall).any(1) & (ids == other).any(1)]
        along = torch.linalg.cross(walls.normals[wall], walls.normals[other])
        ordered.append(order_along(level_set, function, found, along))
    return ordered


def _inside_corners(
    walls: _Walls, cuts: dict[int, list[tuple[int, int]]], crossings: list[list[int]]
) -> dict[int, bool]:
    """Decide for corners of the domain whether f <= level, where the surface tells."""
    inside: dict[int, bool] = {}
    for wall, edge, start, end in walls.ends:
        if crossings[edge]:
            path = _path(walls, crossings, wall, edge)
            tails = {tail for tail, _ in cuts.get(wall, [])}
            inside[start] = path[0] in tails  # the cap runs along the edge up to there
            inside[end] = path[-1] not in tails
    for _ in walls.edge_walls if inside else ():
        for _, edge, start, end in walls.ends:
            if not crossings[edge] and (start in inside or end in inside):
                known = inside[start] if start in inside else inside[end]
                inside.setdefault(start, known)
                inside.setdefault(end, known)
    return inside


def _path(walls: _Walls, crossings: list[list[int]], wall: int, edge: int) -> list[int]:
    """List the vertices on an edge in its direction around a wall."""
    return crossings[edge] if wall == walls.edge_walls[edge][0] else crossings[edge][::-1]


def _wall_sides(
    walls: _Walls,
    cuts: dict[int, list[tuple[int, int]]],
    crossings: list[list[int]],
    inside: dict[int, bool],
    n_vertices: int,
) -> dict[int, dict[int, int]]:
    """Map for each wall every vertex of its cap to the next; corners are numbered after vertices."""
    following: dict[int, dict[int, int]] = {wall: dict(sides) for wall, sides in cuts.items()}
    for wall, edge, start, end in walls.ends:
        path = [n_vertices + start, *_path(walls, crossings, wall, edge), n_vertices + end]
        is_inside = inside.get(start, False)
        for tail, head in pairwise(path):
            if is_inside:
                if tail in following.setdefault(wall, {}):
                    raise CapError(
                        f"inside and outside do not alternate on the edge of walls {walls.edge_walls[edge]}"
                    )
                following[wall][tail] = head
            is_inside = not is_inside
    return following


def _closed_by(level_set: LevelSet, walls: _Walls, following: dict[int, dict[int, int]]) -> PolygonMesh:
    """Join the surface and its caps; unused corners are left out."""
    n_vertices = level_set.vertices.shape[0]
    points = torch.cat([level_set.vertices.detach().double(), walls.corners])
    caps = [_triangulate(points, walls.normals[wall], sides) for wall, sides in following.items()]
    triangles = torch.cat(caps) if caps else torch.zeros((0, 3), dtype=torch.int64)
    used = torch.unique(triangles[triangles >= n_vertices])
    renumbered = torch.arange(points.shape[0])
    renumbered[used] = n_vertices + torch.arange(used.shape[0])
    sizes = torch.cat([level_set.polygons.sizes, torch.full((triangles.shape[0],), 3)])
    indices = torch.cat([level_set.polygons.indices, renumbered[triangles].reshape(-1)])
    return PolygonMesh(torch.cat([points[:n_vertices], points[used]]), Polygons.of_sizes(sizes, indices))


def _triangulate(points: Tensor, normal: Tensor, following: dict[int, int]) -> Tensor:
    """Triangulate the cycles of one cap: (T, 3) int64, counter-clockwise seen from the normal's head."""
    try:
        from manifold3d import triangulate
    except ImportError as error:
        raise ImportError(f"boundary='cap' needs manifold3d: {how_to_install('shapes')}") from error
    cycles = _cycles(following)
    axis = int(normal.abs().argmax())
    kept = [(axis + 1) % 3, (axis + 2) % 3] if normal[axis] > 0 else [(axis + 2) % 3, (axis + 1) % 3]
    flat = [points[cycle][:, kept].numpy() for cycle in cycles]
    order = torch.tensor([vertex for cycle in cycles for vertex in cycle])
    return order[torch.as_tensor(triangulate(flat)).long()].reshape(-1, 3)


def _cycles(following: dict[int, int]) -> list[list[int]]:
    """Split a map from each vertex to the next into cycles."""
    left, cycles = dict(following), []
    while left:
        start, head = left.popitem()
        cycle = [start]
        while head != start:
            cycle.append(head)
            if head not in left:
                raise CapError(f"the boundary of a cap ends at vertex {head}")
            head = left.pop(head)
        cycles.append(cycle)
    return cycles


def _audited(mesh: PolygonMesh) -> PolygonMesh:
    """Check that every edge is in two polygons of opposite directions, and the volume positive."""
    sides = halfedges_of(mesh.polygons)
    n_open = int((sides.twin < 0).sum())
    n_misoriented = int((sides.tail[sides.twin] == sides.tail)[sides.twin >= 0].sum())
    if n_open or n_misoriented:
        raise CapError(f"the capped surface has {n_open} open edges and {n_misoriented} misoriented ones")
    if mesh.volume() < 0:
        raise CapError("the capped surface is inside out: vertices coincide on a wall")
    return mesh
