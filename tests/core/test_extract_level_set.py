"""What was marched has its signs proven, and what coincides contracted, as if it had been subdivided."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given

from creased import Affine, Box, LevelSet, Program, certify, extract_level_set
from creased.core import extract_level_set as doors
from creased.core.degeneracy import DegenerateError
from creased.core.drivers import march_over
from creased.core.provenance import Finding, Method
from tests.invariants import cell_codes, inner_points, vertex_codes
from tests.strategies import Case, assemble, ball_program, degenerate_cases, random_program


def ternary(seed: int) -> tuple[Program, Box]:
    """A network with halves for weights, and its domain."""
    generator = torch.Generator().manual_seed(seed)
    dim = 2 + seed % 2
    affines = [
        Affine(*(torch.randint(-2, 3, shape, generator=generator).double() / 2 for shape in ((b, a), (b,))))
        for a, b in pairwise((dim, 5, 4, 1))
    ]
    return assemble(affines), Box.cube(dim, 1)


@given(degenerate_cases(dims=(2, 3), max_depth=3))
def test_walked_exactly_it_is_what_was_subdivided_exactly(case: Case) -> None:
    whole = extract_level_set(case.program, case.box, exact=True)
    walked = extract_level_set(case.program, case.box, exact=True, method="march", seeds=inner_points(whole))
    assert certify(walked, case.program).is_certified
    assert not walked.is_complete or walked.provenance.method is Method.SUBDIVIDE
    assert set(vertex_codes(walked)) <= set(vertex_codes(whole))


@pytest.mark.parametrize("seed", range(12))
def test_contracted_after_the_walk_it_has_as_many_cells_as_contracted_after_subdivision(seed: int) -> None:
    program, box = ternary(seed)
    whole = extract_level_set(program, box, degeneracy="contract")
    seeds = inner_points(extract_level_set(program, box, exact=True))
    walked = extract_level_set(program, box, degeneracy="contract", method="march", seeds=seeds)
    assert walked.vertices.shape == whole.vertices.shape
    assert walked.edges.shape == whole.edges.shape
    assert walked.polygons.sizes.sort().values.tolist() == whole.polygons.sizes.sort().values.tolist()
    assert walked.audit().euler_characteristic == whole.audit().euler_characteristic


def test_some_of_these_networks_are_degenerate_and_were_walked() -> None:
    found = [
        extract_level_set(program, box, degeneracy="contract", method="march")
        for program, box in map(ternary, range(12))
    ]
    assert sum(surface.provenance.has(Finding.CONTRACTED) for surface in found) >= 2
    assert all(surface.provenance.method is Method.MARCH for surface in found)
    assert any(surface.provenance.signs and surface.provenance.signs.n_rational for surface in found)


def test_degeneracy_of_what_was_walked_is_an_error_where_asked_for() -> None:
    degenerate = next(
        (program, box)
        for program, box in map(ternary, range(12))
        if extract_level_set(program, box, degeneracy="contract", method="march").provenance.has(
            Finding.CONTRACTED
        )
    )
    with pytest.raises(DegenerateError, match="rows vanish"):
        extract_level_set(*degenerate, degeneracy="error", method="march")
    ball = extract_level_set(ball_program(3), Box.cube(3, 1), degeneracy="error", method="march")
    assert ball.provenance.signs is not None
    assert ball.provenance.signs.n_rational == 0


@pytest.mark.parametrize("fault", ["sign", "edge"])
def test_a_walk_with_a_fault_is_subdivided_instead(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*asked: object) -> LevelSet:
        found = march_over(*asked)  # type: ignore[arg-type]
        if fault == "edge":
            return replace(found, edges=found.edges[1:], edge_zero_ids=found.edge_zero_ids[1:])
        words = found.words.clone()
        words[3, 0] ^= 1 << next(row for row in range(6, 12) if row not in found.zero_ids[3].tolist())
        return replace(found, words=words)

    program, box = ball_program(3), Box.cube(3, 1)
    monkeypatch.setattr(doors, "march_over", faulty)
    found = extract_level_set(program, box, exact=True, method="march")
    assert found.provenance.method is Method.SUBDIVIDE
    assert found.provenance.has(Finding.WALK_REFUSED)
    assert found.is_complete
    assert cell_codes(found) == cell_codes(extract_level_set(program, box, exact=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"zero_sign": -1}, "zero_sign -1"),
        ({"exact": True, "complete": True}, "complete.*floating point"),
    ],
)
def test_what_a_walk_can_not_prove_is_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        extract_level_set(random_program(2, (3,)), Box.cube(2, 1), method="march", **options)
