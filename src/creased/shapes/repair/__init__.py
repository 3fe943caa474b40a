"""Make any triangle mesh a solid, or refuse it; and measure what that changed.

`solidify` runs the steps. `weld` merges vertices along open edges, at a tolerance relative to the size.
`walls` removes repeated triangles and walls between cells, as of volume meshes. `pairing` connects triangles
across edges, and `parts` cuts them into oriented manifold parts, whatever was read. `closing` fills the
openings of a part with triangles and takes none away, or thickens a sheet; `sheets` decides what becomes of
parts that cannot be closed. `solids` decides by winding numbers which parts are cavities, and unites those
that meet, `contact` those that rounding keeps apart. `change` measures distances, extent, area and volume
between what was read and what is learnt; `options` holds the limits, `report` says in words what was done.
"""

from creased.shapes.repair.options import Limits, RepairOptions
from creased.shapes.repair.report import Report
from creased.shapes.repair.solidify import Solid, solidify

__all__ = ["Limits", "RepairOptions", "Report", "Solid", "solidify"]
