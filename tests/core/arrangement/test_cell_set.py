"""Cells in a set are numbered in order of appearance, and never confused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from creased.core.arrangement.cell_set import CellSet
from creased.core.arrangement.hash_keys import KeyTable, key_table


def _batches(n_words: int) -> list[Tensor]:
    """Random cells of which many repeat, within a batch and between batches."""
    generator = torch.Generator().manual_seed(n_words)
    pool = torch.randint(-(2**63), 2**63 - 1, (9000, n_words), generator=generator)
    return [pool[torch.randint(0, 3000 * (i + 1), (5000,), generator=generator)] for i in range(3)]


def _all_alike(n_words: int) -> KeyTable:
    """A table that gives every cell one of two keys."""
    table = key_table(64 * n_words, n_words, torch.device("cpu"))
    return table._replace(multipliers=torch.full_like(table.multipliers, -(1 << 63)))


@pytest.mark.parametrize("n_words", [1, 3])
def test_cells_are_numbered_as_a_dictionary_would(n_words: int) -> None:
    cells, known = _empty(n_words), {}
    for batch in _batches(n_words):
        expected = [known.setdefault(tuple(row), len(known)) for row in batch.tolist()]
        assert cells.add(batch).tolist() == expected
        assert cells.words.tolist() == [list(row) for row in known]


def test_colliding_keys_do_not_confuse_cells() -> None:
    batch = torch.arange(100)[:, None]
    cells = CellSet(batch[:0], _all_alike(1))
    assert cells.add(torch.cat([batch, batch])).tolist() == list(range(100)) * 2
    assert cells.find(torch.cat([batch, batch + 100])).tolist() == [*range(100), *[-1] * 100]


def test_looking_up_adds_nothing() -> None:
    cells = _empty(2)
    first, second, third = _batches(2)
    cells.add(first)
    expected = {tuple(row): number for number, row in enumerate(cells.words.tolist())}
    assert cells.find(second).tolist() == [expected.get(tuple(row), -1) for row in second.tolist()]
    assert cells.n == len(expected)
    assert cells.find(third[:0]).shape == (0,)


def _empty(n_words: int) -> CellSet:
    like = torch.empty((0, n_words), dtype=torch.int64)
    return CellSet(like, key_table(64 * n_words, n_words, like.device))
