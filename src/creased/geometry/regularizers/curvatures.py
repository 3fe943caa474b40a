"""Regularizers of curvature; boundary edges and vertices have none."""

from __future__ import annotations

from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.geometry.curvature import bending_energies, gauss_areas, mean_curvatures
from creased.geometry.regularizers.regularizer import Regularizer


class MeanCurvature(Regularizer):
    """Total absolute mean curvature, in units of the domain.

    Flattens wrinkles and keeps sharp edges: the cost is linear in the angle, however many edges share it.

    Formula: sum over edges of |angle| |e| / 2, angle being exterior, in radians.

    YAML to paste, in `configs/regularizer/`:

        mean_curvature:
          term:
            _target_: creased.geometry.MeanCurvature
          weight: 1.0e-4
    """

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Total over the surface."""
        return mean_curvatures(vertices, level_set.polygons, normals=normals).abs().sum()


class Convexity(Regularizer):
    """Total mean curvature of the concave edges alone, in units of the domain: 0 for a convex shape.

    Formula: sum over edges of max(0, -angle) |e| / 2.

    YAML to paste, in `configs/regularizer/`:

        convexity:
          term:
            _target_: creased.geometry.Convexity
          weight: 1.0e-4
    """

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Total over the surface."""
        return (-mean_curvatures(vertices, level_set.polygons, normals=normals)).relu().sum()


class Bending(Regularizer):
    """Bending energy of discrete shells that are flat at rest; dimensionless.

    Smooths noise and rounds sharp edges off: the cost is quadratic in the angle.

    Formula: sum over edges of 3 |e|^2 angle^2 / (A1 + A2) (Grinspun et al. 2003).

    YAML to paste, in `configs/regularizer/`:

        bending:
          term:
            _target_: creased.geometry.Bending
          weight: 1.0e-6
    """

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Total over the surface."""
        return bending_energies(vertices, level_set.polygons, normals=normals).sum()


class GaussianCurvature(Regularizer):
    """Total absolute Gaussian curvature, in radians; 4 pi for a convex shape, and never less when closed.

    Makes a surface piecewise developable: bending in one direction costs nothing.

    Formula: sum over inner vertices of |2 pi - angles around it|.

    YAML to paste, in `configs/regularizer/`:

        gaussian_curvature:
          term:
            _target_: creased.geometry.GaussianCurvature
          weight: 1.0e-4
    """

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Total over the surface."""
        return gauss_areas(level_set.polygons, normals, vertices.shape[0]).abs().sum()
