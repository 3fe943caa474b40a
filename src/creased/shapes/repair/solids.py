"""Arrange closed parts to one solid: which are cavities, which face the wrong way, and the union of the rest.

A part is a cavity if it faces inward and all of it lies inside the solid of the others, by winding number.
Others that face inward are reversed, and with an outermost one what is inside it. Solids that overlap or
touch are united by manifold3d, so that no wall is left inside; one inside another vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.meshes.queries import TriangleIndex
from creased.shapes.repair.contact import press_together
from creased.shapes.repair.edges import label_components
from creased.shapes.repair.parts import Part, draw_points, join_parts, near_parts, split_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_NEAR = 200_000  # pairs of solids whose boxes meet: with more a union takes minutes and is left
SAME = 1e-9  # relative: parts whose union has as much area and volume as they have do not meet


@dataclass(frozen=True)
class Arranged:
    """Parts of one solid, that do not meet unless they could not be united."""

    parts: list[Part]  # solids outward, cavities inward
    before: list[Part]  # the same before their union
    n_reversed: int = 0
    n_cavities: int = 0
    n_united: int = 0  # solids that met another
    n_inside: int = 0  # of these, solids all of which lay inside others
    n_not_united: int = 0  # solids that meet others: too many, or refused by manifold3d
    overlap: float = 0.0  # volume that the union counts once

    @property
    def has_union(self) -> bool:
        """True if surface may have vanished in a union."""
        return self.n_united > 0


def arrange(parts: list[Part], touching: float) -> Arranged:
    """Arrange closed parts, at least one, in units of the size; those as near as ``touching`` touch."""
    faced, is_cavity, is_inside, home = _find_roles(parts)
    n_reversed = sum(part.volume * new.volume < 0 for part, new in zip(parts, faced, strict=True))
    found = Arranged([], faced, n_reversed=n_reversed, n_cavities=int(is_cavity.sum()))
    solids = np.flatnonzero(~is_cavity)
    for cluster in _clusters([faced[i] for i in solids], touching):
        members = solids[cluster]
        for i, pressed in zip(members, press_together([faced[i] for i in members], touching), strict=True):
            faced[i] = pressed
        hollow = [[faced[i], *(faced[k] for k in np.flatnonzero(is_cavity & (home == i)))] for i in members]
        found = _add_cluster(found, hollow, int(is_inside[members].sum()))
    return found


def _find_roles(
    parts: list[Part],
) -> tuple[list[Part], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    """Turn parts the right way; mark cavities (n,) and solids inside others (n,); the solid around each."""
    outward = [part if part.volume > 0 else part.reversed() for part in parts]
    sizes = np.array([part.volume for part in outward])
    signs = np.array([1 if part.volume > 0 else -1 for part in parts])
    looked_up = _look_up(outward)
    around = [
        [j for j, inside in found if inside.all() and sizes[j] > sizes[i]]
        for i, found in enumerate(looked_up)
    ]
    root = np.array([max(found, key=lambda j: sizes[j]) if found else i for i, found in enumerate(around)])
    signs = signs * signs[root]
    is_cavity, is_inside = np.zeros(len(parts), dtype=bool), np.zeros(len(parts), dtype=bool)
    for i in np.argsort(-sizes, kind="stable"):
        winding = sum((signs[j] * inside.astype(int) for j, inside in looked_up[i]), np.zeros(1, dtype=int))
        is_within = bool((winding > 0).all())
        is_cavity[i], is_inside[i] = is_within and signs[i] < 0, is_within and signs[i] > 0
        signs[i] = -1 if is_cavity[i] else 1
    home = np.array(
        [
            min((j for j in found if not is_cavity[j]), key=lambda j: sizes[j], default=i)
            for i, found in enumerate(around)
        ]
    )
    is_cavity &= home != np.arange(len(parts))
    faced = [part.reversed() if is_in else part for part, is_in in zip(outward, is_cavity, strict=True)]
    return faced, is_cavity, is_inside, home


def _look_up(parts: list[Part]) -> list[list[tuple[int, NDArray[np.bool_]]]]:
    """For each part list the others near it, and which of its points (n,) are inside them."""
    found: list[list[tuple[int, NDArray[np.bool_]]]] = [[] for _ in parts]
    if len(parts) == 1:
        return found
    near, n = near_parts(parts, 0.0)
    rng = np.random.default_rng(0)
    points: dict[int, NDArray[np.float64]] = {}
    for j, (part, chosen) in enumerate(zip(parts, near, strict=True)):
        if not chosen:
            continue
        for i in chosen:
            if i not in points:
                points[i] = _points_of(parts[i], n, rng)
        inside = TriangleIndex(part.vertices, part.triangles).contains(
            np.concatenate([points[i] for i in chosen])
        )
        ends = np.cumsum([len(points[i]) for i in chosen])[:-1]
        for i, of_part in zip(chosen, np.split(inside, ends), strict=True):
            found[i].append((j, of_part))
    return found


def _points_of(part: Part, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw up to n vertices and n points of the surface."""
    vertices = part.vertices if len(part.vertices) <= n else rng.choice(part.vertices, n, replace=False)
    return np.concatenate([vertices, draw_points(part, n, rng)[0]])


def _clusters(solids: list[Part], touching: float) -> list[NDArray[np.int64]]:
    """Group solids whose bounding boxes touch."""
    near, _ = near_parts(solids, touching)
    links = [
        np.stack([np.full(len(others), i), np.array(others, dtype=int)], axis=1)
        for i, others in enumerate(near)
    ]
    labels = label_components(len(solids), np.concatenate(links))
    return [np.flatnonzero(labels == label) for label in range(int(labels.max()) + 1)]


def _add_cluster(found: Arranged, hollow: list[list[Part]], n_inside: int) -> Arranged:
    """Add solids with their cavities, united where they meet."""
    flat = [part for parts in hollow for part in parts]
    if len(hollow) == 1:
        return replace(found, parts=[*found.parts, *flat])
    united = _unite(hollow)
    if united is None:
        return replace(found, parts=[*found.parts, *flat], n_not_united=found.n_not_united + len(hollow))
    before, after = (np.array([[p.area, p.volume] for p in parts]).sum(axis=0) for parts in (flat, united))
    if (np.abs(before - after) <= SAME * before).all():
        return replace(found, parts=[*found.parts, *flat])
    return replace(
        found,
        parts=[*found.parts, *united],
        n_united=found.n_united + len(hollow),
        n_inside=found.n_inside + n_inside,
        overlap=found.overlap + float(before[1] - after[1]),
    )


def _unite(hollow: list[list[Part]]) -> list[Part] | None:
    """Compute the union of solids with their cavities; None if they are too many, or one is refused."""
    from manifold3d import Error, Manifold, OpType

    near, _ = near_parts([parts[0] for parts in hollow], 0.0)
    if sum(map(len, near)) > MOST_NEAR:
        return None

    each = [_manifold(parts) for parts in hollow]
    if any(solid.status() != Error.NoError for solid in each):
        return None
    united = Manifold.batch_boolean(each, OpType.Add)
    mesh = united.to_mesh64()
    if united.status() != Error.NoError or not len(mesh.tri_verts):
        return None
    return split_parts(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts).astype(np.int64))[
        0
    ]


def _manifold(parts: list[Part]) -> Any:
    from manifold3d import Manifold, Mesh64

    vertices, triangles = join_parts(parts)
    return Manifold(Mesh64(np.ascontiguousarray(vertices), np.ascontiguousarray(triangles, dtype=np.uint64)))
