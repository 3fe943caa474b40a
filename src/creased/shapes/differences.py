"""Say where a mesh is not its shape: other topology, or surface that is lost or invented.

A mesh within the tolerance of its shape, and of the same topology, has no differences; its mean error may
still be anything below.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from creased.io.units import with_unit
from creased.shapes.comparison import Comparison, Facts

SPECKS = 0.001  # of the area of a surface: more components than it should have are specks up to this share


class Kind(Enum):
    """How a mesh differs from its shape."""

    SPECKS = "small components that the shape does not have"
    COMPONENTS = "another number of components"
    TUNNELS = "tunnels that the shape does not have, or has closed"
    OPEN = "a boundary that the shape does not have"
    DISTANCE = "surface of one that is farther than the tolerance from the other"


@dataclass(frozen=True)
class Difference:
    """One difference, with its sentence."""

    kind: Kind
    words: str

    def __str__(self) -> str:
        """Return the sentence."""
        return self.words


def find_differences(found: Comparison) -> list[Difference]:
    """List how a mesh differs from its reference, topology first; nothing where it does not."""
    mesh, shape = found.mesh, found.reference
    differences = []
    if mesh.n_components != shape.n_components:
        differences.append(_components(mesh, shape))
    if shape.is_closed and not mesh.is_closed:
        differences.append(Difference(Kind.OPEN, "open where the shape is closed"))
    if shape.is_closed and mesh.is_closed and _n_tunnels(mesh) != _n_tunnels(shape):
        differences.append(_tunnels(mesh, shape))
    if found.hausdorff > found.tolerance:
        differences.append(_distance(found))
    return differences


def _components(mesh: Facts, shape: Facts) -> Difference:
    words = f"{_count(mesh.n_components, 'component')} where the shape has {shape.n_components}"
    smallest = mesh.component_areas[shape.n_components :]
    share = sum(smallest) / mesh.area
    if 0 < share <= SPECKS:
        specks = f"{_count(len(smallest), 'speck')}, {100 * share:.2g} % of the area"
        return Difference(Kind.SPECKS, f"{words} ({specks})")
    return Difference(Kind.COMPONENTS, words)


def _n_tunnels(facts: Facts) -> int:
    """Compute the sum of the genera of the components of a closed surface."""
    return facts.n_components - facts.euler_characteristic // 2


def _tunnels(mesh: Facts, shape: Facts) -> Difference:
    n = _n_tunnels(mesh) - _n_tunnels(shape)
    euler = f"Euler characteristic {mesh.euler_characteristic} where the shape has "
    what = f"{_count(abs(n), 'tunnel')} {'too many' if n > 0 else 'closed'}"
    return Difference(Kind.TUNNELS, f"{euler}{shape.euler_characteristic} ({what})")


def _distance(found: Comparison) -> Difference:
    """Say how far the shape is from the mesh, or the mesh from the shape, whichever is more telling."""
    lost, invented = found.from_reference.max, found.to_reference.max
    start, end = ("the shape", "the mesh") if lost >= invented else ("the mesh", "the shape")
    share = 100 * found.hausdorff / found.longest_side
    far = with_unit(f"{found.hausdorff:.3g}", found.unit_name)
    words = f"{start} is up to {far} from {end}, {share:.2g} % of its longest side"
    return Difference(Kind.DISTANCE, words)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
