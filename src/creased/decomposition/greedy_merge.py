"""Merge convex bodies into few, the best pair of neighbours first.

Pairs wait in a queue by what a rule puts first, and are looked at when it is their turn: most are gone by
then, as one of the two has been merged with another.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, Protocol


class Body(NamedTuple):
    """A convex body made of cells."""

    vertices: frozenset[int]  # extreme ones
    volume: float
    error: float = 0.0  # bound on the distance of its points from the solid
    planes: Any = None  # (n, D + 1) float64: facets, <= 0 inside, of unit normals; None where not needed
    pieces: frozenset[int] = frozenset()  # that it holds, where that is needed


@dataclass(frozen=True)
class Bodies:
    """Bodies by number, and what is between neighbours."""

    of: dict[int, Body]
    around: dict[int, dict[int, int]]  # of each body, by neighbour: a facet between them, the highest ranked
    ranks: Sequence[int]  # of facets

    def replace(self, first: int, second: int, number: int, body: Body) -> None:
        """Put a body in the place of two."""
        del self.of[first], self.of[second]
        self.of[number], mine = body, self.around.setdefault(number, {})
        for old in (first, second):
            for neighbour, facet in self.around.pop(old).items():
                if neighbour in self.of:
                    del self.around[neighbour][old]
                    if neighbour not in mine or self.ranks[facet] > self.ranks[mine[neighbour]]:
                        mine[neighbour] = self.around[neighbour][number] = facet


class Rule(Protocol):
    """Which bodies may be merged, and in what order."""

    def priority(self, first: Body, second: Body, facet: int) -> tuple[float, ...]:
        """Rank a pair; the least is looked at first."""

    def union(self, first: Body, second: Body, facet: int) -> Body | None:
        """Merge a pair; None where that is not allowed."""


def merge_greedily(bodies: Bodies, rule: Rule) -> None:
    """Merge bodies in place until the rule allows no pair of neighbours."""
    of, around = bodies.of, bodies.around

    def entry(first: int, second: int) -> tuple[tuple[float, ...], int, int]:
        return rule.priority(of[first], of[second], around[first][second]), first, second

    queue = [entry(first, second) for first in of for second in around[first] if first < second]
    heapq.heapify(queue)
    numbers = count(max(of, default=0) + 1)
    while queue:
        _, first, second = heapq.heappop(queue)
        if first not in of or second not in of:
            continue
        merged = rule.union(of[first], of[second], around[first][second])
        if merged is not None:
            number = next(numbers)
            bodies.replace(first, second, number, merged)
            for neighbour in around[number]:
                heapq.heappush(queue, entry(neighbour, number))
