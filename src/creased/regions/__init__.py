"""Regions of a network as a graph and as bodies: paths, distances, volumes, integrals, Lipschitz constants.

Two regions are neighbours where they share a facet, across which one neuron changes its sign. `region_graph`
has them with their affine maps; `segments` follows a straight line from region to region; `graph_distances`
counts crossings. `triangulation` cuts regions into simplices without new vertices, on which `integrals` and
`lipschitz` are sums and maxima: nothing is sampled.
"""

from creased.regions.graph_distances import Neighbours
from creased.regions.integrals import Integrals, integrate
from creased.regions.lipschitz import Lipschitz, lipschitz, local_lipschitz
from creased.regions.region_graph import RegionGraph, region_graph
from creased.regions.segments import SegmentPath
from creased.regions.triangulation import Triangulation, simplex_volumes, triangulate

__all__ = [
    "Integrals",
    "Lipschitz",
    "Neighbours",
    "RegionGraph",
    "SegmentPath",
    "Triangulation",
    "integrate",
    "lipschitz",
    "local_lipschitz",
    "region_graph",
    "simplex_volumes",
    "triangulate",
]
