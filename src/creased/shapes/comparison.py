"""Compare two surfaces: distances both ways, topology, size, and what one has lost or invented.

Distances are from points of one surface to the other *surface*, not to a sample of it: between two samples of
100,000 points the Chamfer distance has a floor of about 0.002 from sampling alone. Means and percentiles are
over points drawn uniformly; maxima are over vertices too, and lower bounds of the Hausdorff distances.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from creased.io.similarity import Similarity
from creased.io.units import with_unit
from creased.meshes.polygon_mesh import PolygonMesh
from creased.shapes.surface import Surface

if TYPE_CHECKING:
    from numpy.typing import NDArray

N = 50_000  # points on either surface
FAR = (
    0.01  # of the longest side of the reference: surface farther than this from the other is lost or invented
)


@dataclass(frozen=True)
class Distances:
    """Distances of the points of one surface from another."""

    mean: float
    rms: float
    p99: float  # exceeded by one point in a hundred
    max: float

    @staticmethod
    def of_points(drawn: NDArray[Any], others: NDArray[Any]) -> Distances:
        """Summarise distances (n,) of points drawn uniformly; further points (m,) count in the maximum."""
        drawn = drawn.astype(np.float64)
        largest = float(max(drawn.max(), others.max(initial=0)))
        rms = float(np.sqrt(np.square(drawn).mean()))
        return Distances(float(drawn.mean()), rms, float(np.quantile(drawn, 0.99)), largest)

    def times(self, unit: float) -> Distances:
        """Return the distances in another unit of length."""
        return Distances(**{name: length * unit for name, length in asdict(self).items()})


@dataclass(frozen=True)
class Facts:
    """Topology and size of one surface."""

    n_components: int
    euler_characteristic: int
    is_closed: bool
    extent: tuple[float, float, float]  # sides of the bounding box
    area: float
    volume: float | None  # None if the surface is not closed
    component_areas: tuple[float, ...]  # largest first

    @staticmethod
    def of_surface(surface: Surface, unit: float) -> Facts:
        """Measure a surface whose coordinates are in multiples of ``unit``."""
        audit, x, y, z = surface.audit, *(float(side) * unit for side in np.ptp(surface.vertices, axis=0))
        areas = np.linalg.norm(surface.area_vectors, axis=1) * unit**2
        by_component = np.bincount(surface.components[surface.triangles[:, 0]], areas)
        return Facts(
            n_components=audit.n_components,
            euler_characteristic=audit.euler_characteristic,
            is_closed=audit.is_closed,
            extent=(x, y, z),
            area=float(areas.sum()),
            volume=None if audit.volume is None else audit.volume * unit**3,
            component_areas=tuple(sorted(map(float, by_component), reverse=True)),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, without the areas of components."""
        plain = asdict(self) | {"extent": list(self.extent)}
        return {name: value for name, value in plain.items() if name != "component_areas"}


class Missed(NamedTuple):
    """The part of a surface that is farther than the tolerance from another."""

    share: float  # of its area
    n_components: int  # those of which more than half is


@dataclass(frozen=True)
class Comparison:
    """A surface beside its reference; lengths in the user's unit."""

    name: str  # of the reference
    n_points: int  # drawn on either surface
    unit: float  # the user's length of one unit of the domain
    tolerance: float  # surface farther than this from the other is lost or invented
    mesh: Facts
    reference: Facts
    to_reference: Distances  # from points of the mesh
    from_reference: Distances  # to the mesh
    invented: Missed  # of the mesh, far from the reference
    lost: Missed  # of the reference, far from the mesh
    normal_consistency: float  # mean absolute cosine between the normals at a point and at its nearest point
    unit_name: str | None = None  # of the lengths, one of `creased.io.units.UNITS`; None: not known

    @property
    def longest_side(self) -> float:
        """The longest side of the reference's bounding box."""
        return max(self.reference.extent)

    @property
    def chamfer(self) -> float:
        """Mean of the two directed mean distances."""
        return (self.to_reference.mean + self.from_reference.mean) / 2

    @property
    def hausdorff(self) -> float:
        """Largest distance found, either way."""
        return max(self.to_reference.max, self.from_reference.max)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for a JSON file."""
        own = asdict(self) | {"mesh": self.mesh.as_dict(), "reference": self.reference.as_dict()}
        return own | {"invented": self.invented._asdict(), "lost": self.lost._asdict()}

    def __str__(self) -> str:
        """Describe the distances in a sentence."""
        ways = (("to", self.to_reference), ("from", self.from_reference))
        distances = [
            f"{word} it "
            + with_unit(", ".join(f"{k} {length:.3g}" for k, length in asdict(way).items()), self.unit_name)
            for word, way in ways
        ]
        return (
            f"against {self.name} (longest side {with_unit(f'{self.longest_side:.4g}', self.unit_name)}): "
            f"{'; '.join(distances)}; normals agree to {self.normal_consistency:.4f}"
        )


def compare(
    mesh: Surface,
    reference: Surface,
    name: str,
    unit: float,
    rng: np.random.Generator,
    n: int = N,
    within: float | None = None,
) -> Comparison:
    """Compare a surface with its reference.

    Args:
        mesh: in the coordinates of the reference.
        reference: of the order of 1 in size, as distances are computed in single precision.
        name: of the reference.
        unit: the user's length of one unit of these coordinates.
        rng: random number generator.
        n: points drawn on either surface; of as many vertices the distances are computed, too.
        within: the tolerance, a length of the user's; None: `FAR` of the longest side of the reference.
    """
    longest = float(np.ptp(reference.vertices, axis=0).max())
    tolerance = FAR * longest if within is None else within / unit
    there, here = _measure(reference, mesh, n, rng), _measure(mesh, reference, n, rng)
    return Comparison(
        name=name,
        n_points=n,
        unit=unit,
        tolerance=tolerance * unit,
        mesh=Facts.of_surface(mesh, unit),
        reference=Facts.of_surface(reference, unit),
        to_reference=Distances.of_points(here.of_points, here.of_vertices).times(unit),
        from_reference=Distances.of_points(there.of_points, there.of_vertices).times(unit),
        invented=_missed(here, tolerance),
        lost=_missed(there, tolerance),
        normal_consistency=(here.agreement + there.agreement) / 2,
    )


def compare_in_place(mesh: PolygonMesh, reference: PolygonMesh, name: str, n: int = N) -> Comparison:
    """Compare meshes in the user's coordinates, wherever and however large they are; see `compare`."""
    here, there, unit = place_together(mesh, reference)
    return compare(here, there, name, unit, np.random.default_rng(0), n)


def place_together(mesh: PolygonMesh, reference: PolygonMesh) -> tuple[Surface, Surface, float]:
    """Bring two meshes where the reference is in the domain; also the user's length of its unit.

    Raises:
        ValueError: the vertices of the reference are all in one point.
    """
    used = reference.vertices[reference.polygons.indices].numpy()
    to_domain = Similarity.of_bounds(used.min(axis=0), used.max(axis=0))
    here, there = (PolygonMesh(to_domain.apply(each.vertices), each.polygons) for each in (mesh, reference))
    return Surface.of_mesh(here), Surface.of_mesh(there), 1 / to_domain.scale


class OneWay(NamedTuple):
    """Distances of points of one surface, drawn uniformly, and of vertices, from another surface."""

    of_points: NDArray[np.float32]  # (n,)
    of_vertices: NDArray[np.float32]  # (m,)
    components: NDArray[np.int64]  # (n + m,): of the points, then of the vertices
    agreement: float  # mean absolute cosine of normals


def _measure(start: Surface, end: Surface, n: int, rng: np.random.Generator) -> OneWay:
    points, triangles = start.sample(n, rng)
    vertices = start.choose_vertices(n, rng)
    found = end.index.nearest(np.concatenate([points, start.vertices[vertices]]))
    n = len(points)  # fewer than asked for, if some of the surface is not to be drawn
    cosines = (start.normals(triangles) * end.normals(found.triangle[:n])).sum(axis=1)
    return OneWay(
        found.distance[:n],
        found.distance[n:],
        start.components[np.concatenate([start.triangles[triangles, 0], vertices])],
        float(np.abs(cosines).mean()),
    )


def _missed(way: OneWay, tolerance: float) -> Missed:
    is_far = np.concatenate([way.of_points, way.of_vertices]) > tolerance
    n_far, n_all = np.bincount(way.components, is_far), np.bincount(way.components)
    return Missed(float((way.of_points > tolerance).mean()), int((n_far > n_all / 2).sum()))
