"""Encoders of simplices in rationals: against interpolation by hand, in fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from creased.core.grids.exact_grid import ExactGrid
from creased.core.program.kuhn_grid import KuhnGrid
from creased.core.program.simplices import corners_of, n_paths


def _interpolated(grid: KuhnGrid, corner: list[int]) -> list[Fraction]:
    """The state at a vertex of the finest grid; tables are dense."""
    half = Fraction(grid.half_width)
    state = [(Fraction(2 * k, grid.finest) - 1) * half for k in corner]
    for n, table in zip(grid.levels, grid.tables, strict=True):
        places = [Fraction(k * n, grid.finest) for k in corner]
        base = [min(int(place), n - 1) for place in places]
        shares = [place - k for place, k in zip(places, base, strict=True)]
        order = sorted(range(grid.dim), key=lambda axis: -shares[axis])
        total = [Fraction(0)] * table.shape[1]
        at = list(base)
        for before, axis in zip([None, *order], [*order, None], strict=True):
            if before is not None:
                at[before] += 1
            weight = (1 if before is None else shares[before]) - (0 if axis is None else shares[axis])
            row = table[sum(k * (n + 1) ** i for i, k in enumerate(reversed(at)))].tolist()
            total = [t + weight * Fraction(x) for t, x in zip(total, row, strict=True)]
        state += total
    return state


@pytest.mark.parametrize(
    ("dim", "levels", "half_width"), [(2, (1, 3, 6), 0.7), (3, (3, 6), 1.5), (3, (1, 2, 4), 0.5)]
)
def test_encoders_interpolate_the_corners_exactly(
    dim: int, levels: tuple[int, ...], half_width: float
) -> None:
    generator = torch.Generator().manual_seed(dim)
    sizes = [((n + 1) ** dim, 2) for n in levels]
    tables = tuple(torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes)
    grid = KuhnGrid(dim, half_width, levels, tables)
    exact, n = ExactGrid(grid), n_paths(dim) * grid.finest**dim
    for simplex in range(0, n, 1 + n // 20):
        forms = exact.encoder(simplex)
        for corner in corners_of(torch.tensor([simplex]), dim, grid.finest)[0].tolist():
            expected = _interpolated(grid, corner)
            point = [*expected[:dim], Fraction(1)]
            values = [sum(a * x for a, x in zip(form, point, strict=True)) for form in forms]
            assert [value / values[-1] for value in values[:-1]] == expected
