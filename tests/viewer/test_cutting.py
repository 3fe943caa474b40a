"""What a plane leaves of triangles and segments."""

from __future__ import annotations

import numpy as np
import pytest

from creased.viewer.cutting import HalfSpace, cut_segments, cut_triangles


def area_of(vertices: np.ndarray, triangles: np.ndarray) -> float:
    a, b, c = (vertices[triangles[:, i]].astype(float) for i in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_both_sides_together_are_the_whole(axis: int) -> None:
    rng = np.random.default_rng(0)
    vertices = rng.standard_normal((60, 3)).astype(np.float32)
    triangles = rng.integers(0, 60, (100, 3)).astype(np.int32)
    areas = []
    for side in (1, -1):
        kept = HalfSpace(axis, 0.2, side)
        points, parts, owners = cut_triangles(vertices, triangles, kept)
        assert kept.heights(points[parts]).max() < 1e-5
        assert len(owners) == len(parts)
        areas.append(area_of(points, parts))
    assert sum(areas) == pytest.approx(area_of(vertices, triangles), rel=1e-5)


def test_orientation_is_kept() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=np.float32)
    points, parts, _ = cut_triangles(vertices, np.array([[0, 1, 2]], dtype=np.int32), HalfSpace(0, 0.5, 1))
    a, b, c = (points[parts[:, i]] for i in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_segments_end_on_the_plane() -> None:
    points = np.array([[[0, 0, 0], [2, 0, 0]], [[2, 0, 0], [3, 0, 0]]], dtype=np.float32)
    left, which = cut_segments(points, HalfSpace(0, 1.0, 1))
    np.testing.assert_allclose(left, [[[0, 0, 0], [1, 0, 0]]])
    assert which.tolist() == [0]
