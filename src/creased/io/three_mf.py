"""Write 3MF, the format of slicers for printing: a zip archive of one XML model of triangles over vertices.

After the 3MF core specification 1.3, sections 3 (packages) and 4 (objects). Coordinates are written in 17
digits; a program that reads them may round to single precision. Equal meshes give equal bytes.
"""

from __future__ import annotations

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from torch import Tensor

from creased.io.units import UNITS

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SCHEMAS = "http://schemas.openxmlformats.org/package/2006"
_CORE = "http://schemas.microsoft.com/3dmanufacturing"

CONTENT_TYPES = (
    f'{_XML}<Types xmlns="{_SCHEMAS}/content-types">'
    f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>'
    "</Types>"
)
RELATIONS = (
    f'{_XML}<Relationships xmlns="{_SCHEMAS}/relationships">'
    f'<Relationship Target="/3D/3dmodel.model" Id="rel0" Type="{_CORE}/2013/01/3dmodel"/></Relationships>'
)


def format_rows(template: str, rows: Tensor) -> str:
    """Format each row (n, k) of a tensor by a template of k fields."""
    return template * rows.shape[0] % tuple(rows.reshape(-1).tolist())


def three_mf_bytes(vertices: Tensor, triangles: Tensor, unit: str = "millimeter") -> bytes:
    """Format a triangle mesh as a 3MF file.

    Args:
        vertices: (V, 3) floating.
        triangles: (T, 3) int64, counter-clockwise seen from outside.
        unit: of the coordinates, one of `UNITS`.

    Raises:
        ValueError: the format has no such unit.
    """
    if unit not in UNITS:
        raise ValueError(f"three_mf_bytes: unit must be one of {', '.join(UNITS)}, got {unit!r}")
    points = format_rows('<vertex x="%.17g" y="%.17g" z="%.17g"/>\n', vertices)
    faces = format_rows('<triangle v1="%d" v2="%d" v3="%d"/>\n', triangles)
    model = (
        f'{_XML}<model unit="{unit}" xml:lang="en-US" xmlns="{_CORE}/core/2015/02">\n'
        f'<resources><object id="1" type="model"><mesh>\n<vertices>\n{points}</vertices>\n'
        f"<triangles>\n{faces}</triangles>\n</mesh></object></resources>\n"
        '<build><item objectid="1"/></build>\n</model>\n'
    )
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, content in (
            ("[Content_Types].xml", CONTENT_TYPES),
            ("_rels/.rels", RELATIONS),
            ("3D/3dmodel.model", model),
        ):  # with ZipInfo's fixed date, so that bytes are reproducible
            archive.writestr(ZipInfo(name), content, ZIP_DEFLATED)
    return buffer.getvalue()
