"""Exact meshes as files: polygons where the format has them (PLY, OBJ), triangles elsewhere (STL, GLB).

Coordinates are the user's own. PLY and OBJ are written in 17 digits, so nothing is lost;
STL and GLB hold single precision by their definition. Files are written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.core.level_set import LevelSet, Polygons
from creased.files import write_whole
from creased.similarity import Similarity

if TYPE_CHECKING:
    from numpy.typing import NDArray


Writer = Callable[[LevelSet, "NDArray[np.float64]"], bytes]


class ExportError(ValueError):
    """A mesh that cannot be written as asked; the message says why."""


def export_mesh(level_set: LevelSet, path: str | Path, to_domain: Similarity | None = None) -> None:
    """Write a level set as a mesh, in the format that the file's ending names: ply, obj, stl or glb.

    Args:
        level_set: with D = 3, not empty.
        path: where to; folders are made.
        to_domain: the similarity whose inverse brings vertices to the user's coordinates; none by default.

    Raises:
        ExportError: the ending is none of these, or there is no surface to write.
        OSError: the file cannot be written; an old one of that name is still there.
    """
    path = Path(path)
    writer = require_writer(path)
    if level_set.polygons.n == 0:
        raise ExportError(
            f"nothing to write to {path}: {level_set.status or 'the level set has no polygons'}"
        )
    if not level_set.is_bounded:
        n_rays = int(level_set.is_ray().sum())
        raise ExportError(
            f"cannot write {path}: the level set is unbounded, with {n_rays} rays; extract it on a Box"
        )
    vertices = level_set.vertices.detach().cpu().double().numpy()
    vertices = (to_domain or Similarity.identity()).invert(vertices)
    write_whole(path, writer(level_set, vertices))


def require_writer(path: Path) -> Writer:
    """The writer for a file's ending.

    Raises:
        ExportError: there is none.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ExportError(f"cannot write {path}: give it one of the endings {', '.join(WRITERS)}")
    return writer


def _ply(level_set: LevelSet, vertices: NDArray[np.float64]) -> bytes:
    """PLY with polygons and double coordinates; as text, since trimesh reads mixed polygons only so."""
    header = (
        "ply\nformat ascii 1.0\ncomment exact level set by creased\n"
        f"element vertex {len(vertices)}\nproperty double x\nproperty double y\nproperty double z\n"
        f"element face {level_set.polygons.n}\nproperty list uint int vertex_indices\nend_header\n"
    )
    points = "%.17g %.17g %.17g\n" * len(vertices) % tuple(vertices.flat)
    return (header + points + _polygon_lines(level_set.polygons, "{size}", first=0)).encode()


def _obj(level_set: LevelSet, vertices: NDArray[np.float64]) -> bytes:
    """Wavefront OBJ with polygons."""
    points = "v %.17g %.17g %.17g\n" * len(vertices) % tuple(vertices.flat)
    faces = _polygon_lines(level_set.polygons, "f", first=1)
    return f"# exact level set by creased\n{points}{faces}".encode()


def _polygon_lines(polygons: Polygons, start: str, first: int) -> str:
    """A line a polygon, those of equal size together: a start, then its corners counted from ``first``."""
    sizes = polygons.sizes.cpu().numpy()
    starts = polygons.offsets[:-1].cpu().numpy()
    indices = polygons.indices.cpu().numpy() + first
    lines = []
    for size in np.unique(sizes):
        corners = indices[starts[sizes == size][:, None] + np.arange(size)]
        line = start.format(size=size) + " %d" * int(size) + "\n"
        lines.append(line * len(corners) % tuple(corners.flat))
    return "".join(lines)


def _by_trimesh(kind: str) -> Writer:
    """A writer of fan triangles in single precision."""

    def write(level_set: LevelSet, vertices: NDArray[np.float64]) -> bytes:
        mesh: Any = level_set.to_trimesh()
        mesh.vertices = vertices
        content: bytes = mesh.export(file_type=kind)
        return content

    return write


WRITERS: dict[str, Writer] = {
    ".ply": _ply,
    ".obj": _obj,
    ".stl": _by_trimesh("stl"),
    ".glb": _by_trimesh("glb"),
}
