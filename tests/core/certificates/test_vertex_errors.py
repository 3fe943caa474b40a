"""Bounds on the errors of vertices, against their exact places."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from creased import Box, GridMLP, LevelSet, Program, extract_level_set, lower
from creased.core.arrangement.skeleton import Skeleton
from creased.core.certificates.proven_signs import exact_rows_of
from creased.core.certificates.vertex_errors import sign_in_a_corner, vertex_errors
from creased.core.grids.unweld import Unwelded
from creased.core.program.combine import minus_level
from tests.strategies import random_program


def true_errors(found: LevelSet, program: Program) -> torch.Tensor:
    """Largest distance (V,) in a coordinate from the exact place, which is found in rationals."""
    layout, zero_ids, words = found.layout, found.zero_ids, found.words
    if program.grid is not None:
        skeleton = Skeleton(found.vertices, zero_ids, words, found.edges, found.edge_zero_ids)
        cells = Unwelded(skeleton, program.grid, found.domain, layout)
        layout, (words, zero_ids) = cells.layout, cells.codes
    exact, errors = exact_rows_of(minus_level(program, found.level), found.domain, layout), []
    for zeros, signs, point in zip(zero_ids.tolist(), words.tolist(), found.vertices.tolist(), strict=True):
        *place, w = exact.vertex(zeros, signs, point)
        errors.append(
            max(abs(Fraction(int(a), int(w)) - Fraction(b)) for a, b in zip(place, point, strict=True))
        )
    return found.vertices.new_tensor([float(error) for error in errors])


def small_grid() -> Program:
    torch.manual_seed(1)
    network = GridMLP(in_dim=3, levels=(2, 4), features=2, width=6, depth=1).double()
    with torch.no_grad():
        for table in network.grid.tables:
            table.normal_()
    return lower(network).detach()


@pytest.mark.parametrize("closely", [False, True])
@pytest.mark.parametrize("kind", ["2D", "3D", "grid"])
def test_bounds_hold_and_are_small(kind: str, closely: bool) -> None:
    program = small_grid() if kind == "grid" else random_program(int(kind[0]), (10, 10), seed=2)
    box = None if kind == "grid" else Box.cube(program.in_dim, 1)
    level = float(program.outputs_at(torch.full((1, program.in_dim), 0.1, dtype=torch.float64)))
    found = extract_level_set(program, box, level=level)
    assert len(found.vertices) > 9
    moved = torch.where(torch.arange(len(found.vertices)) % 2 == 0, 0.0, 1e-9)[:, None]  # seen, too
    found = replace(found, vertices=found.vertices + moved)
    true, bounds = true_errors(found, program), vertex_errors(found, program, closely=closely)
    assert (true <= bounds).all()
    assert float(true.max()) >= 0.9e-9
    assert float(bounds.median()) < 1e-6


@pytest.mark.parametrize("shift", [5.0, -5.0])
def test_the_sign_in_a_corner(shift: float) -> None:
    program, box = random_program(2, (6,), seed=0), Box.cube(2, 0.01)
    found = extract_level_set(program, box, level=shift)
    assert found.is_empty
    assert sign_in_a_corner(found, program) == (-1 if shift > 0 else 1)


def test_a_value_within_rounding_has_no_sign() -> None:
    program, box = random_program(2, (6,), seed=0), Box((0.0, 0.0), (1e-300, 1e-300))
    level = float(program.outputs_at(torch.zeros((1, 2), dtype=torch.float64)))
    assert sign_in_a_corner(extract_level_set(program, box, level=level), program) == 0
