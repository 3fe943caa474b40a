"""Arrangements of one layer, and tents, against their closed forms."""

from __future__ import annotations

from math import comb

import pytest
import torch

from creased import Affine, Block, Box, PolyhedralComplex, Program, extract_complex
from tests.strategies import random_program


def arrangement(n: int, dim: int, device: torch.device, dtype: torch.dtype) -> PolyhedralComplex:
    """Of n hyperplanes in a box that holds all their vertices."""
    program = random_program(dim, (n,), seed=10 * n + dim, dtype=dtype, device=device)
    return extract_complex(program, Box.cube(dim, 1e4), level=None)


def inner_count(complex_: PolyhedralComplex, zero_ids: torch.Tensor) -> int:
    """Cells that lie on no wall."""
    return int((zero_ids >= complex_.layout.n_walls).all(dim=1).sum())


@pytest.mark.parametrize(
    ("n", "dim", "expected"),
    [
        (5, 1, (5, 6)),
        (3, 2, (3, 9, 7)),
        (5, 2, (10, 25, 16)),
        (9, 2, (36, 81, 46)),
        (5, 3, (10, 40, 55, 26)),
        (6, 3, (20, 75, 96, 42)),
        (6, 4, (15, 80, 165, 156, 57)),
        (6, 5, (6, 45, 140, 225, 186, 63)),
    ],
)
def test_arrangement_has_the_cells_of_zaslavsky(
    n: int, dim: int, expected: tuple[int, ...], device: torch.device, dtype: torch.dtype
) -> None:
    formula = tuple(
        comb(n, dim - k) * sum(comb(n - dim + k, i) for i in range(k + 1)) for k in range(dim + 1)
    )
    assert formula == expected
    complex_ = arrangement(n, dim, device, dtype)
    f_vector = complex_.f_vector()
    assert inner_count(complex_, complex_.zero_ids) == expected[0]
    assert f_vector[dim] == expected[dim]
    if dim > 1:
        assert inner_count(complex_, complex_.edge_zero_ids) == expected[1]
    assert f_vector[1] == complex_.edges.shape[0]


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 5])
def test_uncut_box_has_the_faces_of_a_cube(dim: int, device: torch.device, dtype: torch.dtype) -> None:
    head = Affine(torch.ones(1, dim, device=device, dtype=dtype), torch.zeros(1, device=device, dtype=dtype))
    complex_ = extract_complex(Program((), head), Box.cube(dim, 1), level=None)
    assert complex_.f_vector() == tuple(comb(dim, k) * 2 ** (dim - k) for k in range(dim + 1))


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6, 7])
def test_iterated_tent_has_two_to_the_depth_cells(
    depth: int, device: torch.device, dtype: torch.dtype
) -> None:
    one = Affine(torch.tensor([[2.0], [4.0]]), torch.tensor([0.0, -2.0]))
    again = Affine(torch.tensor([[2.0, -2.0], [4.0, -4.0]]), torch.tensor([0.0, -2.0]))
    head = Affine(torch.tensor([[1.0, -1.0]]), torch.zeros(1))
    tent = Program((Block(one), *[Block(again)] * (depth - 1)), head).to(device, dtype)
    complex_ = extract_complex(tent, Box([0], [1]), level=None)
    assert complex_.f_vector() == (2**depth + 1, 2**depth)


def test_grid_of_parallel_creases_has_a_grid_of_cells(device: torch.device, dtype: torch.dtype) -> None:
    weight = torch.eye(3, device=device, dtype=dtype).repeat_interleave(
        torch.tensor([2, 3, 4], device=device), 0
    )
    offsets = torch.tensor([0.3, -0.4, 0.1, 0.5, -0.6, 0.7, 0.2, -0.2, -0.5], device=device, dtype=dtype)
    head = Affine(torch.ones(1, 9, device=device, dtype=dtype), torch.zeros(1, device=device, dtype=dtype))
    complex_ = extract_complex(Program((Block(Affine(weight, offsets)),), head), Box.cube(3, 1), level=None)
    assert complex_.f_vector()[3] == 3 * 4 * 5
    assert complex_.f_vector()[0] == 4 * 5 * 6
    assert complex_.edges.shape[0] == 3 * 5 * 6 + 4 * 4 * 6 + 4 * 5 * 5


@pytest.mark.parametrize("n", [55, 60, 61, 62, 63, 64, 120, 124, 125, 130])
def test_counts_do_not_depend_on_word_boundaries(n: int, device: torch.device) -> None:
    program = random_program(2, (n,), seed=n, device=device)
    complex_ = extract_complex(program, Box.cube(2, 1e5), level=None)
    assert complex_.layout.n_words == -(-(n + 4) // 64)
    assert inner_count(complex_, complex_.zero_ids) == comb(n, 2)
    assert complex_.f_vector()[2] == 1 + n + comb(n, 2)


def position_by_signs(complex_: PolyhedralComplex) -> dict[tuple[int, ...], list[float]]:
    """Vertices by sign vector: their order is not promised."""
    named = zip(complex_.sign_vectors().tolist(), complex_.vertices.tolist(), strict=True)
    return {tuple(signs): [round(x, 9) for x in vertex] for signs, vertex in named}


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_complex_does_not_depend_on_chunk_sizes(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    program = random_program(3, (7, 6), seed=4)
    expected = extract_complex(program, Box.cube(3, 1))
    monkeypatch.setattr("creased.core.arrangement.subdivide.CHUNK", size)
    monkeypatch.setattr("creased.core.arrangement.subdivide.SCAN", size)
    found = extract_complex(program, Box.cube(3, 1))
    assert found.edges.shape == expected.edges.shape
    assert position_by_signs(found) == position_by_signs(expected)
