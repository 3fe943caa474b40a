"""Measures of level sets from vertex positions; differentiable wherever the positions are."""

from torch import Tensor


def edge_lengths(vertices: Tensor, edges: Tensor) -> Tensor:
    """Lengths (E,), in units of the domain, of edges (E, 2) between vertices (V, D)."""
    return (vertices[edges[:, 0]] - vertices[edges[:, 1]]).norm(dim=1)
