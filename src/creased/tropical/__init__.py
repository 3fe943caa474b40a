"""Tropical geometry of networks: counts and bounds, exact forms, zonotopes, distances, compression.

Sizes as in `creased.core`. Numbers are exact unless a name or a docstring says otherwise: float weights are
rational numbers, and all else is computed from them in integers (`creased.core.exact`).

Functions of a program take also a module that `creased.lower` takes, and a slice, which is the program of its
coordinates (`creased.networks.as_program`).
"""

from creased.tropical.algebra.covectors import classification_covectors, covectors, tied_patterns
from creased.tropical.algebra.equality import Equality, equal
from creased.tropical.algebra.fans import (
    ClassificationFan,
    PatternBudgetError,
    activation_patterns,
    activation_polytope,
    classification_fan,
    cover_count,
    line_count,
    pattern_graph,
    realizable_labelings,
)
from creased.tropical.algebra.lifts import lift
from creased.tropical.algebra.network_fans import (
    network_fan,
    network_labelings,
    network_sublevel_parts,
    sublevel_parts,
    tied_network_patterns,
)
from creased.tropical.algebra.oriented_matroids import AxiomCheck, CovectorAxioms, check_axioms
from creased.tropical.algebra.pattern_axioms import PatternAxioms, check_pattern_axioms
from creased.tropical.algebra.polynomials import MonomialBudgetError, TropicalPolynomial
from creased.tropical.algebra.rational_maps import TropicalRational
from creased.tropical.algebra.subdivisions import (
    BoundaryFace,
    DualSubdivision,
    ZeroSetHasInteriorError,
    decision_boundary,
    dual_subdivision,
    newton_polytope,
)
from creased.tropical.algebra.zonotopes import (
    Zonotope,
    ZonotopeCounts,
    count_vertices,
    zonotope_of_layer,
    zonotopes_of_map,
)
from creased.tropical.cells.cells import Cell, cells
from creased.tropical.cells.counts import (
    Counts,
    activation_cells,
    affine_pieces,
    count,
    f_vector,
    linear_regions,
)
from creased.tropical.cells.local_complexity import LocalComplexity, local_complexity
from creased.tropical.cells.region_bounds import (
    RegionBounds,
    bounded_regions,
    bounds_of,
    generic_f_vector,
    region_bounds,
    regions_at_infinity,
    zaslavsky,
)
from creased.tropical.compression.compression import Certificate, compress, compress_stable
from creased.tropical.compression.stable import StableUnits, stable_units
from creased.tropical.distance.boundary_distance import Distance, distance_to_level, distance_to_other_class
from creased.tropical.distance.exact_distance import ExactDistance, exact_distance

__all__ = [
    "AxiomCheck",
    "BoundaryFace",
    "Cell",
    "Certificate",
    "ClassificationFan",
    "Counts",
    "CovectorAxioms",
    "Distance",
    "DualSubdivision",
    "Equality",
    "ExactDistance",
    "LocalComplexity",
    "MonomialBudgetError",
    "PatternAxioms",
    "PatternBudgetError",
    "RegionBounds",
    "StableUnits",
    "TropicalPolynomial",
    "TropicalRational",
    "ZeroSetHasInteriorError",
    "Zonotope",
    "ZonotopeCounts",
    "activation_cells",
    "activation_patterns",
    "activation_polytope",
    "affine_pieces",
    "bounded_regions",
    "bounds_of",
    "cells",
    "check_axioms",
    "check_pattern_axioms",
    "classification_covectors",
    "classification_fan",
    "compress",
    "compress_stable",
    "count",
    "count_vertices",
    "covectors",
    "cover_count",
    "decision_boundary",
    "distance_to_level",
    "distance_to_other_class",
    "dual_subdivision",
    "equal",
    "exact_distance",
    "f_vector",
    "generic_f_vector",
    "lift",
    "line_count",
    "linear_regions",
    "local_complexity",
    "network_fan",
    "network_labelings",
    "network_sublevel_parts",
    "newton_polytope",
    "pattern_graph",
    "realizable_labelings",
    "region_bounds",
    "regions_at_infinity",
    "stable_units",
    "sublevel_parts",
    "tied_network_patterns",
    "tied_patterns",
    "zaslavsky",
    "zonotope_of_layer",
    "zonotopes_of_map",
]
