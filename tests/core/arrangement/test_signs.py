"""Packed sign vectors: round trips at every offset, and the tables of bits."""

from __future__ import annotations

import pytest
import torch

from creased.core.arrangement.signs import (
    RowLayout,
    clear_rows,
    lowest_row,
    masks_of,
    pack_rows,
    row_bits,
    rows_before,
    sign_vectors,
    unpack_rows,
)


def random_signs(n: int, width: int, device: torch.device) -> torch.Tensor:
    generator = torch.Generator().manual_seed(width)
    return (torch.rand((n, width), generator=generator) < 0.5).to(device)


@pytest.mark.parametrize("width", [1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200])
def test_unpacking_undoes_packing_at_every_offset(width: int, device: torch.device) -> None:
    signs = random_signs(5, width, device)
    for first in range(66):
        n_words = -(-(first + width) // 64)
        for spare in (0, 1):
            words = pack_rows(signs, first, n_words + spare)
            torch.testing.assert_close(unpack_rows(words, first, width), signs)


def test_one_row_of_each_word_is_cleared(device: torch.device) -> None:
    signs = random_signs(200, 130, device)
    words, rows = pack_rows(signs, 0, 3), torch.arange(200, device=device) % 130
    clear_rows(words, rows)
    signs[torch.arange(200, device=device), rows] = False
    torch.testing.assert_close(unpack_rows(words, 0, 130), signs)


@pytest.mark.parametrize("first", [0, 6, 63, 64, 70])
def test_masks_are_the_bits_as_numbers(first: int, device: torch.device) -> None:
    signs = random_signs(5, 100, device)
    words = pack_rows(signs, first, 4)
    for dtype in (torch.float32, torch.float64):
        torch.testing.assert_close(masks_of(words, first, 100, dtype), signs.to(dtype))
    assert masks_of(words[:0], first, 100, torch.float64).shape == (0, 100)


@pytest.mark.parametrize("first", [0, 1, 60, 63, 64, 65, 127, 128])
def test_packing_touches_no_other_rows(first: int, device: torch.device) -> None:
    words = pack_rows(torch.ones(3, 40, dtype=torch.bool, device=device), first, 4)
    expected = torch.zeros(3, 256, dtype=torch.bool, device=device)
    expected[:, first : first + 40] = True
    torch.testing.assert_close(unpack_rows(words, 0, 256), expected)


def test_all_plus_fills_a_word(device: torch.device) -> None:
    words = pack_rows(torch.ones(1, 64, dtype=torch.bool, device=device), 0, 1)
    assert words.tolist() == [[-1]]


def test_packing_no_vertices_gives_no_words(device: torch.device) -> None:
    assert pack_rows(torch.ones(0, 70, dtype=torch.bool, device=device), 3, 2).shape == (0, 2)


@pytest.mark.parametrize("n_words", [1, 2, 3])
def test_lowest_row_is_the_lowest_set_bit(n_words: int, device: torch.device) -> None:
    for row in range(64 * n_words):
        bits = torch.zeros(4, 64 * n_words, dtype=torch.bool, device=device)
        bits[:, row] = True
        bits[1, row:] = True
        bits[2, -1] = True
        bits[3, row + 1 :: 3] = True
        assert lowest_row(pack_rows(bits, 0, n_words)).tolist() == [row] * 4


def test_row_bits_are_unit_vectors(device: torch.device) -> None:
    bits = row_bits(130, 3, device)
    torch.testing.assert_close(unpack_rows(bits, 0, 130), torch.eye(130, dtype=torch.bool, device=device))


def test_rows_before_are_lower_triangular(device: torch.device) -> None:
    before = unpack_rows(rows_before(130, 3, device), 0, 130)
    torch.testing.assert_close(before, torch.ones(131, 130, dtype=torch.bool, device=device).tril(-1))


def test_sign_vectors_put_zeros_at_zero_ids(device: torch.device) -> None:
    plus = random_signs(6, 70, device)
    zero_ids = torch.tensor([[i, 69 - i] for i in range(6)], dtype=torch.int32, device=device)
    plus.scatter_(1, zero_ids.long(), torch.zeros_like(zero_ids, dtype=torch.bool))
    signs = sign_vectors(pack_rows(plus, 0, 2), zero_ids, 70)
    assert signs.dtype == torch.int8
    torch.testing.assert_close(signs == 1, plus)
    torch.testing.assert_close((signs == 0).nonzero()[:, 1].reshape(6, 2), zero_ids.long())


def test_layout_numbers_walls_then_neurons_then_outputs() -> None:
    layout = RowLayout(6, (30, 28), 2)
    assert (layout.n_neurons, layout.n_rows, layout.n_words, layout.first_output) == (58, 66, 2, 64)
    assert RowLayout(4, (60,), 0).n_words == 1
