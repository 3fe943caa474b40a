"""Neurons take their turns in each simplex in their order, those that do not cut it left out."""

from __future__ import annotations

import pytest
import torch

from creased.core.arrangement.signs import pack_rows
from creased.core.arrangement.turns import take_turns

N_CORNERS, N_EDGES = 4, 6


@pytest.mark.parametrize(("first_row", "n_neurons"), [(4, 9), (10, 60), (67, 70)])
def test_turns_count_the_neurons_that_cut(first_row: int, n_neurons: int, device: torch.device) -> None:
    generator = torch.Generator().manual_seed(n_neurons)
    share = torch.rand(
        8, 1, n_neurons, generator=generator
    )  # neurons of all kinds, some that never change sign
    signs = torch.rand(8, N_CORNERS, n_neurons, generator=generator) < share.square()
    first_word, stop = first_row // 64, (first_row + n_neurons - 1) // 64 + 1
    words = pack_rows(signs.flatten(0, 1).to(device), first_row, stop)[:, first_word:]
    turns = take_turns(words, N_CORNERS, first_row, n_neurons)
    for simplex, of_simplex in enumerate(signs):
        cutting = [k for k in range(n_neurons) if 0 < int(of_simplex[:, k].sum()) < N_CORNERS]
        rows = torch.tensor([first_row + k for k in cutting], dtype=torch.int32, device=device)
        edges = torch.full_like(rows, N_EDGES * simplex + simplex % N_EDGES).long()
        assert turns.of(edges, rows).tolist() == [first_row + turn for turn in range(len(cutting))]
        none = rows.new_full((1,), 64 * first_word - 1)
        assert int(turns.of(edges.new_full((1,), N_EDGES * simplex), none)) < first_row


def test_new_edges_are_in_the_simplex_of_the_edge_that_is_split(device: torch.device) -> None:
    signs = (
        torch.tensor([[0, 1], [1, 1], [0, 0], [0, 1], *[[1, 0], [0, 0], [0, 0], [0, 0]]], device=device) > 0
    )
    turns = take_turns(pack_rows(signs, 4, 1), N_CORNERS, 4, 2)
    split = torch.tensor([1, 7, 8], device=device)
    turns.inherit(split, torch.tensor([1], device=device))
    added = torch.arange(2 * N_EDGES, 2 * N_EDGES + 4, device=device)
    second = torch.full((4,), 5, dtype=torch.int32, device=device)
    own = turns.of(torch.tensor([0, 6, 6, 6], device=device), second)
    assert turns.of(added, second).tolist() == own.tolist()
    assert own.tolist()[0] == 5  # by the other neuron before
