"""Triangles are apart exactly where they have no common point, however near they are."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from creased.meshes.exact_triangles import are_apart

FLAT = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
LEAST = 5e-324


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ([[0.2, 0.2, -1.0], [0.2, 0.3, 1.0], [0.9, 0.9, 1.0]], False),
        ([[0.2, 0.2, 0.0], [0.2, 0.3, 1.0], [0.9, 0.9, 1.0]], False),  # a corner touches
        ([[0.2, 0.2, LEAST], [0.2, 0.3, 1.0], [0.9, 0.9, 1.0]], True),  # it is above by the least number
        ([[0.5, 0.5, -1.0], [0.5, 0.5, 1.0], [2.0, 2.0, 0.0]], False),  # an edge meets an edge
        ([[0.5, 0.5 + 2**-53, -1.0], [0.5, 0.5 + 2**-53, 1.0], [2.0, 2.0, 0.0]], True),
        ([[0.5, 0.5, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]], False),  # in one plane, side by side
        ([[0.5, 0.5 + 2**-53, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]], True),
        ([[0.1, 0.1, 0.0], [0.2, 0.1, 0.0], [0.1, 0.2, 0.0]], False),  # one within the other
    ],
)
def test_known_pairs(other: list[list[float]], expected: bool) -> None:
    for first, second in itertools.product(itertools.permutations(FLAT), itertools.permutations(other)):
        assert are_apart(first, second) is expected
        assert are_apart(second, first) is expected


def test_a_triangle_without_area_is_not_called_apart() -> None:
    assert not are_apart(FLAT, [[5.0, 5.0, 5.0], [6.0, 6.0, 6.0], [7.0, 7.0, 7.0]])


def test_random_triangles_agree_with_a_linear_program() -> None:
    rng = np.random.default_rng(0)
    n_apart = 0
    for _ in range(150):
        a, b = rng.integers(-3, 4, (2, 3, 3)).astype(float)
        if not (np.cross(a[1] - a[0], a[2] - a[0]).any() and np.cross(b[1] - b[0], b[2] - b[0]).any()):
            continue
        weights = np.vstack([np.hstack([a.T, -b.T]), [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]])
        meets = linprog(np.zeros(6), A_eq=weights, b_eq=[0, 0, 0, 1, 1]).status == 0
        assert are_apart(a.tolist(), b.tolist()) is not meets
        n_apart += not meets
    assert 20 < n_apart < 130
