"""Differentiable geometry of level sets: positions as functions of the weights, and measures of them."""

from creased.geometry.curvature import angle_defects, bending_energies, dihedral_angles, mean_curvatures
from creased.geometry.halfedges import Halfedges, halfedges_of
from creased.geometry.implicit_vertices import (
    VertexSolution,
    implicit_vertices,
    row_adjoints,
    solve_vertices,
)
from creased.geometry.measures import (
    area_vectors,
    centroid,
    compactness,
    edge_lengths,
    enclosed_volume,
    perimeters,
    polygon_areas,
    polygon_centroids,
    polygon_normals,
    surface_area,
)
from creased.geometry.regularizers import (
    Area,
    Bending,
    Compactness,
    Convexity,
    EdgeLength,
    FaceCount,
    GaussianCurvature,
    MeanCurvature,
    Planarity,
    Regularizer,
    Slivers,
    Volume,
)
from creased.geometry.sublevel import sublevel_volume

__all__ = [
    "Area",
    "Bending",
    "Compactness",
    "Convexity",
    "EdgeLength",
    "FaceCount",
    "GaussianCurvature",
    "Halfedges",
    "MeanCurvature",
    "Planarity",
    "Regularizer",
    "Slivers",
    "VertexSolution",
    "Volume",
    "angle_defects",
    "area_vectors",
    "bending_energies",
    "centroid",
    "compactness",
    "dihedral_angles",
    "edge_lengths",
    "enclosed_volume",
    "halfedges_of",
    "implicit_vertices",
    "mean_curvatures",
    "perimeters",
    "polygon_areas",
    "polygon_centroids",
    "polygon_normals",
    "row_adjoints",
    "solve_vertices",
    "sublevel_volume",
    "surface_area",
]
