"""What open3d says of a mesh: a check by code that is not ours. Owns the way open3d is imported.

Importing open3d needs libusb-1.0, which a machine may lack; the PyPI package libusb-package carries it, and
it is loaded by hand before. On a bare container open3d also wants libGL from the system; where it cannot be
imported the second opinion is left out, and the reason is said once.
"""

from __future__ import annotations

import ctypes
import logging
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.core.complexes.level_set import LevelSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)


@cache
def import_open3d() -> Any | None:
    """The open3d package, or None where it cannot be imported; the reason is logged once."""
    try:
        import libusb_package

        ctypes.CDLL(str(libusb_package.get_library_path()), mode=ctypes.RTLD_GLOBAL)
    except (ImportError, OSError) as error:
        log.debug("libusb-package is of no help: %s", error)
    try:
        import open3d
    except (ImportError, OSError) as error:
        log.warning("no second opinion on the mesh, open3d cannot be imported: %s", error)
        return None
    return open3d


def as_open3d(open3d: Any, vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> Any:
    """An open3d mesh of triangles (T, 3) over vertices (V, 3)."""
    return open3d.geometry.TriangleMesh(
        open3d.utility.Vector3dVector(vertices), open3d.utility.Vector3iVector(triangles.astype(np.int32))
    )


def ask_open3d(level_set: LevelSet) -> dict[str, bool] | None:
    """Answers of open3d about the fan triangles of a level set (D = 3), or None without open3d.

    The keys are ``closed`` (every edge in two triangles), ``edge_manifold`` (in at most two),
    ``vertex_manifold`` and ``orientable``. open3d's test for self-intersections takes minutes: left out.
    """
    open3d = import_open3d()
    if open3d is None or level_set.polygons.n == 0:
        return None
    mesh = as_open3d(open3d, level_set.vertices.cpu().double().numpy(), level_set.triangles().cpu().numpy())
    return {
        "closed": mesh.is_edge_manifold(allow_boundary_edges=False),
        "edge_manifold": mesh.is_edge_manifold(allow_boundary_edges=True),
        "vertex_manifold": mesh.is_vertex_manifold(),
        "orientable": mesh.is_orientable(),
    }
