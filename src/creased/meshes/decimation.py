"""Quadric decimation by open3d, on request only.

The result is no longer the level set: its distance is not bounded, and no guarantee holds.
"""

from __future__ import annotations

from creased.extras import how_to_install
from creased.meshes.import_open3d import as_open3d, import_open3d
from creased.meshes.polygon_mesh import PolygonMesh

FEWEST = 4  # triangles of a closed surface


def decimate(mesh: PolygonMesh, n_triangles: int) -> PolygonMesh:
    """Decimate to about n_triangles; a mesh that has no more is only triangulated.

    Raises:
        ValueError: fewer than four triangles are asked for.
        ImportError: open3d cannot be imported.
    """
    if n_triangles < FEWEST:
        raise ValueError(f"decimate: needs at least {FEWEST} triangles, got {n_triangles}")
    open3d = import_open3d()
    if open3d is None:
        raise ImportError(f"--decimate needs open3d: {how_to_install('open3d')}")
    import numpy as np

    given = as_open3d(open3d, mesh.vertices.numpy(), mesh.triangles().numpy())
    fewer = given.simplify_quadric_decimation(n_triangles)
    return PolygonMesh.of_triangles(np.array(fewer.vertices), np.array(fewer.triangles, dtype=np.int64))
