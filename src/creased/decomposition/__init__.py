"""Bodies that make up {f < level}: few convex parts, or conforming tetrahedra.

On a domain {f < level} is a union of convex cells. `inside_cells` has them with their neighbours, and
`greedy_merge` joins these by a rule: `exact_unions` where the union of two bodies is convex, `hulls` where
their hull stays within an error, as `offset_tree` proves. With an error `bisection` makes fewer pieces to
start from, in boxes of the inside of the level set, and `merge_within` dissolves small bodies in the end.
`tetrahedra` keeps every cell, cut into simplices that match across facets.
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
