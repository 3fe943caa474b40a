"""Homology by other means: cells enumerated in integers, a nerve in place of subcomplexes, dense ranks.

{f < c} is covered by its parts in the cells, which are convex, as are their intersections, parts of common
faces. So it has the homotopy type of the nerve of the cover, and, by Dowker's duality, that of the
simplicial complex on the vertices below c in which those of one cell span a simplex.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, pairwise

from creased import Domain, Program
from creased.tropical import cells

Simplex = tuple[int, ...]


def filtered_nerve(program: Program, domain: Domain) -> dict[Simplex, Fraction]:
    """Simplices of up to D + 2 vertices, and the largest value of f at these."""
    number: dict[tuple[Fraction, ...], int] = {}
    values: list[Fraction] = []
    simplices: dict[Simplex, Fraction] = {}
    for cell in cells(program, domain):
        *slopes, constant = cell.outputs.fractions()[0]
        corners = []
        for *ray, scale in cell.cone.rays:
            point = tuple(Fraction(int(x), int(scale)) for x in ray)
            if point not in number:
                number[point] = len(number)
                values.append(sum(a * x for a, x in zip(slopes, point, strict=True)) + constant)
            corners.append(number[point])
        for size in range(1, program.in_dim + 3):
            for simplex in combinations(sorted(corners), size):
                simplices[simplex] = max(values[v] for v in simplex)
    return simplices


def betti_numbers_of(simplices: set[Simplex], dim: int) -> tuple[int, ...]:
    """Betti numbers 0 to D over the rationals, from dense boundary matrices."""
    by_size = [sorted(s for s in simplices if len(s) == size) for size in range(1, dim + 3)]
    ranks = [0, *(_rank(below, above) for below, above in pairwise(by_size))]
    return tuple(len(by_size[k]) - ranks[k] - ranks[k + 1] for k in range(dim + 1))


def _rank(below: list[Simplex], above: list[Simplex]) -> int:
    """Rank of a boundary matrix by elimination in rationals."""
    row = {simplex: i for i, simplex in enumerate(below)}
    pivots: dict[int, dict[int, Fraction]] = {}
    for simplex in above:
        column = {row[simplex[:i] + simplex[i + 1 :]]: Fraction((-1) ** i) for i in range(len(simplex))}
        while column and (lead := max(column)) in pivots:
            factor = column[lead]
            for r, value in pivots[lead].items():
                column[r] = column.get(r, Fraction(0)) - factor * value
            column = {r: value for r, value in column.items() if value}
        if column:
            scale = column[max(column)]
            pivots[max(column)] = {r: value / scale for r, value in column.items()}
    return len(pivots)
