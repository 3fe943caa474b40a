"""A training shape: a closed mesh in the domain, and the similarity from the user's coordinates."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from creased.core.domains.box import Box
from creased.extras import how_to_install
from creased.io.runs import as_named
from creased.io.similarity import Similarity
from creased.io.units import parse_unit
from creased.meshes.polygon_mesh import PolygonMesh
from creased.meshes.queries import TriangleIndex
from creased.shapes.comparison import compare
from creased.shapes.metrics import compare_functions, comparison_metrics
from creased.shapes.point_cloud import PointCloud, load_cloud, sha256_of_points
from creased.shapes.repair import RepairOptions, Report, solidify
from creased.shapes.repair.options import RepairKeywords
from creased.shapes.sources import File, ShapeError, Source
from creased.shapes.sources.mesh_file import sha256_of_mesh
from creased.shapes.sources.point_file import holds_points, read_points
from creased.shapes.surface import Surface
from creased.shapes.target import Function, Measured, Sizes
from creased.shapes.thickness import Thinness, measure_thinness

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from trimesh import Trimesh

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shape:
    """A solid in [-0.45, 0.45]^3."""

    name: str
    surface: Surface  # closed, normals outward, in the domain's coordinates
    to_domain: Similarity  # from the user's coordinates
    original: Surface | None  # what was read, likewise; None if it is the same surface
    repair: Report  # what was done to it
    sha256: str  # of what was read
    up: str  # the axis that points up in pictures: x, y or z
    azimuth: float  # of the camera, in degrees from the front
    licence: str
    credit: str

    @cached_property
    def mesh(self) -> Trimesh:
        """The triangles of the surface."""
        mesh: Trimesh = self.surface.mesh.to_trimesh()
        return mesh

    def placed(self, to_domain: Similarity) -> Shape:
        """Move the solid to where another map puts the user's coordinates."""
        here, there = self.to_domain, to_domain.in_unit(self.to_domain.unit)

        def move(surface: Surface) -> Surface:
            mesh = surface.mesh
            return Surface(PolygonMesh(there.apply(here.invert(mesh.vertices)), mesh.polygons))

        original = None if self.original is None else move(self.original)
        return replace(self, surface=move(self.surface), original=original, to_domain=there)

    @property
    def index(self) -> TriangleIndex:
        """The index that answers signed distances and closest points; built on first use."""
        return self.surface.index

    def sample_surface(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw points (n, 3) uniformly on the surface."""
        return self.surface.sample(n, rng)[0]

    def sample_edges(self, n: int, width: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw points (m, 3) on sharp edges, as many as on strips of a width if n are on the surface."""
        return self.surface.sample_edges(n, width, rng)

    def signed_distance(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Compute distances (n,) of points (n, 3), negative inside."""
        return self.index.signed_distance(points)

    def measure_thinness(self, n_cells: int, cell: float, rng: np.random.Generator) -> Thinness:
        """Measure walls and gaps against the cells of a grid."""
        return measure_thinness(self.surface, n_cells, cell, rng)

    def measure(
        self, function: Function, mesh: Surface | None, domain: Box, sizes: Sizes, rng: np.random.Generator
    ) -> Measured:
        """Compare a trained function and its mesh with the solid, and with what was read."""
        metrics: dict[str, Any] = dict(
            compare_functions(self.surface, domain, function, sizes.surface, sizes.volume, rng)
        )
        metrics |= {"repair": self.repair.as_dict()}
        if mesh is None:
            return Measured(metrics, None)
        unit = 1 / self.to_domain.scale
        compared = compare(mesh, self.surface, self.name, unit, rng, sizes.mesh)
        compared = replace(compared, unit_name=self.to_domain.unit)
        metrics["original"] = None
        if self.original is not None:
            as_read = compare(mesh, self.original, f"{self.name} as read", unit, rng, sizes.mesh)
            metrics["original"] = as_read.as_dict()
        return Measured(metrics | comparison_metrics(compared), compared)


def load_shape(
    name: str,
    source: Source,
    path: str | None = None,
    up: str = "z",
    azimuth: float = -30.0,
    licence: str = "",
    credit: str = "",
    units: str | None = None,
    normals: str | None = None,
    **repair: Unpack[RepairKeywords],
) -> Shape | PointCloud:
    """Load, repair and normalise a mesh, as configured in `configs/shape/` and `configs/repair/`.

    A file of points with normals becomes a `PointCloud`, of which nothing is repaired.

    Args:
        name: of the shape, for messages and folders; empty: that of the file.
        source: makes the mesh, unless ``path`` is given.
        path: the user's own mesh file, used in place of ``source``.
        up: the axis that points up in pictures.
        azimuth: of the camera, in degrees from the front, towards the right.
        licence: of the mesh.
        credit: the authors of the mesh.
        units: of the mesh's coordinates: mm, cm, m, inch, foot or um; None: what the file states, if it does.
        normals: of points: None: those of the file; "estimate": by open3d.
        repair: how it is made a solid, as in `creased.shapes.repair.RepairOptions`.

    Raises:
        UnitError: there is no such unit.
        ShapeError: there is no such mesh, it cannot be made a solid, or not without changing it beyond the
            limits.
    """
    if path is not None and holds_points(as_named(path)):
        if RepairOptions(**repair) != RepairOptions(limits=repair.get("limits", {})):
            log.warning("%s: points are not repaired: options of repair do nothing", path)
        cloud = load_cloud(as_named(path), normals, units)
        return replace(cloud, name=name or cloud.name, licence=licence, credit=credit)
    if normals is not None:
        log.warning("shape.normals=%s is for points, and does nothing to a mesh", normals)
    if path is not None:
        name, source = name or Path(path).stem, File(path)
    options = RepairOptions(**repair)
    read = source()
    if units:
        read.metadata["unit"] = parse_unit(units)
    try:
        solid = solidify(read, name, options)
    except ImportError as error:
        raise ShapeError(
            f"shape {name}: its repair needs {error.name}: {how_to_install('shapes')}"
        ) from error
    return Shape(
        name=name,
        surface=solid.surface,
        to_domain=replace(solid.to_domain, unit=read.metadata.get("unit")),
        original=solid.original,
        repair=solid.report,
        sha256=sha256_of_mesh(read),
        up=up,
        azimuth=azimuth,
        licence=licence,
        credit=credit,
    )


def sha256_of_file(path: str) -> str:
    """Compute the SHA-256 of what is read from a file, a mesh or points.

    Raises:
        ShapeError: it cannot be read.
    """
    file = as_named(path)
    return sha256_of_points(read_points(file)) if holds_points(file) else sha256_of_mesh(File(path)())
