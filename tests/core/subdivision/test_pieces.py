"""A domain that is cut in pieces gives what it gives as a whole."""

from __future__ import annotations

import math
from functools import partial
from itertools import compress

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from creased import (
    Affine,
    Block,
    Box,
    Program,
    count_cells,
    extract_complex,
    extract_level_set,
    stream_complex,
)
from creased.core.provenance import Completeness, Finding
from creased.core.subdivision.footprint import Limits
from creased.core.subdivision.pieces import Cutter
from tests.invariants import cell_codes, check_same, edge_codes, vertex_codes
from tests.oracles import cells_of
from tests.strategies import Case, generic_cases, random_program

few = st.integers(4, 60)
small_cases = partial(generic_cases, max_depth=3, most=150)


@given(small_cases(), few)
def test_welded_complex_is_the_whole(case: Case, at_once: int) -> None:
    whole = extract_complex(case.program, case.box)
    welded = extract_complex(case.program, case.box, at_once=at_once)
    assert welded.status == ""
    check_same(welded, whole)


@given(small_cases(), few)
def test_own_cells_of_the_pieces_are_those_of_the_whole(case: Case, at_once: int) -> None:
    whole = extract_complex(case.program, case.box)
    vertices: list[tuple[int, ...]] = []
    edges: list[tuple[int, ...]] = []
    for piece in stream_complex(case.program, case.box, at_once=at_once):
        vertices += compress(vertex_codes(piece), piece.is_own_vertex().tolist())
        edges += compress(edge_codes(piece), piece.is_own_edge().tolist())
    assert (sorted(vertices), sorted(edges), []) == cell_codes(whole)
    assert count_cells(case.program, case.box, at_once=at_once) == whole.f_vector()


@given(small_cases(dims=(2, 3)), few, st.booleans())
def test_welded_level_set_is_the_whole(case: Case, at_once: int, prune: bool) -> None:
    whole = extract_level_set(case.program, case.box, prune=False)
    welded = extract_level_set(case.program, case.box, prune=prune, at_once=at_once)
    check_same(welded, whole)
    assert welded.audit().is_manifold


def test_pieces_are_small_and_cover_the_domain() -> None:
    program, box = random_program(3, (12, 12), seed=1), Box.cube(3, 1)
    pieces = list(stream_complex(program, box, at_once=300))
    assert len(pieces) > 3
    assert max(piece.vertices.shape[0] for piece in pieces) < 600
    assert sum(int(piece.is_own_vertex().sum()) for piece in pieces) == count_cells(program, box)[0]


def test_complex_that_would_not_fit_is_given_up_with_numbers() -> None:
    program, box = random_program(3, (12, 12), seed=1), Box.cube(3, 1)
    whole = extract_complex(program, box)
    part = extract_complex(program, box, at_once=300, memory=50_000)
    assert 0 < part.vertices.shape[0] < whole.vertices.shape[0]
    assert cells_of(part) < cells_of(whole)
    assert part.provenance.completeness is Completeness.STOPPED
    assert part.provenance.has(Finding.STOPPED)
    assert "MB are allowed" in part.status
    assert f"{part.vertices.shape[0]:,} vertices and {part.edges.shape[0]:,} edges" in part.status


def test_level_set_that_would_not_fit_says_that_it_is_not_complete() -> None:
    program, box = random_program(3, (12, 12), seed=1), Box.cube(3, 1)
    whole = extract_level_set(program, box)
    part = extract_level_set(program, box, at_once=300, memory=100_000)
    assert part.provenance.completeness is Completeness.STOPPED
    assert part.provenance.has(Finding.STOPPED)
    assert set(vertex_codes(part)) < set(vertex_codes(whole))
    assert part.audit().is_oriented


def test_what_fits_has_no_status() -> None:
    complex_ = extract_complex(random_program(2, (6,)), Box.cube(2, 1), memory=10**6)
    assert complex_.status == ""


@pytest.mark.parametrize("at_once", [0, -3])
def test_no_vertices_at_once_are_refused(at_once: int) -> None:
    with pytest.raises(ValueError, match=f"at_once.*{at_once}"):
        extract_complex(random_program(2, (3,)), Box.cube(2, 1), at_once=at_once)


def _shifted(program: Program, shift: float) -> Program:
    first = program.blocks[0].affine
    moved = Affine(first.weight, first.bias - first.weight.sum(1) * shift)
    return Program((Block(moved), *program.blocks[1:]), program.head)


def test_float32_far_from_the_origin_is_redone_in_float64() -> None:
    program = random_program(3, (8, 6), seed=4)
    whole = extract_complex(program, Box.cube(3, 1))
    far, box = _shifted(program, 1e4), Box([1e4 - 1] * 3, [1e4 + 1] * 3)
    for extract_ in (extract_complex, extract_level_set):
        found = extract_(far, box, dtype=torch.float32)
        assert found.vertices.dtype == torch.float64
        assert found.provenance.dtype == torch.float64
        assert found.provenance.has(Finding.IN_FLOAT64)
        assert "float32 has 1.7e+03 steps" in found.status
    assert extract_complex(far, box, dtype=torch.float32).f_vector() == whole.f_vector()


def test_float32_that_misses_the_level_is_redone_in_float64() -> None:
    program = random_program(2, (8, 6), seed=4)
    last, head = program.blocks[-1].affine, program.head
    twin = Affine(torch.cat([last.weight, last.weight[:1]]), torch.cat([last.bias, last.bias[:1]]))
    weight = torch.cat([head.weight, head.weight[:, :1]], dim=1)
    weight[:, 0], weight[:, -1] = weight[:, 0] + 1e6, -1e6  # two copies of a neuron, which cancel
    program = Program((*program.blocks[:-1], Block(twin)), Affine(weight, head.bias))
    found = extract_level_set(program, Box.cube(2, 1), dtype=torch.float32)
    assert found.vertices.dtype == torch.float64
    assert found.provenance.has(Finding.IN_FLOAT64)
    assert "vertices miss the level" in found.status


def test_float32_that_serves_stays() -> None:
    found = extract_level_set(random_program(3, (8, 6), seed=4), Box.cube(3, 1), dtype=torch.float32)
    assert found.vertices.dtype == torch.float32
    assert not found.provenance.has(Finding.IN_FLOAT64)


def test_other_types_are_refused() -> None:
    with pytest.raises(ValueError, match="float16"):
        extract_complex(random_program(2, (3,)), Box.cube(2, 1), dtype=torch.float16)


def test_shares_of_the_pieces_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []
    next_piece = Cutter.next_piece

    def watched(self: Cutter, limits: Limits):  # noqa: ANN202
        piece = next_piece(self, limits)
        shares.extend([] if piece is None else [piece.share])
        return piece

    monkeypatch.setattr(Cutter, "next_piece", watched)
    extract_level_set(random_program(3, (12, 12), seed=1), Box.cube(3, 1), at_once=100)
    assert len(shares) > 3
    assert math.isclose(sum(shares), 1)
