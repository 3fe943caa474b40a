"""Parts of a surface with all the vertices that a measure of each part depends on.

A regularizer looks at a sample of the edges, polygons or vertices of a level set; what it needs of them is
gathered here, so that only those vertices are solved for the live weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from creased.core.level_set import LevelSet, Polygons
from creased.geometry.curvature import exterior_angles
from creased.geometry.halfedges import Halfedges
from creased.geometry.measures import area_vectors
from creased.geometry.safe import angles_between, lengths_of


class Stencil(NamedTuple):
    """n parts, and a measure of each."""

    vertices: Tensor  # (v,) int64: those of the parts, one part behind the other
    part: Tensor  # (v,) int64: which part each belongs to
    measure: Callable[[Tensor], Tensor]  # from positions (v, 3) to values (n,)


class Surroundings(NamedTuple):
    """A level set, and who meets whom on it."""

    level_set: LevelSet
    sides: Halfedges


class Kind(NamedTuple):
    """A kind of parts."""

    stencil_of: Callable[[Surroundings, Tensor, Any], Stencil]  # of parts chosen (n,) int64, with a measure
    count: Callable[[Surroundings], int]  # how many there are


class Creases(NamedTuple):
    """Edges between two polygons each, as measures see them."""

    lengths: Tensor  # (n,)
    angles: Tensor  # (n,): exterior, positive where the surface is convex
    areas: Tensor  # (n,): of the two polygons together


def edge_stencil(surface: Surroundings, chosen: Tensor, measure: Callable[[Tensor], Tensor]) -> Stencil:
    """Edges chosen (n,), measured by their lengths (n,)."""
    vertices = surface.level_set.edges[chosen].reshape(-1)

    def of_positions(x: Tensor) -> Tensor:
        return measure(lengths_of(x[0::2] - x[1::2]))

    return Stencil(vertices, _numbered(chosen, 2), of_positions)


def polygon_stencil(
    surface: Surroundings, chosen: Tensor, measure: Callable[[Tensor, Polygons], Tensor]
) -> Stencil:
    """Polygons chosen (n,), measured by a function of positions and polygons."""
    vertices, polygons = _corners_of(surface.level_set.polygons, chosen)
    return Stencil(vertices, polygons.owners(), lambda x: measure(x, polygons))


def crease_stencil(surface: Surroundings, chosen: Tensor, measure: Callable[[Creases], Tensor]) -> Stencil:
    """Of the inner edges those chosen (n,), with their two polygons."""
    sides, n = surface.sides, chosen.shape[0]
    first = sides.inner_edges()[chosen]
    second = sides.twin[first]
    vertices, polygons = _corners_of(
        surface.level_set.polygons, torch.cat([sides.polygon[first], sides.polygon[second]])
    )
    start = surface.level_set.polygons.offsets[sides.polygon[first]]
    tail = polygons.offsets[:n] + first - start
    head = polygons.offsets[:n] + sides.following[first] - start

    def of_positions(x: Tensor) -> Tensor:
        areas, along = area_vectors(x, polygons), x[head] - x[tail]
        angles = exterior_angles(areas[:n], areas[n:], along)
        both = lengths_of(areas[:n]) + lengths_of(areas[n:])
        return measure(Creases(lengths_of(along), angles, both))

    return Stencil(vertices, polygons.owners() % n, of_positions)


def corner_stencil(surface: Surroundings, chosen: Tensor, measure: Callable[[Tensor], Tensor]) -> Stencil:
    """Vertices chosen (n,), measured by their angle defects (n,)."""
    sides = surface.sides
    number = torch.full((surface.level_set.vertices.shape[0],), -1, device=chosen.device)
    number[chosen] = torch.arange(chosen.shape[0], device=chosen.device)
    ahead = (number[sides.tail] >= 0).nonzero()[:, 0]
    here, back = sides.tail[ahead], sides.tail[sides.previous()[ahead]]
    vertices = torch.stack([here, sides.head[ahead], back], dim=1).reshape(-1)
    part = number[here]
    is_open = sides.at_boundary(number.shape[0])

    def of_positions(x: Tensor) -> Tensor:
        corner = x.reshape(-1, 3, 3)
        angles = angles_between(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        full = torch.pi * (2 - is_open[chosen].to(x))
        return measure(full - torch.zeros_like(full).index_add(0, part.to(x.device), angles))

    return Stencil(vertices, part.repeat_interleave(3), of_positions)


EDGES = Kind(edge_stencil, lambda surface: surface.level_set.edges.shape[0])
POLYGONS = Kind(polygon_stencil, lambda surface: surface.level_set.polygons.n)
CREASES = Kind(crease_stencil, lambda surface: surface.sides.inner_edges().shape[0])
CORNERS = Kind(
    corner_stencil, lambda surface: surface.level_set.vertices.shape[0] if surface.level_set.polygons.n else 0
)


def _numbered(chosen: Tensor, n_vertices: int) -> Tensor:
    return torch.arange(chosen.shape[0], device=chosen.device).repeat_interleave(n_vertices)


def _corners_of(polygons: Polygons, chosen: Tensor) -> tuple[Tensor, Polygons]:
    """Vertices (v,) of polygons chosen (n,), one behind the other, and the polygons between their places."""
    sizes = polygons.sizes[chosen]
    alone = Polygons.of_sizes(sizes, torch.arange(int(sizes.sum()), device=chosen.device))
    owners = alone.owners()
    place = alone.indices - alone.offsets[owners] + polygons.offsets[chosen[owners]]
    return polygons.indices[place], alone
