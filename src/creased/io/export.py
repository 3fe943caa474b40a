"""Exact meshes as files: polygons where the format has them (PLY, OBJ), triangles elsewhere (STL, GLB, 3MF).

Where walls of the domain cut a surface it is written open, or closed along the walls, or not at all.
Coordinates are the user's own. PLY, OBJ and 3MF are written in 17 digits, so nothing is
lost; STL and GLB hold single precision by their definition. Files are written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch

from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.polygons import Polygons
from creased.core.program.program import Program
from creased.io.atomic_write import write_whole
from creased.io.similarity import Similarity
from creased.io.three_mf import three_mf_bytes
from creased.meshes.caps import CapError, cap
from creased.meshes.polygon_mesh import PolygonMesh

Writer = Callable[[PolygonMesh], bytes]
Boundary = Literal["open", "cap", "error"]
BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)


class ExportError(ValueError):
    """A mesh that cannot be written as asked; the message says why."""


def export_mesh(
    level_set: LevelSet,
    path: str | Path,
    to_domain: Similarity | None = None,
    boundary: Boundary = "open",
    program: Program | None = None,
) -> None:
    """Write a level set as a mesh, in the format that the file's ending names: ply, obj, stl, glb or 3mf.

    Args:
        level_set: with D = 3, not empty.
        path: where to; folders are made.
        to_domain: the similarity whose inverse brings vertices to the user's coordinates; none by default.
        boundary: where the domain's walls cut the surface: leave it open, cap it along the walls, or refuse.
        program: that it is of, for caps of degenerate networks; see `creased.meshes.caps`.

    Raises:
        ExportError: the ending is none of these, there is no surface to write, or it is cut and may not be.
        OSError: the file cannot be written; an old one of that name is still there.
    """
    path = Path(path)
    writer = require_writer(path)
    mesh = mesh_to_write(level_set, to_domain, boundary, f"cannot write {path}", program)
    write_whole(path, writer(mesh))


def write_mesh(mesh: PolygonMesh, path: Path, unit: str | None = None) -> None:
    """Write a mesh as it is; see `export_mesh`. The unit is that of `require_unit`."""
    require_unit(path, unit)
    write_whole(path, require_writer(path)(mesh) if unit is None else _three_mf(mesh, unit))


def require_unit(path: Path, unit: str | None) -> None:
    """Whether a file can say in which unit its coordinates are: 3MF alone does, by default in millimetres.

    Raises:
        ExportError: it cannot.
    """
    if unit is not None and path.suffix.lower() != ".3mf":
        raise ExportError(f"cannot write {path} in units of {unit}: 3mf alone has units, leave --unit out")


def mesh_to_write(
    level_set: LevelSet,
    to_domain: Similarity | None = None,
    boundary: Boundary = "open",
    failure: str = "mesh_to_write",
    program: Program | None = None,
) -> PolygonMesh:
    """The mesh of a level set in the user's coordinates, its boundary treated as asked.

    Raises:
        ExportError: there is none; the message begins with ``failure``.
    """
    if level_set.polygons.n == 0:
        raise ExportError(f"{failure}: {level_set.status or 'the level set has no polygons'}")
    if not level_set.is_bounded:
        n_rays = int(level_set.is_ray().sum())
        raise ExportError(f"{failure}: the level set is unbounded, with {n_rays} rays; extract it on a Box")
    n_cut = int(level_set.is_on_wall().sum())
    if boundary == "error" and n_cut:
        advice = "take a larger domain, or boundary 'open' or 'cap'"
        raise ExportError(f"{failure}: the domain's walls cut the surface at {n_cut} vertices; {advice}")
    if boundary not in BOUNDARIES:
        raise ExportError(f"{failure}: boundary must be one of {', '.join(BOUNDARIES)}, got {boundary!r}")
    try:
        mesh = cap(level_set, program) if boundary == "cap" else PolygonMesh.of_level_set(level_set)
    except CapError as error:
        raise ExportError(f"{failure}: it cannot be capped, {error}; try boundary 'open'") from error
    placed = (to_domain or Similarity.identity()).invert(mesh.vertices.numpy())
    return PolygonMesh(torch.from_numpy(placed), mesh.polygons)


def require_writer(path: Path) -> Writer:
    """The writer for a file's ending.

    Raises:
        ExportError: there is none.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ExportError(f"cannot write {path}: give it one of the endings {', '.join(WRITERS)}")
    return writer


def _ply(mesh: PolygonMesh) -> bytes:
    """PLY with polygons and double coordinates; as text, since trimesh reads mixed polygons only so."""
    header = (
        "ply\nformat ascii 1.0\ncomment exact level set by creased\n"
        f"element vertex {len(mesh.vertices)}\nproperty double x\nproperty double y\nproperty double z\n"
        f"element face {mesh.polygons.n}\nproperty list uint int vertex_indices\nend_header\n"
    )
    points = "%.17g %.17g %.17g\n" * len(mesh.vertices) % tuple(mesh.vertices.numpy().flat)
    return (header + points + _polygon_lines(mesh.polygons, "{size}", first=0)).encode()


def _obj(mesh: PolygonMesh) -> bytes:
    """Wavefront OBJ with polygons."""
    points = "v %.17g %.17g %.17g\n" * len(mesh.vertices) % tuple(mesh.vertices.numpy().flat)
    faces = _polygon_lines(mesh.polygons, "f", first=1)
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

    def write(mesh: PolygonMesh) -> bytes:
        content: bytes = mesh.to_trimesh().export(file_type=kind)
        return content

    return write


def _three_mf(mesh: PolygonMesh, unit: str = "millimeter") -> bytes:
    """3MF of fan triangles."""
    return three_mf_bytes(mesh.vertices.numpy(), mesh.triangles().numpy(), unit)


WRITERS: dict[str, Writer] = {
    ".ply": _ply,
    ".obj": _obj,
    ".stl": _by_trimesh("stl"),
    ".glb": _by_trimesh("glb"),
    ".3mf": _three_mf,
}
