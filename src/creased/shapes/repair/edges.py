"""Edges, areas and connected components of triangles, as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Edges(NamedTuple):
    """Half-edges of triangles (T, 3), 3 T in all: half-edge 3 t + i runs from corner i to corner i + 1."""

    edge: NDArray[np.int64]  # (3 T,) the number of its undirected edge
    is_forward: NDArray[np.bool_]  # (3 T,) from the vertex of the lesser number to the other
    ends: NDArray[np.int64]  # (E, 2) vertices of the edges, the lesser first
    n_triangles: NDArray[np.int64]  # (E,) at the edges

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Mark the half-edges (3 T,) of edges of one triangle."""
        return self.n_triangles[self.edge] == 1


def find_edges(triangles: NDArray[np.int64]) -> Edges:
    """Number the edges of triangles (T, 3)."""
    start, end = ends_of(triangles)
    n = int(triangles.max(initial=0)) + 1
    keys = np.minimum(start, end) * n + np.maximum(start, end)
    found, edge, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return Edges(edge, start < end, np.stack([found // n, found % n], axis=1), counts)


def ends_of(
    triangles: NDArray[np.int64], half_edges: NDArray[np.int64] | slice = slice(None)
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the vertices (n,) where half-edges (n,) of triangles (T, 3) start and end; of all by default."""
    return triangles.reshape(-1)[half_edges], np.roll(triangles, -1, axis=1).reshape(-1)[half_edges]


def label_components(n: int, links: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the components (n,) of items under links (m, 2), in the order of their first items."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(links), dtype=bool), (links[:, 0], links[:, 1])), shape=(n, n))
    labels = connected_components(graph, directed=False)[1]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def areas(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the areas (T,) of triangles."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    lengths: NDArray[np.float64] = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return lengths / 2


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale vectors (n, 3) to length 1; zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, np.finfo(np.float64).tiny)
