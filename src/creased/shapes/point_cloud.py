"""A training shape made of points with normals: no mesh is made of them, before training or after.

Labels are zero at the points, grow along their normals, and have slope 1 elsewhere, as Gropp et al. 2020 ask
by terms of the loss. Points are smoothed first as far as their own noise asks for; results are measured
against the points as they were read.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.core.domains.box import Box
from creased.io.similarity import Similarity
from creased.io.units import format_length, parse_unit
from creased.meshes.point_index import NEIGHBOURS, PointIndex
from creased.shapes.comparison import Distances
from creased.shapes.metrics import surface_errors
from creased.shapes.smoothing import smooth
from creased.shapes.sources.mesh_file import ShapeError
from creased.shapes.sources.point_file import Points, estimate_normals, read_points
from creased.shapes.surface import Surface, draw_by_weight
from creased.shapes.target import Function, Measured, Sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

ESTIMATE = "estimate"
CLOSED = 0.1  # of the area: the sum of the area vectors of points around a solid is smaller


@dataclass(frozen=True)
class PointCloud:
    """Points with normals in [-0.45, 0.45]^3."""

    name: str
    index: PointIndex  # of the smoothed points, in the domain's coordinates
    read: NDArray[np.float64]  # (n, 3) the points as they were read, likewise
    normals: NDArray[np.float64]  # (n, 3) theirs, outward
    to_domain: Similarity  # from the user's coordinates
    noise: float  # root mean square of the distances that smoothing moved points by, in the user's units
    sha256: str  # of what was read
    licence: str = ""
    credit: str = ""
    surface: None = None  # there is none

    def sample_surface(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw n of the smoothed points, by the area that each has to itself."""
        return self.index.points[draw_by_weight(self.index.areas, n, rng)]

    def sample_edges(self, n: int, width: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return no points (0, 3): where points have sharp edges is not known."""
        return np.zeros((0, 3))

    def signed_distance(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Compute distances (n,) of points (n, 3), negative inside."""
        return self.index.signed_distance(np.asarray(points, dtype=np.float64)).astype(np.float32)

    def measure_thinness(self, n_cells: int, cell: float, rng: np.random.Generator) -> None:
        """Return None: points have no walls to measure."""

    def measure(
        self, function: Function, mesh: Surface | None, domain: Box, sizes: Sizes, rng: np.random.Generator
    ) -> Measured:
        """Measure |f| at the points as read, and distances between these and the mesh, both ways.

        There is no intersection over union, as there is no solid, and no topology to compare.
        """
        chosen = np.arange(len(self.read))
        if len(chosen) > sizes.mesh:
            chosen = rng.choice(chosen, sizes.mesh, replace=False)
        points = self.read[chosen]
        metrics: dict[str, Any] = surface_errors(function, points)
        metrics["points"] = {"n": len(self.read), "n_measured": len(points), "noise": self.noise}
        if mesh is None:
            return Measured(metrics, None)
        found = mesh.index.nearest(points)
        drawn, _ = mesh.sample(sizes.mesh, rng)
        none, unit = np.zeros(0), 1 / self.to_domain.scale
        cosines = (mesh.normals(found.triangle) * self.normals[chosen]).sum(axis=1)
        metrics["normal_agreement"] = float(cosines.mean())
        for name, distances in (
            ("points_to_mesh", found.distance),
            ("mesh_to_points", PointIndex(self.read, self.normals).nearest(drawn)),
        ):
            summary = Distances.of_points(distances, none)
            metrics[name] = asdict(summary)
            metrics["points"][name] = asdict(summary.times(unit))
        return Measured(metrics, None)


def load_cloud(path: Path, normals: str | None = None, units: str | None = None) -> PointCloud:
    """Read points, orient and smooth them, and scale them into the domain.

    Args:
        path: of a file of points; see `creased.shapes.sources.point_file`.
        normals: None: those of the file; "estimate": by open3d.
        units: of the coordinates; None: not known.

    Raises:
        UnitError: there is no such unit.
        ShapeError: the file cannot be read, has too few points, or no normals.
    """
    name, unit = path.stem, parse_unit(units) if units else None
    if normals not in (None, ESTIMATE):
        raise ShapeError(f"shape.normals takes null or {ESTIMATE}, got {normals}")
    read = read_points(path)
    if len(read.points) <= NEIGHBOURS:
        raise ShapeError(f"{path} has {len(read.points)} points: too few for a surface")
    if read.normals is None and normals is None:
        raise ShapeError(
            f"{path} is a point cloud without normals: give them (nx ny nz in PLY, columns "
            f"of length 1 in XYZ), or have them estimated with shape.normals={ESTIMATE}"
        )
    if not np.ptp(read.points, axis=0).any():
        raise ShapeError(f"{path}: all points are in one place")
    to_domain = Similarity.of_bounds(read.points.min(axis=0), read.points.max(axis=0), unit)
    points = to_domain.apply(read.points)
    vectors = read.normals if normals is None else estimate_normals(points)
    assert vectors is not None
    index = _face_outward(PointIndex(points, vectors), name, is_known=normals is None)
    smoothed = smooth(index, np.random.default_rng(0))
    noise = smoothed.noise / to_domain.scale
    how = f"smoothed by {format_length(noise, unit, 2)}" if noise else "not smoothed"
    log.info("shape %s: %s points with normals, %s", name, f"{len(points):,}", how)
    return PointCloud(
        name=name,
        index=smoothed.points,
        read=points,
        normals=index.normals,
        to_domain=to_domain,
        noise=noise,
        sha256=sha256_of_points(read),
    )


def sha256_of_points(read: Points) -> str:
    """Compute the SHA-256 of points and, if there are, normals (n, 3), in float64, little-endian."""
    rows = [read.points] if read.normals is None else [read.points, read.normals]
    return hashlib.sha256(np.ascontiguousarray(np.stack(rows), dtype="<f8").tobytes()).hexdigest()


def _face_outward(index: PointIndex, name: str, *, is_known: bool) -> PointIndex:
    """Reverse normals that point into a solid; those given of an open surface are taken as they are."""
    vectors = index.areas[:, None] * index.normals
    openness = np.linalg.norm(vectors.sum(axis=0)) / index.areas.sum()
    volume = float((vectors * (index.points - index.points.mean(axis=0))).sum()) / 3
    if openness > CLOSED:
        log.warning(
            "shape %s: the points do not close, or their normals face both ways (%.2g of their area faces "
            "one way): beyond their rim the surface goes where their winding number is one half",
            name,
            openness,
        )
    if volume >= 0 or (is_known and openness > CLOSED):
        return index
    if is_known:
        log.warning("shape %s: the normals point inward, and were reversed", name)
    return PointIndex(index.points, -index.normals)
