"""Drawings of complexes, tropical curves and dual subdivisions on the caller's matplotlib axes.

For each subject a ``flatten_*`` function (or `flatten`, `solid_of`) computes a record of plain arrays,
exactly where that matters, and a ``draw_*`` function draws the record. Pictures of surfaces are in
`creased.render`. matplotlib is imported where something is drawn.
"""

from creased.drawing.boundaries import PlaneBoundary, draw_boundary, flatten_boundary
from creased.drawing.curves import TropicalCurve, draw_curve, draw_dual, flatten_curve
from creased.drawing.plane import PlaneComplex, draw_complex, flatten
from creased.drawing.zonotopes import Solid, draw_zonotope, solid_of, upper_polynomial

__all__ = [
    "PlaneBoundary",
    "PlaneComplex",
    "Solid",
    "TropicalCurve",
    "draw_boundary",
    "draw_complex",
    "draw_curve",
    "draw_dual",
    "draw_zonotope",
    "flatten",
    "flatten_boundary",
    "flatten_curve",
    "solid_of",
    "upper_polynomial",
]
