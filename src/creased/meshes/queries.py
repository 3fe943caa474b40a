"""Queries to a triangle mesh: signed distance, closest point, first hit of a ray.

By warp-lang's bounding volume hierarchy, on the CPU or a CUDA device. Points are inside where the generalized
winding number (Jacobson et al. 2013; Barill et al. 2018) exceeds one half, which is robust to small holes.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Hits(NamedTuple):
    """First hits of rays."""

    distance: NDArray[np.float32]  # (n,); inf where nothing was hit
    triangle: NDArray[np.int32]  # (n,); -1 where nothing was hit
    barycentric: NDArray[np.float32]  # (n, 3) coordinates in the triangle


class Nearest(NamedTuple):
    """Closest points of a mesh."""

    distance: NDArray[np.float32]  # (n,)
    triangle: NDArray[np.int32]  # (n,)


class TriangleIndex:
    """A bounding volume hierarchy over a triangle mesh.

    Args:
        vertices: (V, 3), any floating type; used in float32.
        triangles: (T, 3) integers.
        device: a warp device such as "cpu" or "cuda:0".

    Raises:
        ImportError: warp-lang is not installed.
        ValueError: the mesh has no triangles.
    """

    def __init__(self, vertices: NDArray[Any], triangles: NDArray[Any], device: str = "cpu") -> None:
        if len(triangles) == 0:
            raise ValueError("TriangleIndex: the mesh has no triangles")
        warp = import_warp()
        self._device = device
        points = warp.array(np.ascontiguousarray(vertices, dtype=np.float32), dtype=warp.vec3, device=device)
        corners = np.ascontiguousarray(triangles, dtype=np.int32).reshape(-1)
        indices = warp.array(corners, dtype=warp.int32, device=device)
        self._mesh = warp.Mesh(points=points, indices=indices, support_winding_number=True)

    def signed_distance(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Compute distances (n,) of points (n, 3), negative inside."""
        from creased.meshes import warp_kernels

        return self._launch(warp_kernels.signed_distance, [points], ["float"])[0]

    def nearest(self, points: NDArray[Any]) -> Nearest:
        """Find the closest triangles to points (n, 3)."""
        from creased.meshes import warp_kernels

        return Nearest(*self._launch(warp_kernels.nearest, [points], ["float", "int"]))

    def cast(self, origins: NDArray[Any], directions: NDArray[Any]) -> Hits:
        """Cast rays from origins (n, 3) along unit directions (n, 3)."""
        from creased.meshes import warp_kernels

        return Hits(*self._launch(warp_kernels.cast, [origins, directions], ["float", "int", "vector"]))

    def _launch(self, kernel: Any, inputs: list[NDArray[Any]], outputs: list[str]) -> list[Any]:
        """Run a kernel over the rows of its inputs (n, 3) and return its outputs as NumPy arrays."""
        warp = import_warp()
        n = len(inputs[0])
        given = [
            warp.array(np.ascontiguousarray(rows, dtype=np.float32), dtype=warp.vec3, device=self._device)
            for rows in inputs
        ]
        kinds = {"float": warp.float32, "int": warp.int32, "vector": warp.vec3}
        made = [warp.empty(n, dtype=kinds[output], device=self._device) for output in outputs]
        warp.launch(kernel, dim=n, inputs=[self._mesh.id, *given], outputs=made, device=self._device)
        return [array.numpy() for array in made]


@cache
def import_warp() -> Any:
    """Import and initialise warp, without its greeting and its warning about a missing CUDA driver."""
    try:
        import warp
    except ImportError as error:
        raise ImportError("mesh queries need warp-lang: pip install 'creased[shapes]'") from error
    warp.config.log_level = warp.LOG_WARNING
    sys.stderr.flush()
    kept, silent = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)
        warp.init()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silent)
    return warp
