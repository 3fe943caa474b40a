"""Bodies made of the complex's cells: {f < level} as few convex parts, or as conforming tetrahedra.

On a domain {f < level} is a union of convex cells. `inside_cells` has them with their neighbours, `hull_gaps`
bounds what the hull of two bodies adds to them, and `greedy_merge` joins them as long as that is within an
error, which may be 0. `tetrahedra` keeps every cell, cut into simplices that match across facets.
"""

from creased.decomposition.convex_parts import ConvexPart, ConvexParts, convex_parts
from creased.decomposition.tetrahedra import Quality, Tetrahedra, tetrahedra

__all__ = [
    "ConvexPart",
    "ConvexParts",
    "Quality",
    "Tetrahedra",
    "convex_parts",
    "tetrahedra",
]
