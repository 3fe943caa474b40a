"""Samples lie where they are asked for, with the distances of the closed form."""

import numpy as np
import pytest

from creased.shapes import Shape
from creased.shapes.sampling import sample_distances
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
    points, triangles = box.sample_surface(50_000, np.random.default_rng(2))
    counts = np.bincount(triangles, minlength=len(box.mesh.faces))
    np.testing.assert_allclose(counts / 50_000, box.mesh.area_faces / box.mesh.area, atol=0.01)
    assert np.abs(box.index.signed_distance(points)).max() < 1e-6
