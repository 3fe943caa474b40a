"""Write convex parts: OBJ and GLB with an object a part, MJCF and URDF for physics engines."""

from __future__ import annotations

import colorsys
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from creased.decomposition import ConvexPart, ConvexParts
from creased.extras import how_to_install
from creased.io.atomic_write import write_whole
from creased.io.bodies.mass import Mass, mass_of
from creased.io.bodies.physics import mjcf_text, urdf_text
from creased.io.bodies.tetrahedra_files import TETRAHEDRA_FORMATS
from creased.io.export import ExportError
from creased.io.similarity import Similarity
from creased.io.single_precision import about_centre
from creased.io.three_mf import format_rows
from creased.meshes.polygon_mesh import PolygonMesh

DENSITY = 1000.0  # of water, in kg / m^3
GOLDEN = 0.618034  # turns of hue from one part to the next


class Bodies(NamedTuple):
    """Parts as they are written."""

    name: str
    parts: Sequence[ConvexPart]  # in the coordinates of the file
    mass: Mass


def save_parts(
    parts: ConvexParts, path: str | Path, to_domain: Similarity | None = None, density: float = DENSITY
) -> None:
    """Write convex parts of three dimensions.

    Args:
        parts: not empty.
        path: of the file, whose ending names the format: .obj, .glb (needs trimesh), .xml (MJCF) or .urdf,
            which has its meshes in a folder of the same name and "_parts" beside it.
        to_domain: the similarity whose inverse maps vertices to the user's coordinates; identity by default.
            MJCF and URDF are then in metres where its unit is known.
        density: of masses in MJCF and URDF, in kilograms and the units of the file.

    Raises:
        ExportError: the ending is none of these, there are no parts, or the density is not positive.
        ImportError: trimesh is not installed.
        OSError: the file cannot be written; old ones of that name are still there.
    """
    path = Path(path)
    require_part_writer(path)
    if parts.dim != 3 or not parts.parts:
        raise ExportError(f"cannot write {path}: needs parts of 3 dimensions, got {parts.n} of {parts.dim}")
    if not 0 < density < float("inf"):
        raise ExportError(f"cannot write {path}: the density must be positive, got {density}")
    to_domain = to_domain or Similarity.identity()
    if path.suffix.lower() in (".xml", ".urdf") and to_domain.unit is not None:
        to_domain = to_domain.in_unit("meter")
    moved = [replace(part, vertices=to_domain.invert(part.vertices)) for part in parts.parts]
    mass = mass_of(parts.moments, to_domain, density)
    PART_WRITERS[path.suffix.lower()](Bodies(path.stem, moved, mass), path)


def require_part_writer(path: Path) -> None:
    """Refuse endings of no format.

    Raises:
        ExportError: no format has this ending.
    """
    if path.suffix.lower() not in PART_WRITERS:
        raise ExportError(
            f"cannot write parts to {path}: give it one of the endings {', '.join(PART_WRITERS)}; "
            f"tetrahedra are {', '.join(TETRAHEDRA_FORMATS)}"
        )


def _obj(bodies: Bodies, path: Path) -> None:
    lines, first = ["# convex parts by creased\n"], 1
    for k, part in enumerate(bodies.parts):
        lines.append(f"o part_{k}\n" + _obj_rows(part, first))
        first += len(part.vertices)
    write_whole(path, "".join(lines).encode())


def _obj_rows(part: ConvexPart, first: int) -> str:
    corners = format_rows("v %.17g %.17g %.17g\n", part.vertices)
    return corners + format_rows("f %d %d %d\n", part.facets + first)


def _glb(bodies: Bodies, path: Path) -> None:
    """Write each part about its own centre, under a node that moves it to its place."""
    try:
        import trimesh
    except ImportError as error:
        raise ImportError(f"GLB needs trimesh: {how_to_install('shapes')}") from error

    scene, places = trimesh.Scene(), {}
    for k, part in enumerate(bodies.parts):
        local, scale, centre = about_centre(PolygonMesh.of_triangles(part.vertices, part.facets))
        triangles, name = local.to_trimesh(), f"part_{k}"
        triangles.visual.face_colors = [*(int(255 * c) for c in colour_of(k)), 255]
        scene.add_geometry(triangles, node_name=name, geom_name=name)
        places[name] = {"translation": list(centre), "scale": [scale] * 3}

    def place(tree: dict[str, Any]) -> None:
        for node in tree["nodes"]:
            node |= places.get(node.get("name"), {})

    write_whole(path, scene.export(file_type="glb", tree_postprocessor=place))


def colour_of(k: int) -> tuple[float, float, float]:
    """Colour of part k, red, green and blue from 0 to 1."""
    return colorsys.hsv_to_rgb(k * GOLDEN % 1, 0.55, 0.9)


def _mjcf(bodies: Bodies, path: Path) -> None:
    write_whole(path, mjcf_text(*bodies).encode())


def _urdf(bodies: Bodies, path: Path) -> None:
    """Write meshes into a new folder, which then takes the place of an old one; the URDF comes last."""
    folder = path.with_name(f"{path.stem}_parts")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{folder.name}.") as temporary:
        new, old = Path(temporary) / "new", Path(temporary) / "old"
        for k, part in enumerate(bodies.parts):
            write_whole(new / f"part_{k}.obj", _obj_rows(part, 1).encode())
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
            write_whole(path, urdf_text(*bodies, folder.name).encode())
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            if old.exists():
                old.rename(folder)
            raise


PART_WRITERS: dict[str, Callable[[Bodies, Path], None]] = {
    ".obj": _obj,
    ".glb": _glb,
    ".xml": _mjcf,
    ".urdf": _urdf,
}
