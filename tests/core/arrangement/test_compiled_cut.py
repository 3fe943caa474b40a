"""Compiled kernels cut as torch does: the same cells, in the same places, and the same doubts are decided."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings

from creased import Box, extract_complex, extract_level_set, stream_complex
from creased.core.arrangement import subdivide
from creased.core.arrangement.cells import CellsAround
from creased.core.arrangement.cofaces import arrange
from creased.core.arrangement.hash_keys import CellCodes, KeyTable
from creased.core.native.available import SWITCH
from tests.invariants import check_same
from tests.strategies import Case, degenerate_cases, generic_cases, random_program

pytest.importorskip("numba")


def both_ways(extract: Any, *args: Any, **keywords: Any) -> tuple[Any, Any]:
    """Cut by compiled kernels, and by torch."""
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for switch in ("1", "0"):
            patch.setenv(SWITCH, switch)
            found.append(extract(*args, **keywords))
    return found[0], found[1]


def test_kernels_do_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("torch splits edges")

    monkeypatch.setenv(SWITCH, "1")
    monkeypatch.setattr(subdivide, "_split_edges", refuse)
    assert extract_complex(random_program(3, (6, 5), seed=2), Box.cube(3, 1)).n_inconsistent == 0


@given(generic_cases(dims=(1, 2, 3, 4)))
@settings(max_examples=10)
def test_complexes_are_the_same(case: Case) -> None:
    check_same(*both_ways(extract_complex, case.program, case.box))


@given(degenerate_cases(dims=(2, 3)))
@settings(max_examples=10)
def test_doubts_are_decided_alike(case: Case) -> None:
    compiled, torch_ = both_ways(extract_complex, case.program, case.box, exact=True)
    check_same(compiled, torch_)


@given(generic_cases(dims=(2, 3)))
@settings(max_examples=10)
def test_pruned_level_sets_are_the_same(case: Case) -> None:
    check_same(*both_ways(extract_level_set, case.program, case.box, method="subdivide"))


def test_single_precision_is_cut_by_kernels_too() -> None:
    program, box = random_program(3, (8, 8), seed=6), Box.cube(3, 1)
    found = both_ways(extract_complex, program, box, dtype=torch.float32)
    assert [part.vertices.dtype for part in found] == [torch.float32] * 2
    check_same(*found, tolerance=1e-4)


def test_pieces_keep_their_corners() -> None:
    program, box = random_program(3, (12, 12), seed=4), Box.cube(3, 1)
    check_same(*both_ways(extract_complex, program, box, at_once=200))
    assert not any(piece.n_inconsistent for piece in stream_complex(program, box, at_once=200))


@given(generic_cases(dims=(1, 2, 3, 4)))
@settings(max_examples=10)
def test_cells_are_numbered_alike(case: Case) -> None:
    whole = extract_complex(case.program, case.box)
    codes, rows = CellCodes(whole.words, whole.zero_ids), arrange(whole.layout, whole.words.device)

    def numbered(dim: int) -> tuple[Any, Any]:
        cells = CellsAround(codes, None, dim, rows)
        numbers, firsts = cells.number()
        return firsts[numbers.long()].tolist(), sorted(firsts.tolist())

    for dim in range(1, whole.dim + 1):
        compiled, sorted_ = both_ways(numbered, dim)
        assert compiled == sorted_


def test_cells_whose_keys_collide_are_told_apart() -> None:
    whole = extract_complex(random_program(3, (6, 5), seed=2), Box.cube(3, 1))
    rows = arrange(whole.layout, whole.words.device)
    equal = KeyTable(*(torch.zeros_like(column) for column in rows.keys))
    codes = CellCodes(whole.words, whole.zero_ids)
    counts = [CellsAround(codes, None, k, rows._replace(keys=equal)).count() for k in (1, 2, 3)]
    assert tuple(counts) == whole.f_vector()[1:]


def test_signs_of_many_words_are_inherited() -> None:
    check_same(*both_ways(extract_complex, random_program(2, (70, 70), seed=5), Box.cube(2, 1)))
