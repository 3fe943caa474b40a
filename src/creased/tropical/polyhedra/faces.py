"""Faces of polyhedral complexes in integers: shared facets, and numbers of faces by dimension.

A face is known by its extreme rays, reduced modulo the lines that all cells of a complex have in common, so
that a face of two cells is the same set in both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import torch

from creased.core.exact.elimination import Vector, rank, rref
from creased.core.numerics.pointer_doubling import label_components
from creased.tropical.polyhedra.cones import Cone

Face = frozenset[Vector]


def facets(cone: Cone) -> Iterator[Face]:
    """Enumerate the facets of a polyhedron, without the one at infinity."""
    rays = canonical_rays(cone)
    for mask in _tight_sets(cone):
        face = [ray for i, ray in enumerate(rays) if mask >> i & 1]
        is_finite = any(ray[-1] for ray in face)
        if is_finite and rank([*face, *cone.lines]) == cone.dim - 1:
            yield frozenset(face)


def canonical_rays(cone: Cone) -> list[Vector]:
    """Reduce the rays modulo the lines."""
    if not cone.lines:
        return list(cone.rays)
    lines = rref(cone.lines)
    return [lines.reduce(ray) for ray in cone.rays]


def connected_parts(cones: Sequence[Cone]) -> int:
    """Count the components of polyhedra that are joined where two share a facet."""
    if len(cones) < 2:
        return len(cones)
    owner: dict[Face, int] = {}
    pairs = []
    for index, cone in enumerate(cones):
        for facet in facets(cone):
            other = owner.setdefault(facet, index)
            if other != index:
                pairs.append((other, index))
    joined = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
    return len(set(label_components(len(cones), joined).tolist()))


def count_faces(cones: Iterable[Cone]) -> tuple[int, ...]:
    """Compute the f-vector of a complex given by its cells: relatively open faces of dimension 0, 1, ..., D.

    Faces at infinity are not counted. A complex without vertices has zeros in front.
    """
    seen: dict[Face, int] = {}
    dim = 0
    for cone in cones:
        dim = cone.dim - 1
        rays = canonical_rays(cone)
        for mask in closed_sets(cone):
            face = frozenset(ray for i, ray in enumerate(rays) if mask >> i & 1)
            if face not in seen and any(ray[-1] for ray in face):
                seen[face] = rank([*face, *cone.lines]) - 1
    counts = Counter(seen.values())
    return tuple(counts[k] for k in range(dim + 1))


def _tight_sets(cone: Cone) -> set[int]:
    """Return the sets of rays on which each inequality is tight, as bits."""
    sets: dict[int, int] = {}
    for index, tight in enumerate(cone.tight):
        while tight:
            bit = tight & -tight
            sets[bit] = sets.get(bit, 0) | 1 << index
            tight ^= bit
    return set(sets.values())


def closed_sets(cone: Cone) -> set[int]:
    """Return the sets of rays, as bits, that span the faces: all intersections of facets, and all rays."""
    generators, everything = _tight_sets(cone), (1 << len(cone.rays)) - 1
    closed, fresh = {everything}, {everything}
    while fresh:
        fresh = {a & b for a in fresh for b in generators} - closed
        closed |= fresh
    return closed
