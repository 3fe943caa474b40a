"""Geometric regularizers: a level set and live weights in, one number to be made small out.

Each is a class with one method, its totals over the whole surface. What turns that into a loss from a sample
of vertices is in `creased.geometry.regularizers.regularizer`: the value is exact where the level set was
extracted, the gradient unbiased. On an empty level set all are 0.
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
