"""Differentiable geometry of level sets: vertex positions as functions of the weights, and measures of them.

`implicit_vertices` solves the equations of each vertex again with the live weights; combinatorics stay those
of the extracted level set and carry no gradient. Measures (areas, volumes, curvatures) are functions of
positions and polygons, with finite gradients on degenerate ones. `regularizers` turns measures into losses
that are estimated from a sample of vertices. `tracking` extracts anew while a module is trained.
"""

from creased.core.complexes.polygons import area_vectors, enclosed_volume
from creased.geometry.curvature import (
    angle_defects,
    bending_energies,
    dihedral_angles,
    gauss_areas,
    mean_curvatures,
)
from creased.geometry.halfedges import Halfedges, halfedges_of
from creased.geometry.implicit_vertices import (
    VertexSolution,
    implicit_vertices,
    polygon_gradients,
    row_adjoints,
    solve_vertices,
)
from creased.geometry.measures import (
    centroid,
    compactness,
    edge_lengths,
    perimeters,
    polygon_areas,
    polygon_centroids,
    polygon_normals,
    surface_area,
)
from creased.geometry.regularizers.areas import Area, Compactness, Volume
from creased.geometry.regularizers.curvatures import Bending, Convexity, GaussianCurvature, MeanCurvature
from creased.geometry.regularizers.faces import EdgeLength, FaceCount, Planarity, Slivers
from creased.geometry.regularizers.regularizer import Regularizer
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
    "gauss_areas",
    "halfedges_of",
    "implicit_vertices",
    "mean_curvatures",
    "perimeters",
    "polygon_areas",
    "polygon_centroids",
    "polygon_gradients",
    "polygon_normals",
    "row_adjoints",
    "solve_vertices",
    "sublevel_volume",
    "surface_area",
]
