"""Write conforming tetrahedra as VTU and MSH, by meshio."""

from __future__ import annotations

import tempfile
from pathlib import Path

from creased.decomposition import Tetrahedra
from creased.extras import how_to_install
from creased.io.atomic_write import write_whole
from creased.io.export import ExportError
from creased.io.similarity import Similarity

TETRAHEDRA_FORMATS = {".vtu": "vtu", ".msh": "gmsh"}  # by ending: the name that meshio has for it


def save_tetrahedra(mesh: Tetrahedra, path: str | Path, to_domain: Similarity | None = None) -> None:
    """Write tetrahedra; in VTU each with the number of the ``cell`` that it is a part of.

    Args:
        mesh: of three dimensions, not empty.
        path: of the file, .vtu or .msh.
        to_domain: the similarity whose inverse maps vertices to the user's coordinates; identity by default.

    Raises:
        ExportError: another ending, or there are no tetrahedra.
        ImportError: meshio is not installed.
        OSError: the file cannot be written; an old one of that name is still there.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in TETRAHEDRA_FORMATS:
        raise ExportError(f"cannot write tetrahedra to {path}: they are {', '.join(TETRAHEDRA_FORMATS)}")
    if mesh.vertices.shape[1] != 3 or not len(mesh.simplices):
        raise ExportError(f"cannot write {path}: there are no tetrahedra")
    try:
        import meshio
    except ImportError as error:
        raise ImportError(f"{path}: VTU and MSH need meshio: {how_to_install('simulation')}") from error
    points = (to_domain or Similarity.identity()).invert(mesh.vertices).numpy()
    data = {"cell": [mesh.cell.numpy()]} if ending == ".vtu" else None
    found = meshio.Mesh(points, [("tetra", mesh.simplices.numpy())], cell_data=data)
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / f"mesh{ending}"
        meshio.write(temporary, found, file_format=TETRAHEDRA_FORMATS[ending])
        write_whole(path, temporary.read_bytes())
