"""Metrics of functions against closed forms."""

import numpy as np
import pytest
import trimesh

from creased.shapes import load_shape
from creased.shapes.metrics import compare_functions
from tests.shapes.boxes import DOMAIN


def test_iou_and_surface_error_have_their_closed_forms() -> None:
    shape = load_shape("ball", lambda: trimesh.creation.icosphere(subdivisions=5))
    found = compare_functions(
        shape.surface,
        DOMAIN,
        lambda x: np.linalg.norm(x, axis=1) - 0.4,
        5000,
        100_000,
        np.random.default_rng(5),
    )
    assert found["iou"] == pytest.approx((0.4 / 0.45) ** 3, abs=0.01)
    assert found["surface_error_mean"] == pytest.approx(0.05, abs=5e-4)
    assert found["surface_error_p99"] == pytest.approx(0.05, abs=5e-4)


def test_the_99th_percentile_is_of_the_error_and_not_of_its_mean() -> None:
    shape = load_shape("ball", lambda: trimesh.creation.icosphere(subdivisions=5))

    def tilted(points: np.ndarray) -> np.ndarray:  # |f| is uniform between 0 and 0.45 on the sphere
        return points[:, 2]

    found = compare_functions(shape.surface, DOMAIN, tilted, 20_000, 100, np.random.default_rng(5))
    assert found["surface_error_mean"] == pytest.approx(0.45 / 2, abs=0.005)
    assert found["surface_error_p99"] == pytest.approx(0.45 * 0.99, abs=0.003)
