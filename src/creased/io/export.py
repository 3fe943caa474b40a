"""Write exact meshes to files: polygons in PLY and OBJ, triangles in STL, GLB and 3MF.

A surface that the walls of the domain cut is written open, or capped along the walls, or refused. PLY, OBJ
and 3MF hold coordinates in 17 digits, which is lossless, and need torch alone; STL and GLB hold single
precision by their definition, and need trimesh. In GLB the mesh is about its own centre, under a node that
moves it to its place in double precision. 3MF states the unit of length, GLB as an extra called ``unit``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.polygons import Polygons
from creased.core.formatting import require_kind
from creased.core.program.program import Program
from creased.io.atomic_write import write_whole
from creased.io.curves import curves_of, write_curves
from creased.io.similarity import Similarity
from creased.io.single_precision import about_centre, format_rounding
from creased.io.three_mf import format_rows, three_mf_bytes
from creased.meshes.caps import CapError, cap
from creased.meshes.polygon_mesh import PolygonMesh
from creased.networks.as_program import Network, as_program

Writer = Callable[[PolygonMesh, str | None], bytes]  # of a mesh in a unit
log = logging.getLogger(__name__)

Boundary = Literal["open", "cap", "error"]
BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)


class ExportError(ValueError):
    """A mesh that cannot be written as asked; the message says why."""


def save(
    level_set: LevelSet,
    path: str | Path,
    to_domain: Similarity | None = None,
    boundary: Boundary = "open",
    program: Network | None = None,
) -> None:
    """Write a level set as a mesh, or one of two inputs as curves.

    Args:
        level_set: with D = 3, or D = 2 for .svg, .dxf and .obj, in its own coordinates; bounded, not empty.
        path: of the file, whose ending names the format: .ply, .obj and .3mf need torch alone, .stl and .glb
            trimesh; missing folders are created.
        to_domain: the similarity whose inverse maps vertices to the user's coordinates, with their unit;
            identity by default.
        boundary: where the domain's walls cut the surface: leave it open, cap it along the walls, or refuse.
        program: the network, to cap level sets of degenerate ones; see `creased.meshes.caps`.

    Raises:
        CurveError: as `ExportError`, of curves.
        ExportError: the ending is none of these, there is no surface to write, or it is cut and may not be.
        ImportError: the format, or a cap, needs a package that is not installed.
        OSError: the file cannot be written; an old one of that name is still there.
        TypeError: what was given is no level set.
    """
    require_kind("save", level_set, LevelSet, ", before the path: see creased.extract_level_set")
    path = Path(path)
    if level_set.dim == 2:
        write_curves(curves_of(level_set), path)
        return
    require_writer(path)
    lowered = None if program is None else as_program(program, "save")
    mesh = mesh_to_write(level_set, to_domain, boundary, f"cannot write {path}", lowered)
    if loss := write_mesh(mesh, path, to_domain.unit if to_domain else None):
        log.warning("%s", loss)


def write_mesh(mesh: PolygonMesh, path: Path, unit: str | None = None) -> str | None:
    """Write a mesh in the format that the file's ending names.

    Args:
        mesh: in the user's coordinates.
        path: of the file.
        unit: of the coordinates, one of `creased.io.units.UNITS`; None: not known, in 3MF the millimetre.

    Returns:
        What STL loses of a mesh far from the origin, as a sentence; None where it is not noticed.
    """
    write_whole(path, require_writer(path)(mesh, unit))
    return format_rounding(mesh, path, unit) if path.suffix.lower() == ".stl" else None


def mesh_to_write(
    level_set: LevelSet,
    to_domain: Similarity | None = None,
    boundary: Boundary = "open",
    failure: str = "mesh_to_write",
    program: Program | None = None,
) -> PolygonMesh:
    """Make the mesh that `save` writes: capped if so asked, in the user's coordinates.

    Raises:
        ExportError: there is no such mesh; the message begins with ``failure``.
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
    return PolygonMesh((to_domain or Similarity.identity()).invert(mesh.vertices), mesh.polygons)


def require_writer(path: Path) -> Writer:
    """Select the writer by the file's ending.

    Raises:
        ExportError: no format has this ending.
    """
    ending = path.suffix.lower()
    writer = WRITERS.get(ending)
    if writer is None:
        other = f"; {ending} is of bodies, see creased parts" if ending in OF_BODIES else ""
        raise ExportError(f"cannot write {path}: give it one of the endings {', '.join(WRITERS)}{other}")
    return writer


class TextFormat(NamedTuple):
    """A format of lines: a header, a line a vertex, a line a polygon."""

    header: str  # with {vertices} and {faces} in place of their numbers
    vertex: str
    face: str  # how the line of a polygon starts, with {size} in place of its number of corners
    first: int  # number of the first vertex

    def format_header(self, n_vertices: int, n_faces: int) -> str:
        """Format the header of a mesh of these sizes."""
        return self.header.format(vertices=n_vertices, faces=n_faces)

    def format_vertices(self, vertices: Tensor) -> str:
        """Format vertices (V, 3)."""
        return format_rows(self.vertex, vertices)

    def format_polygons(self, polygons: Polygons) -> str:
        """Format polygons, in order of size."""
        sizes, starts, indices = polygons.sizes, polygons.offsets[:-1], polygons.indices + self.first
        lines = []
        for size in torch.unique(sizes).tolist():
            corners = indices[starts[sizes == size][:, None] + torch.arange(size)]
            lines.append(format_rows(self.face.format(size=size) + " %d" * size + "\n", corners))
        return "".join(lines)

    def bytes_of(self, mesh: PolygonMesh, unit: str | None) -> bytes:
        """Format a mesh; the unit is not stated."""
        header = self.format_header(len(mesh.vertices), mesh.polygons.n)
        return (header + self.format_vertices(mesh.vertices) + self.format_polygons(mesh.polygons)).encode()


# PLY is ASCII, as trimesh reads mixed polygons in no other kind.
TEXT_FORMATS = {
    ".ply": TextFormat(
        "ply\nformat ascii 1.0\ncomment exact level set by creased\n"
        "element vertex {vertices}\nproperty double x\nproperty double y\nproperty double z\n"
        "element face {faces}\nproperty list uint int vertex_indices\nend_header\n",
        "%.17g %.17g %.17g\n",
        "{size}",
        first=0,
    ),
    ".obj": TextFormat("# exact level set by creased\n", "v %.17g %.17g %.17g\n", "f", first=1),
}


def _stl(mesh: PolygonMesh, unit: str | None) -> bytes:
    """Format as binary STL of fan triangles."""
    content: bytes = mesh.to_trimesh().export(file_type="stl")
    return content


def _glb(mesh: PolygonMesh, unit: str | None) -> bytes:
    """Format as GLB of fan triangles about their centre, under a node that moves them to their place."""
    local, scale, centre = about_centre(mesh)
    triangles = local.to_trimesh()
    if unit is not None:
        triangles.metadata["unit"] = unit

    def place(tree: dict[str, Any]) -> None:  # trimesh leaves out a translation of less than 1e-8
        (node,) = (node for node in tree["nodes"] if "mesh" in node)
        node |= {"translation": list(centre), "scale": [scale] * 3}

    content: bytes = triangles.scene().export(file_type="glb", tree_postprocessor=place)
    return content


def _three_mf(mesh: PolygonMesh, unit: str | None) -> bytes:
    """Format as 3MF of fan triangles."""
    return three_mf_bytes(mesh.vertices, mesh.triangles(), unit or "millimeter")


WITH_UNIT = (".3mf", ".glb")  # formats that state the unit
OF_BODIES = (".xml", ".urdf", ".vtu", ".msh")  # formats of `creased.io.bodies`
WRITERS: dict[str, Writer] = {
    **{ending: text.bytes_of for ending, text in TEXT_FORMATS.items()},
    ".stl": _stl,
    ".glb": _glb,
    ".3mf": _three_mf,
}
