"""A training shape: a closed mesh in the domain, and the similarity from the user's coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from creased.io.similarity import Similarity
from creased.io.units import parse_unit
from creased.meshes.queries import TriangleIndex
from creased.shapes.repair import make_watertight
from creased.shapes.sources import File, Source
from creased.shapes.surface import Surface

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from trimesh import Trimesh


@dataclass(frozen=True)
class Shape:
    """A closed mesh in [-0.45, 0.45]^3."""

    name: str
    mesh: Trimesh  # watertight, normals outward, in the domain's coordinates
    to_domain: Similarity  # from the user's coordinates
    up: str  # the axis that points up in pictures: x, y or z
    azimuth: float  # of the camera, in degrees from the front
    licence: str
    credit: str

    @cached_property
    def surface(self) -> Surface:
        """The surface of the mesh."""
        return Surface.of_triangles(self.mesh.vertices, self.mesh.faces)

    @property
    def index(self) -> TriangleIndex:
        """The index that answers signed distances and closest points; built on first use."""
        return self.surface.index

    def sample_surface(
        self, n: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Draw points (n, 3) uniformly on the surface; also their triangles (n,)."""
        return self.surface.sample(n, rng)


def load_shape(
    name: str,
    source: Source,
    path: str | None = None,
    repair: bool = True,
    up: str = "z",
    azimuth: float = -30.0,
    licence: str = "",
    credit: str = "",
    units: str | None = None,
) -> Shape:
    """Load, repair and normalise a mesh, as configured in `configs/shape/`.

    Args:
        name: of the shape, for messages and folders; that of the file if ``path`` is given.
        source: makes the mesh, unless ``path`` is given.
        path: the user's own mesh file, used in place of ``source``.
        repair: close holes with pymeshfix; if false, refuse meshes that have any.
        up: the axis that points up in pictures.
        azimuth: of the camera, in degrees from the front, towards the right.
        licence: of the mesh.
        credit: the authors of the mesh.
        units: of the mesh's coordinates: mm, cm, m, inch, foot or um; None: what the file states, if it does.

    Raises:
        UnitError: there is no such unit.
        ShapeError: there is no such mesh, it cannot be closed, or it encloses no volume.
    """
    if path is not None:
        name, source, licence, credit = Path(path).stem, File(path), "", ""
    unit = parse_unit(units) if units else None
    read = source()
    closed = make_watertight(read, name, repair=repair).copy()
    lower, upper = closed.bounds
    to_domain = Similarity.of_bounds(lower, upper, unit or read.metadata.get("unit"))
    closed.vertices = to_domain.apply(closed.vertices)
    return Shape(name, closed, to_domain, up, azimuth, licence, credit)
