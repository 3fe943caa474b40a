"""Exact rows: vertices and signs of brute force, with python-flint and without it."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from creased import Box, PolyhedralComplex, Program, extract_complex
from creased.core import escalation
from creased.core.exact import elimination
from creased.core.exact.exact_signs import ExactRows
from tests.oracles import exact_complex
from tests.strategies import random_program


def small() -> tuple[PolyhedralComplex, Program]:
    program = random_program(2, (6, 4), seed=3)
    return extract_complex(program, Box.cube(2, 1)), program


@pytest.mark.parametrize("band", [1e-8, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_python_integers_do_as_well(seed: int, band: float, monkeypatch: pytest.MonkeyPatch) -> None:
    program = random_program(2, (4, 3), seed=seed, slope=0.25)
    expected = extract_complex(program, Box.cube(2, 1), degeneracy="contract")
    monkeypatch.setattr(elimination, "_flint", lambda: None)
    monkeypatch.setattr(escalation, "doubtful_band", lambda dtype: band)
    found = extract_complex(program, Box.cube(2, 1), degeneracy="contract")
    assert torch.equal(found.words, expected.words)
    assert found.f_vector() == expected.f_vector()


def test_exact_vertices_are_those_of_brute_force() -> None:
    program = random_program(2, (4, 3), seed=1)
    found = extract_complex(program, Box.cube(2, 1))
    exact = exact_complex(program, [-1, -1], [1, 1])
    rows = ExactRows(program, Box.cube(2, 1).exact_walls(), found.layout)
    for vertex, signs in enumerate(found.sign_vectors().tolist()):
        *x, w = rows.vertex(found.zero_ids[vertex].tolist(), found.words[vertex].tolist(), [0.0] * 3)
        assert tuple(Fraction(a, w) for a in x) == exact.positions[tuple(signs)]
        assert rows.signs((*x, w)) == tuple(signs)


def test_vertex_of_parallel_rows_is_refused() -> None:
    found, program = small()
    rows = ExactRows(program, Box.cube(2, 1).exact_walls(), found.layout)
    with pytest.raises(ArithmeticError, match="parallel"):
        rows.vertex([0, 1], found.words[0].tolist(), [0.0] * 3)
