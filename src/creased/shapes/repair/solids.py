"""Arrange closed parts to one solid: which are cavities, which face the wrong way, and the union of the rest.

A part is a cavity if it faces inward and all of it lies inside the solid of the others, by winding number;
other cavities that it meets do not count, and neither do points on another surface. Others that face inward
are reversed, and with an outermost one what is inside it. Solids that overlap or touch are united by
manifold3d, so that no wall is left inside, and so are cavities; one inside another vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from creased.meshes.queries import TriangleIndex
from creased.shapes.repair.contact import press_together
from creased.shapes.repair.edges import label_components
from creased.shapes.repair.parts import Part, draw_points, join_parts, near_parts, split_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_NEAR = 200_000  # pairs of solids whose boxes meet: with more a union takes minutes and is left
ROUNDING = 1e-6  # of the size: as near as this to a surface is on it; the index is in single precision
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

    @property
    def has_union(self) -> bool:
        """True if surface may have vanished in a union."""
        return self.n_united > 0


def arrange(parts: list[Part], touching: float) -> Arranged:
    """Arrange closed parts, at least one, in units of the size; those as near as ``touching`` touch."""
    roles = _find_roles(parts, touching)
    faced, is_cavity = roles.faced, roles.is_cavity
    n_reversed = sum(part.volume * new.volume < 0 for part, new in zip(parts, faced, strict=True))
    found = Arranged([], faced.copy(), n_reversed=n_reversed, n_cavities=int(is_cavity.sum()))
    solids = np.flatnonzero(~is_cavity)
    for cluster in _clusters([faced[i] for i in solids], touching):
        members = solids[cluster]
        for i, pressed in zip(members, press_together([faced[i] for i in members], touching), strict=True):
            faced[i] = pressed
        hollow = []
        for i in members:
            own = np.flatnonzero(is_cavity & (roles.home == i))
            found, rooms = _unite_cavities(found, [faced[k] for k in own], touching)
            hollow.append([faced[i], *rooms])
        if len(members) == 1 and not (roles.is_at_home & (roles.home == members[0])).any():
            found = replace(found, parts=[*found.parts, *hollow[0]])
        else:
            found = _add_cluster(found, hollow, int(roles.is_inside[members].sum()))
    return found


class _Roles(NamedTuple):
    """Parts turned the right way."""

    faced: list[Part]
    is_cavity: NDArray[np.bool_]  # (n,)
    is_inside: NDArray[np.bool_]  # (n,) solids inside others
    home: NDArray[np.int64]  # (n,) the solid around each
    is_at_home: NDArray[np.bool_]  # (n,) cavities that touch the surface of it


def _find_roles(parts: list[Part], touching: float) -> _Roles:
    """Turn parts the right way, and find which are cavities of which."""
    outward = [part if part.volume > 0 else part.reversed() for part in parts]
    sizes = np.array([part.volume for part in outward])
    signs = np.array([1 if part.volume > 0 else -1 for part in parts])
    looked_up = _look_up(outward, touching)
    around = [
        [place.other for place in found if place.is_inside and sizes[place.other] > sizes[i]]
        for i, found in enumerate(looked_up)
    ]
    root = np.array([max(found, key=lambda j: sizes[j]) if found else i for i, found in enumerate(around)])
    signs = signs * signs[root]
    is_cavity, is_inside = np.zeros(len(parts), dtype=bool), np.zeros(len(parts), dtype=bool)
    for i in np.argsort(-sizes, kind="stable"):
        is_within = _is_within(looked_up[i], signs, signs[i])
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
    at_home = [
        any(place.other == j and place.on.any() for place in found)
        for j, found in zip(home, looked_up, strict=True)
    ]
    return _Roles(faced, is_cavity, is_inside, home, is_cavity & np.array(at_home))


class _Place(NamedTuple):
    """Where points of a part are beside another."""

    other: int
    inside: NDArray[np.bool_]  # (n,)
    on: NDArray[np.bool_]  # (n,) on its surface, within the tolerance: not counted where others are left

    @property
    def is_inside(self) -> bool:
        """True if all of the part is inside."""
        return bool(self.inside[_counted(self.on)].all())


def _counted(on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.ones_like(on) if on.all() else ~on


def _is_within(found: list[_Place], signs: NDArray[np.int64], sign: int) -> bool:
    """Decide whether all of a part lies in the solid of others; cavities that a cavity meets do not count."""
    counted = [place for place in found if sign > 0 or signs[place.other] > 0 or place.is_inside]
    if not counted:
        return False
    winding = np.stack([signs[place.other] * place.inside for place in counted]).sum(axis=0)
    on = np.logical_or.reduce([place.on for place in counted])
    return bool((winding[_counted(on)] > 0).all())


def _look_up(parts: list[Part], touching: float) -> list[list[_Place]]:
    """Look up for each part, beside the others near it, where its points are."""
    found: list[list[_Place]] = [[] for _ in parts]
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
        index, asked = TriangleIndex(part.vertices, part.triangles), [points[i] for i in chosen]
        inside, on = (
            index.contains(np.concatenate(asked)),
            _is_on(part, index, np.concatenate(asked), touching),
        )
        ends = np.cumsum([len(of_part) for of_part in asked])[:-1]
        for i, *of_part in zip(chosen, np.split(inside, ends), np.split(on, ends), strict=True):
            found[i].append(_Place(j, *of_part))
    return found


def _is_on(
    part: Part, index: TriangleIndex, points: NDArray[np.float64], touching: float
) -> NDArray[np.bool_]:
    """Decide which points (n, 3) are on the surface of a part."""
    width = max(touching, ROUNDING)
    low, high = part.bounds + width * np.array([[-1], [1]])
    on = ((points >= low) & (points <= high)).all(axis=1)
    on[on] = index.nearest(points[on]).distance < width
    return on


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


def _unite_cavities(found: Arranged, cavities: list[Part], touching: float) -> tuple[Arranged, list[Part]]:
    """Unite the cavities of a solid where they meet; also count these."""
    if len(cavities) < 2:
        return found, cavities
    outward = [part.reversed() for part in cavities]
    rooms = Arranged([], outward, n_united=found.n_united, n_not_united=found.n_not_united)
    for cluster in _clusters(outward, touching):
        pressed = press_together([outward[i] for i in cluster], touching)
        rooms = _add_cluster(rooms, [[part] for part in pressed], 0)
    counted = replace(found, n_united=rooms.n_united, n_not_united=rooms.n_not_united)
    return counted, [part.reversed() for part in rooms.parts]


def _add_cluster(found: Arranged, hollow: list[list[Part]], n_inside: int) -> Arranged:
    """Add solids with their cavities, united where they meet, and open where a cavity meets its solid."""
    flat = [part for parts in hollow for part in parts]
    if len(flat) == 1:
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
        n_united=found.n_united + max(len(hollow), 2),
        n_inside=found.n_inside + n_inside,
    )


def _unite(hollow: list[list[Part]]) -> list[Part] | None:
    """Compute the union of solids with their cavities; None if they are too many, or one is refused."""
    from manifold3d import Error, Manifold, OpType

    near, _ = near_parts([parts[0] for parts in hollow], 0.0)
    if sum(map(len, near)) > MOST_NEAR:
        return None

    each = [
        _manifold([solid]) - _manifold([part.reversed() for part in rooms]) if rooms else _manifold([solid])
        for solid, *rooms in hollow
    ]
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
