"""Write what is made of cells: convex parts for viewers and physics engines, tetrahedra for simulations.

OBJ and GLB have an object a part. MJCF (MuJoCo) is one file with the vertices of all parts; URDF has a mesh
file a part in a folder beside it. Both are in metres where the unit of the coordinates is known.
"""

from creased.io.bodies.part_files import PART_WRITERS, save_parts
from creased.io.bodies.tetrahedra_files import TETRAHEDRA_FORMATS, save_tetrahedra

__all__ = ["PART_WRITERS", "TETRAHEDRA_FORMATS", "save_parts", "save_tetrahedra"]
