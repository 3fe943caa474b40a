"""creased: exact polyhedral complexes and level sets of piecewise-affine networks, and training with them.

    program = creased.lower(module)
    surface = creased.extract_level_set(program, creased.Box.cube(3, 0.5))
    print(surface.audit())
    creased.save(surface, "mesh.ply")

Importing this, and writing PLY and OBJ, need torch alone; heavier packages are imported by the functions that
use them.
"""

from creased import geometry, parallel
from creased.api import (
    betti_numbers,
    certify,
    convex_parts,
    count_cells,
    essential,
    extract_complex,
    extract_level_set,
    integrate,
    lipschitz,
    local_lipschitz,
    persistence,
    region_graph,
    slice_program,
    slice_through,
    stream_complex,
    tetrahedra,
)
from creased.core.certificates.certify import Certificate
from creased.core.complexes.audit import Audit
from creased.core.complexes.complex import PolyhedralComplex, find_regions
from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.polygons import Polygons
from creased.core.complexes.regions import Regions
from creased.core.complexes.unperturbed import TrueCells
from creased.core.degeneracy import DegenerateError
from creased.core.domains.box import Box
from creased.core.domains.domain import Domain
from creased.core.domains.essential import Essential
from creased.core.domains.polytope import Polytope
from creased.core.domains.simplex import Simplex
from creased.core.domains.whole_space import LinealityError, WholeSpace
from creased.core.native.caches import keep_caches
from creased.core.numerics.memory import CellLimitError
from creased.core.program import combine
from creased.core.program.affine_slice import ProgramSlice
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program
from creased.core.provenance import Completeness, Finding, Provenance
from creased.decomposition import ConvexPart, ConvexParts, Tetrahedra
from creased.geometry.tracking import TrackedLevelSet
from creased.io.bodies import save_parts, save_tetrahedra
from creased.io.export import save
from creased.io.load import load_program
from creased.io.stream import stream_level_set
from creased.networks import MLP, GridMLP, UnsupportedModuleError, lower
from creased.regions import Integrals, Lipschitz, RegionGraph
from creased.topology import PersistenceDiagram
from creased.viewer.figure import figure

__version__ = "0.2.0"

keep_caches()

__all__ = [
    "MLP",
    "Affine",
    "Audit",
    "Block",
    "Box",
    "CellLimitError",
    "Certificate",
    "Completeness",
    "ConvexPart",
    "ConvexParts",
    "DegenerateError",
    "Domain",
    "Essential",
    "Finding",
    "GridMLP",
    "Integrals",
    "LevelSet",
    "LinealityError",
    "Lipschitz",
    "PersistenceDiagram",
    "Polygons",
    "PolyhedralComplex",
    "Polytope",
    "Program",
    "ProgramSlice",
    "Provenance",
    "RegionGraph",
    "Regions",
    "Simplex",
    "Tetrahedra",
    "TrackedLevelSet",
    "TrueCells",
    "UnsupportedModuleError",
    "WholeSpace",
    "betti_numbers",
    "certify",
    "combine",
    "convex_parts",
    "count_cells",
    "essential",
    "extract_complex",
    "extract_level_set",
    "figure",
    "find_regions",
    "geometry",
    "integrate",
    "lipschitz",
    "load_program",
    "local_lipschitz",
    "lower",
    "parallel",
    "persistence",
    "region_graph",
    "save",
    "save_parts",
    "save_tetrahedra",
    "slice_program",
    "slice_through",
    "stream_complex",
    "stream_level_set",
    "tetrahedra",
]
