"""Close a mesh and orient it outward, or refuse it; the log says what was changed.

Each component is treated alone. Closed ones stay as they are; open ones are closed by pymeshfix, except
fragments, which are dropped. A component inside an odd number of others is a cavity and faces inward, all
others face outward.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from creased.meshes.polygon_mesh import PolygonMesh
from creased.meshes.queries import TriangleIndex
from creased.shapes.sources import ShapeError

if TYPE_CHECKING:
    from trimesh import Trimesh

log = logging.getLogger(__name__)

FRAGMENT = 0.01  # an open component of a smaller share of the area is dropped, not closed
FLAT = 1e-9  # a volume below this share of the bounding cube's counts as zero


def make_watertight(mesh: Trimesh, name: str, *, repair: bool = True) -> Trimesh:
    """Close the mesh and orient its normals outward.

    Args:
        mesh: any triangle mesh; not changed.
        name: of the shape, for messages.
        repair: False refuses open meshes.

    Raises:
        ShapeError: it is open and cannot or may not be closed, it encloses no volume, or a vertex is not
            finite.
    """
    import trimesh

    if not np.isfinite(mesh.vertices).all():
        raise ShapeError(f"shape {name}: the mesh has vertices at NaN or infinity")
    parts = list(mesh.split(only_watertight=False, repair=False)) if len(mesh.faces) else []
    n_open = sum(not _is_closed(part) for part in parts)
    if n_open == 0:
        log.info("shape %s: watertight as it is, %s faces", name, f"{len(mesh.faces):,}")
    elif not repair:
        raise ShapeError(
            f"shape {name}: the mesh is not watertight ({n_open} open parts of {len(parts)}), and "
            "shape.repair=false forbids to close it"
        )
    else:
        parts = _close_parts(parts, mesh.area, name)
    parts = [part for part in parts if abs(signed_volume(part)) > FLAT * float(mesh.extents.max()) ** 3]
    if not parts:
        raise ShapeError(f"shape {name}: the mesh encloses no volume, so there is no inside to learn")
    n_reversed = _face_outward(parts)
    if n_reversed:
        share = f"{n_reversed} of {len(parts)} parts"
        log.warning("shape %s: %s were inside out and were reversed", name, share)
    return trimesh.util.concatenate(parts) if len(parts) > 1 else parts[0]


def signed_volume(mesh: Trimesh) -> float:
    """Compute the enclosed volume, negative if the mesh is inside out, zero for a sheet."""
    return PolygonMesh.of_triangles(mesh.vertices, mesh.faces).volume()


def _is_closed(part: Trimesh) -> bool:
    return bool(part.is_watertight and part.is_winding_consistent)


def _close_parts(parts: list[Trimesh], area: float, name: str) -> list[Trimesh]:
    """Close the open parts by pymeshfix, and drop fragments."""
    closed, n_before, n_after, dropped = [], 0, 0, []
    for part in parts:
        if _is_closed(part):
            closed.append(part)
        elif part.area < FRAGMENT * area:
            dropped.append(part.area / area)
        else:
            closed.append(_close_holes(part, name))
            n_before, n_after = n_before + len(part.faces), n_after + len(closed[-1].faces)
    change = f"{n_before:,} faces became {n_after:,}"
    log.warning("shape %s: not watertight; open parts were closed by pymeshfix, %s", name, change)
    if dropped:
        share = 100 * sum(dropped)
        log.warning("shape %s: %d fragments, %.2g%% of the area, were dropped", name, len(dropped), share)
    return closed


def _close_holes(part: Trimesh, name: str) -> Trimesh:
    import trimesh
    from pymeshfix import MeshFix

    fixer = MeshFix(np.asarray(part.vertices, dtype=np.float64), np.asarray(part.faces, dtype=np.int32))
    fixer.repair()
    fixed = trimesh.Trimesh(fixer.points, fixer.faces, process=False)
    if len(fixed.faces) == 0 or not _is_closed(fixed):
        raise ShapeError(
            f"shape {name}: the mesh is not watertight and pymeshfix could not close it; "
            "repair it in a mesh editor, or choose another with shape.path=FILE"
        )
    return fixed


def _face_outward(parts: list[Trimesh]) -> int:
    """Reverse in place the parts that face the wrong way, and count them."""
    bounds = np.array([part.bounds for part in parts])
    was_outward = [signed_volume(part) > 0 for part in parts]
    for part, is_outward in zip(parts, was_outward, strict=True):
        if not is_outward:
            part.invert()
    depth = np.zeros(len(parts), dtype=int)
    for i, outer in enumerate(parts):
        inside = ((bounds[:, 0] >= bounds[i, 0]) & (bounds[:, 1] <= bounds[i, 1])).all(axis=1)
        inside[i] = False
        if inside.any():
            points = np.array([part.vertices[0] for part in np.array(parts, dtype=object)[inside]])
            centre, size = outer.bounds[0], outer.extents.max()
            index = TriangleIndex((outer.vertices - centre) / size, outer.faces)
            depth[inside] += index.contains((points - centre) / size)
    for part, is_cavity in zip(parts, depth % 2 == 1, strict=True):
        if is_cavity:
            part.invert()
    return int(((depth % 2 == 0) != was_outward).sum())
