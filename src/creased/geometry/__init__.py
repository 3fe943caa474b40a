"""Differentiable geometry of level sets: positions as functions of the weights, and measures of them."""

from creased.geometry.implicit_vertices import VertexSolution, implicit_vertices, solve_vertices
from creased.geometry.measures import edge_lengths
from creased.geometry.regularizers import EdgeLength, Regularizer

__all__ = [
    "EdgeLength",
    "Regularizer",
    "VertexSolution",
    "edge_lengths",
    "implicit_vertices",
    "solve_vertices",
]
