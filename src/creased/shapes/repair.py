"""From a mesh as found to a closed one, or to a refusal; the log says which."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from creased.shapes.errors import ShapeError

if TYPE_CHECKING:
    from trimesh import Trimesh

log = logging.getLogger(__name__)

FLAT = 1e-9  # a volume below this share of the bounding cube's is that of a sheet


def make_watertight(mesh: Trimesh, name: str, *, repair: bool = True) -> Trimesh:
    """The mesh, closed and with its normals outward.

    Args:
        mesh: as found; not changed.
        name: of the shape, for messages.
        repair: whether holes may be closed (by pymeshfix, which keeps the largest component).

    Raises:
        ShapeError: it is not closed and may not or cannot be repaired, or it has no volume.
    """
    if not np.isfinite(mesh.vertices).all():
        raise ShapeError(f"shape {name}: the mesh has vertices at NaN or infinity")
    if mesh.is_watertight and mesh.is_winding_consistent:
        log.info("shape %s: watertight as it is, %s faces", name, f"{len(mesh.faces):,}")
        closed = mesh
    elif not repair:
        raise ShapeError(
            f"shape {name}: the mesh is not watertight, and shape.repair=false refuses to mend it"
        )
    else:
        closed = _close_holes(mesh, name)
    volume = _signed_volume(closed)
    if abs(volume) < FLAT * float(np.prod(np.maximum(closed.extents, closed.extents.max()))):
        raise ShapeError(f"shape {name}: the mesh encloses no volume, so there is no inside to learn")
    if volume < 0:
        log.warning("shape %s: inside out; its faces were reversed", name)
        closed = closed.copy()
        closed.invert()
    return closed


def _signed_volume(mesh: Trimesh) -> float:
    """The enclosed volume, negative if the mesh is inside out; zero for a sheet, without a warning."""
    a, b, c = (mesh.triangles[:, i] - mesh.bounds[0] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6


def _close_holes(mesh: Trimesh, name: str) -> Trimesh:
    import trimesh
    from pymeshfix import MeshFix

    fixer = MeshFix(np.asarray(mesh.vertices, dtype=np.float64), np.asarray(mesh.faces, dtype=np.int32))
    fixer.repair()
    fixed = trimesh.Trimesh(fixer.points, fixer.faces, process=False)
    if len(fixed.faces) == 0 or not fixed.is_watertight:
        raise ShapeError(
            f"shape {name}: the mesh is not watertight and pymeshfix could not close it; "
            "mend it in a mesh editor, or choose another with shape.path=FILE"
        )
    log.warning(
        "shape %s: not watertight; repaired by pymeshfix from %s to %s faces",
        name,
        f"{len(mesh.faces):,}",
        f"{len(fixed.faces):,}",
    )
    return fixed
