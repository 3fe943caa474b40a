"""Samples lie where they are asked for, with the distances of the closed form."""

import numpy as np
import pytest

from creased.shapes import Shape
from creased.shapes.procedural import sphere
from creased.shapes.sampling import sample_distances
from creased.shapes.surface import Surface
from tests.shapes.boxes import DOMAIN, box_distance, make_box


@pytest.fixture(scope="module")
def box() -> Shape:
    return make_box()


def test_most_samples_are_near_the_surface_and_all_in_the_domain(box: Shape) -> None:
    samples = sample_distances(box, DOMAIN, 20_000, near=0.8, spreads=[0.01], rng=np.random.default_rng(1))
    assert samples.points.dtype == np.float32
    assert np.abs(samples.points).max() <= 0.5
    share = (np.abs(samples.distances) < 0.02).mean()
    assert 0.75 < share < 0.95
    expected = box_distance(samples.points, box.mesh.bounds[1])
    np.testing.assert_allclose(samples.distances, expected, atol=1e-6)


def test_surface_samples_are_uniform_by_area(box: Shape) -> None:
    points, triangles = box.surface.sample(50_000, np.random.default_rng(2))
    counts = np.bincount(triangles, minlength=len(box.mesh.faces))
    np.testing.assert_allclose(counts / 50_000, box.mesh.area_faces / box.mesh.area, atol=0.01)
    assert np.abs(box.index.signed_distance(points)).max() < 1e-6


def test_vertices_of_a_grid_near_the_surface_are_samples_too(box: Shape) -> None:
    n = 16
    few = sample_distances(box, DOMAIN, 20_000, 0.8, [0.01], np.random.default_rng(1))
    more = sample_distances(box, DOMAIN, 20_000, 0.8, [0.01], np.random.default_rng(1), [n])
    np.testing.assert_array_equal(more.points[:20_000], few.points)
    added, distances = more.points[20_000:], more.distances[20_000:]
    at = (added + 0.5) * n
    np.testing.assert_allclose(at, at.round(), atol=1e-5)
    assert np.abs(distances).max() < 2 * 3**0.5 / n
    np.testing.assert_allclose(distances, box_distance(added, box.mesh.bounds[1]), atol=1e-6)
    axis = np.linspace(-0.5, 0.5, n + 1)
    every = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    inside = box_distance(every.reshape(-1, 3), box.mesh.bounds[1]).reshape(every.shape[:3]) < 0
    crossing = inside.copy()  # ends of grid edges that the surface cuts
    crossing[:] = False
    for k in range(3):
        first, second = (np.take(inside, range(i, n + i), axis=k) for i in (0, 1))
        cut = np.argwhere(first != second)
        crossing[tuple(cut.T)] = crossing[tuple((cut + np.eye(3, dtype=int)[k]).T)] = True
    known = {tuple(row) for row in at.round().astype(int)}
    assert {tuple(row) for row in np.argwhere(crossing)} <= known
    assert len(known) == len(added)


def test_all_vertices_of_coarse_grids_are_samples_too(box: Shape) -> None:
    few = sample_distances(box, DOMAIN, 20_000, 0.8, [0.01], np.random.default_rng(1), [32])
    more = sample_distances(box, DOMAIN, 20_000, 0.8, [0.01], np.random.default_rng(1), [4, 8, 16, 32])
    np.testing.assert_array_equal(more.points[: len(few.points)], few.points)
    added = more.points[len(few.points) :]
    assert len(added) == 5**3 + 9**3  # 17^3 are more than a tenth of the samples
    known = {tuple(row) for row in (8 * added + 4).tolist()}
    assert known == {(x, y, z) for x in range(9) for y in range(9) for z in range(9)}


def test_sharp_edges_are_sampled_as_strips_of_the_surface(box: Shape) -> None:
    sides = np.ptp(box.mesh.vertices, axis=0)
    assert len(box.surface.sharp_edges) == 12
    few = sample_distances(box, DOMAIN, 20_000, 0.8, [0.01], np.random.default_rng(1))
    more = sample_distances(box, DOMAIN, 20_000, 0.8, [0.01], np.random.default_rng(1), edge_width=0.02)
    np.testing.assert_array_equal(more.points[:20_000], few.points)
    added = np.abs(more.points[20_000:])
    area = 2 * (sides[0] * sides[1] + sides[1] * sides[2] + sides[2] * sides[0])
    assert abs(len(added) - 16_000 * 0.02 * 4 * sides.sum() / area) <= 1
    from_faces = np.sort(np.abs(added - sides / 2), axis=1)  # an edge is where two faces meet
    assert np.quantile(from_faces[:, 1], 0.99) < 0.02
    lengths = [(np.argmax(np.abs(added - sides / 2), axis=1) == axis).mean() for axis in range(3)]
    np.testing.assert_allclose(lengths, sides / sides.sum(), atol=0.08)


def test_a_round_shape_has_no_sharp_edges() -> None:
    mesh = sphere(3)()
    ball = Surface.of_triangles(mesh.vertices, mesh.faces)
    assert ball.sample_edges(1000, 0.02, np.random.default_rng(0)).shape == (0, 3)
