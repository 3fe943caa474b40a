"""Contracts what has no extent: edges without length, and polygons that are left with two corners.

Where an arrangement is degenerate its level set is that of a perturbed one, with several vertices in one
place. For curvature, and for programs that dislike such meshes, these become one.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.chains import label_components
from creased.core.level_set import Polygons
from creased.core.tolerance import get_epsilon


class Contraction(NamedTuple):
    """A surface without edges of no length."""

    vertices: Tensor  # (V', 3): one of those that became one
    polygons: Polygons
    vertex: Tensor  # (V,) int64: what became of each vertex
    polygon: Tensor  # (F',) int64: which polygon each was


def contract(vertices: Tensor, polygons: Polygons, tolerance: float | None = None) -> Contraction:
    """Merge vertices (V, 3) joined by edges no longer than a tolerance.

    Args:
        vertices: their positions.
        polygons: between them.
        tolerance: absolute; by default rounding noise of the largest coordinate.
    """
    if tolerance is None:
        largest = float(vertices.detach().abs().max()) if vertices.shape[0] else 0.0
        tolerance = get_epsilon(vertices.dtype) * largest
    heads = polygons.indices[polygons.following()]
    lengths = (vertices[heads] - vertices[polygons.indices]).detach().abs().amax(1)
    short = (lengths <= tolerance).nonzero()[:, 0]
    label = label_components(vertices.shape[0], torch.stack([polygons.indices[short], heads[short]], dim=1))
    kept, vertex = torch.unique(label, return_inverse=True)
    merged = merge(polygons, vertex)
    return Contraction(vertices[kept], merged.polygons, vertex, merged.polygon)


class Merged(NamedTuple):
    """Polygons between fewer vertices."""

    polygons: Polygons
    polygon: Tensor  # (F',) int64: which polygon each was


def merge(polygons: Polygons, vertex: Tensor) -> Merged:
    """Polygons once each vertex (V,) has become another; those left with two corners or fewer are dropped."""
    corners, owners = vertex[polygons.indices], polygons.owners()
    remains = corners != corners[polygons.following()]
    sizes = torch.zeros_like(polygons.sizes).index_add_(0, owners, remains.long())
    is_face = sizes > 2
    remains &= is_face[owners]
    faces = Polygons.of_sizes(sizes[is_face], corners[remains])
    return Merged(faces, is_face.nonzero()[:, 0])
