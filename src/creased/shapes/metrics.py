"""Compare a trained function and its mesh with a solid, in units of the domain."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.core.domains.box import Box
from creased.shapes.comparison import Comparison
from creased.shapes.differences import find_differences
from creased.shapes.surface import Surface
from creased.shapes.target import Function

if TYPE_CHECKING:
    from numpy.typing import NDArray


def compare_functions(
    surface: Surface, domain: Box, function: Function, n_surface: int, n_volume: int, rng: np.random.Generator
) -> dict[str, float]:
    """Estimate |f| on a closed surface, its mean and p99, and the volumetric intersection over union.

    Args:
        surface: the reference.
        domain: the box in which volumes are compared.
        function: maps points (n, 3) to values (n,), negative inside.
        n_surface: points on the surface.
        n_volume: points in the domain.
        rng: random number generator.
    """
    on_surface, _ = surface.sample(n_surface, rng)
    points = rng.uniform(domain.lower, domain.upper, (n_volume, 3))
    errors = surface_errors(function, on_surface)
    inside, expected = function(points) < 0, surface.index.contains(points)
    union = int((inside | expected).sum())
    return errors | {"iou": int((inside & expected).sum()) / max(union, 1)}


def surface_errors(function: Function, points: NDArray[Any]) -> dict[str, float]:
    """Compute the mean and the p99 of |f| at points (n, 3) where f should vanish."""
    errors = np.abs(function(points))
    return {
        "surface_error_mean": float(errors.mean()),
        "surface_error_p99": float(np.quantile(errors, 0.99)),
    }


def comparison_metrics(found: Comparison) -> dict[str, Any]:
    """Convert a comparison to plain values; those outside ``comparison`` in units of the domain."""
    scale = 1 / found.unit
    return {
        "chamfer_l1_mean": found.chamfer * scale,
        "hausdorff_sampled": found.hausdorff * scale,
        "normal_consistency": found.normal_consistency,
        "shape_to_mesh": asdict(found.from_reference.times(scale)),
        "mesh_to_shape": asdict(found.to_reference.times(scale)),
        "comparison": found.as_dict(),
        "differences": [{"kind": d.kind.name, "words": d.words} for d in find_differences(found)],
    }
