"""Bodies made of the complex's cells: {f < level} as few convex parts, or as conforming tetrahedra.

On a domain {f < level} is a union of convex cells. `inside_cells` has them with their neighbours, and
`greedy_merge` joins these by a rule: `exact_unions` where the union of two bodies is convex, `hulls` where
their hull stays within an error, as `offset_tree` proves. `tetrahedra` keeps every cell, cut into simplices
that match across facets.
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
