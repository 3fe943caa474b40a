"""Growing tensors keep their rows."""

from __future__ import annotations

import torch

from creased.core.numerics.tensors import Growable, ranges_of


def test_appended_rows_come_in_order() -> None:
    pieces = [torch.full((n, 2), float(i)) for i, n in enumerate([3, 0, 1, 5, 40])]
    grown = Growable(pieces[0].clone())
    for piece in pieces[1:]:
        grown.append(piece)
    assert grown.n == 49
    torch.testing.assert_close(grown.rows, torch.cat(pieces))


def test_growing_from_nothing_works() -> None:
    grown = Growable(torch.empty(0, 3))
    grown.append(torch.ones(2, 3))
    torch.testing.assert_close(grown.rows, torch.ones(2, 3))


def test_capacity_doubles() -> None:
    grown, n_moves = Growable(torch.zeros(1, 1)), 0
    for _ in range(1000):
        before = grown.rows.data_ptr()
        grown.append(torch.ones(1, 1))
        n_moves += grown.rows.data_ptr() != before
    assert n_moves <= 11


def test_room_is_left_behind_unwritten_rows() -> None:
    grown = Growable.with_room(4, torch.empty(0, 2, dtype=torch.float64))
    before = grown.rows.data_ptr()
    grown.extend(4).fill_(1)
    assert grown.rows.shape == (8, 2)
    assert grown.rows.data_ptr() == before


def test_chosen_rows_from_a_position_on_are_kept() -> None:
    grown = Growable(torch.arange(10.0)[:, None])
    grown.keep(torch.tensor([5, 8, 9]), 4)
    assert grown.rows[:, 0].tolist() == [0, 1, 2, 3, 5, 8, 9]


def test_ranges_are_listed_one_behind_the_other() -> None:
    owner, numbers = ranges_of(torch.tensor([5, 0, 7, 2]), torch.tensor([2, 0, 1, 3]))
    assert owner.tolist() == [0, 0, 2, 3, 3, 3]
    assert numbers.tolist() == [5, 6, 7, 2, 3, 4]
    assert [part.numel() for part in ranges_of(owner[:0], owner[:0])] == [0, 0]
