"""Queries to a triangle mesh: inside or outside, signed distance, closest point, first hit of a ray.

By warp-lang's bounding volume hierarchy, on the CPU or a CUDA device. Points are inside where the winding
number is positive. Of a closed mesh it is an integer, the sum of the signed crossings along a ray; an edge
counts alike in both its triangles, so that rounding cannot make the sum inconsistent. Of a mesh with holes
the generalized winding number (Jacobson et al. 2013; Barill et al. 2018), compared with one half, is robust
to small ones, at ten times the cost.
"""

from __future__ import annotations

import os
import sys
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from creased.extras import how_to_install

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
        self._points = warp.array(
            np.ascontiguousarray(vertices, dtype=np.float32), dtype=warp.vec3, device=device
        )
        self._triangles = np.ascontiguousarray(triangles, dtype=np.int32)
        corners = self._triangles.reshape(-1)
        self._corners = warp.array(corners, dtype=warp.int32, device=device)
        self._mesh = warp.Mesh(points=self._points, indices=self._corners)

    @cached_property
    def is_closed(self) -> bool:
        """True if triangles run along each edge equally often in both directions."""
        return _is_cycle(self._triangles)

    def contains(self, points: NDArray[Any]) -> NDArray[np.bool_]:
        """Decide which of the points (n, 3) are inside."""
        from creased.meshes import warp_kernels

        if not self.is_closed:
            return np.asarray(self.signed_distance(points) < 0)
        winding = self._launch_along_curve(warp_kernels.winding_number, points, ["int"])[0]
        return np.asarray(winding > 0)

    def signed_distance(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Compute distances (n,) of points (n, 3), negative inside."""
        from creased.meshes import warp_kernels

        if not self.is_closed:
            return self._launch(warp_kernels.signed_distance, [points], ["float"], self._mesh_with_holes)[0]
        distance = self.nearest(points).distance
        return np.where(self.contains(points), -distance, distance)

    @cached_property
    def _mesh_with_holes(self) -> Any:
        """The mesh with what generalized winding numbers need."""
        return import_warp().Mesh(points=self._points, indices=self._corners, support_winding_number=True)

    def nearest(self, points: NDArray[Any]) -> Nearest:
        """Find the closest triangles to points (n, 3)."""
        from creased.meshes import warp_kernels

        return Nearest(*self._launch_along_curve(warp_kernels.nearest, points, ["float", "int"]))

    def cast(self, origins: NDArray[Any], directions: NDArray[Any]) -> Hits:
        """Cast rays from origins (n, 3) along unit directions (n, 3)."""
        from creased.meshes import warp_kernels

        return Hits(*self._launch(warp_kernels.cast, [origins, directions], ["float", "int", "vector"]))

    def _launch_along_curve(self, kernel: Any, points: NDArray[Any], outputs: list[str]) -> list[Any]:
        """Run a kernel over points (n, 3), neighbours one after the other, in a third of the time."""
        points = np.asarray(points)
        order = _along_curve(points)
        found = self._launch(kernel, [points[order]], outputs)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return [rows[place] for rows in found]

    def _launch(
        self, kernel: Any, inputs: list[NDArray[Any]], outputs: list[str], mesh: Any = None
    ) -> list[Any]:
        """Run a kernel over the rows of its inputs (n, 3) and return its outputs as NumPy arrays."""
        warp = import_warp()
        n = len(inputs[0])
        given = [
            warp.array(np.ascontiguousarray(rows, dtype=np.float32), dtype=warp.vec3, device=self._device)
            for rows in inputs
        ]
        kinds = {"float": warp.float32, "int": warp.int32, "vector": warp.vec3}
        made = [warp.empty(n, dtype=kinds[output], device=self._device) for output in outputs]
        warp.launch(
            kernel, dim=n, inputs=[(mesh or self._mesh).id, *given], outputs=made, device=self._device
        )
        return [array.numpy() for array in made]


def _along_curve(points: NDArray[Any]) -> NDArray[np.int64]:
    """Order points (n, 3) along a Morton curve of 1,024 cells an axis."""
    low, high = np.nanmin(points, 0, initial=0), np.nanmax(points, 0, initial=0)
    unit = (points - low) / np.maximum(high - low, np.finfo(np.float32).tiny)
    cells = np.nan_to_num(unit * 1023).astype(np.int64)
    for shift, mask in ((16, 0x30000FF), (8, 0x300F00F), (4, 0x30C30C3), (2, 0x9249249)):
        cells = (cells | cells << shift) & mask  # two empty bits between any two
    return np.argsort(cells @ np.array([1, 2, 4]))


def _is_cycle(triangles: NDArray[np.int32]) -> bool:
    """Decide whether the directed edges of triangles (T, 3) cancel."""
    start, end = triangles.astype(np.int64), np.roll(triangles, -1, axis=1).astype(np.int64)
    keys = (np.minimum(start, end) * (int(triangles.max()) + 1) + np.maximum(start, end)).reshape(-1)
    order = np.argsort(keys)
    first = np.flatnonzero(np.diff(keys[order], prepend=-1))
    return not np.add.reduceat(np.sign(end - start).reshape(-1)[order], first).any()


@cache
def import_warp() -> Any:
    """Import and initialise warp, without its greeting and its warning about a missing CUDA driver."""
    try:
        import warp
    except ImportError as error:
        raise ImportError(f"mesh queries need warp-lang: {how_to_install('shapes')}") from error
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
