"""What tropical geometry says of a network: counts and bounds, exact forms, zonotopes, smaller networks.

Sizes as in `creased.core`. Numbers are exact unless a name or a docstring says otherwise: float weights are
rational numbers, and everything follows from them in integers.
"""

from creased.tropical.cells import Cell, CellBudgetError, cells
from creased.tropical.counts import Counts, activation_cells, affine_pieces, count, f_vector, linear_regions
from creased.tropical.equality import Equality, equal
from creased.tropical.lifts import lift
from creased.tropical.polynomials import MonomialBudgetError, TropicalPolynomial
from creased.tropical.rational_maps import TropicalRational
from creased.tropical.region_bounds import (
    RegionBounds,
    bounded_regions,
    bounds_of,
    generic_f_vector,
    region_bounds,
    regions_at_infinity,
    zaslavsky,
)

__all__ = [
    "Cell",
    "CellBudgetError",
    "Counts",
    "Equality",
    "MonomialBudgetError",
    "RegionBounds",
    "TropicalPolynomial",
    "TropicalRational",
    "activation_cells",
    "affine_pieces",
    "bounded_regions",
    "bounds_of",
    "cells",
    "count",
    "equal",
    "f_vector",
    "generic_f_vector",
    "lift",
    "linear_regions",
    "region_bounds",
    "regions_at_infinity",
    "zaslavsky",
]
