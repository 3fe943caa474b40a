"""Geometric regularizers: losses of a level set, differentiable in the live weights.

Each is a class with one method, its totals over the whole surface. `Regularizer` estimates them from a sample
of vertices: the value is exact where the level set was extracted, the gradient unbiased. On an empty level
set all are 0.
"""

from creased.geometry.regularizers.areas import Area, Compactness, Volume
from creased.geometry.regularizers.curvatures import Bending, Convexity, GaussianCurvature, MeanCurvature
from creased.geometry.regularizers.faces import EdgeLength, FaceCount, Planarity, Slivers
from creased.geometry.regularizers.regularizer import Regularizer

__all__ = [
    "Area",
    "Bending",
    "Compactness",
    "Convexity",
    "EdgeLength",
    "FaceCount",
    "GaussianCurvature",
    "MeanCurvature",
    "Planarity",
    "Regularizer",
    "Slivers",
    "Volume",
]
