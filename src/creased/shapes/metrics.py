"""Compare a trained function with its shape, in units of the domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.core.domains.box import Box
from creased.shapes.shape import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

Function = Callable[["NDArray[Any]"], "NDArray[Any]"]


def compare_functions(
    shape: Shape, domain: Box, function: Function, n_surface: int, n_volume: int, rng: np.random.Generator
) -> dict[str, float]:
    """Estimate |f| on the shape's surface, its mean and p99, and the volumetric intersection over union.

    Args:
        shape: the reference.
        domain: the box in which volumes are compared.
        function: maps points (n, 3) to values (n,), negative inside.
        n_surface: points on the surface.
        n_volume: points in the domain.
        rng: random number generator.
    """
    surface, _ = shape.sample_surface(n_surface, rng)
    points = rng.uniform(domain.lower, domain.upper, (n_volume, 3))
    errors = np.abs(function(surface))
    inside, expected = function(points) < 0, shape.index.contains(points)
    union = int((inside | expected).sum())
    return {
        "surface_error_mean": float(errors.mean()),
        "surface_error_p99": float(np.quantile(errors, 0.99)),
        "iou": int((inside & expected).sum()) / max(union, 1),
    }
