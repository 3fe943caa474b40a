"""Keys may collide, cells may not: pairing under forced collisions, and the count of torn faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from creased import Affine, Box, Program, extract_complex, extract_level_set
from creased.core.arrangement import hash_keys as pairing
from creased.core.arrangement.hash_keys import (
    CellCodes,
    CollisionError,
    KeyTable,
    Pairs,
    cell_keys,
    group_equal,
    key_table,
    pair_equal,
)
from creased.core.arrangement.signs import row_bits
from creased.core.native.available import SWITCH, is_native
from tests.oracles import cells_of
from tests.strategies import random_program

Table = Callable[..., KeyTable]


def no_multipliers(n_rows: int, n_words: int, device: torch.device, seed: int = 0) -> KeyTable:
    """A table that does not look at the sign words: faces on different sides of a row collide."""
    honest = key_table(n_rows, n_words, device, seed)
    zeros = honest.moves[:, :1]
    return KeyTable(torch.zeros_like(honest.multipliers), zeros.repeat(1, 2))


def all_equal(n_rows: int, n_words: int, device: torch.device, seed: int = 0) -> KeyTable:
    """A table that gives every code the key 0."""
    return KeyTable(*(torch.zeros_like(column) for column in key_table(n_rows, n_words, device, seed)))


@pytest.mark.parametrize("table", [no_multipliers, all_equal])
@pytest.mark.parametrize("native", ["0", "1"])
def test_colliding_first_table_changes_nothing(
    table: Table, native: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, native)
    program, box = random_program(3, (6, 5), seed=2), Box.cube(3, 1)
    expected, surface = extract_complex(program, box), extract_level_set(program, box)
    counts = expected.f_vector()
    monkeypatch.setattr("creased.core.arrangement.cofaces.key_table", table)
    drawn: list[int] = []
    honest = pairing.key_table

    def counted(n_rows: int, n_words: int, device: torch.device, seed: int = 0) -> KeyTable:
        drawn.append(seed)
        return honest(n_rows, n_words, device, seed)

    monkeypatch.setattr("creased.core.arrangement.hash_keys.key_table", counted)
    found = extract_complex(program, box)
    is_compiled = is_native(program.device)
    assert set(drawn) == (set() if is_compiled else {1})  # kernels compare more codes, and go on
    assert found.n_inconsistent == 0
    assert cells_of(found) == cells_of(expected)
    assert found.edges.shape == expected.edges.shape
    assert found.f_vector() == counts
    again = extract_level_set(program, box).audit()
    assert replace(again, max_residual=0) == replace(surface.audit(), max_residual=0)


def test_codes_that_always_collide_raise() -> None:
    words = torch.arange(4)[:, None]
    codes = CellCodes(words, torch.zeros(4, 1, dtype=torch.int32))
    with pytest.raises(CollisionError, match="8 key tables"):
        group_equal(
            lambda table: torch.zeros(4, dtype=torch.int64),
            lambda entries: CellCodes(codes.words[entries], codes.zero_ids[entries]),
            key_table(2, 1, torch.device("cpu")),
        )


def test_codes_that_differ_in_zero_ids_only_are_told_apart(device: torch.device) -> None:
    codes = CellCodes(
        torch.zeros(4, 1, dtype=torch.int64, device=device),
        torch.tensor([[0, 1], [0, 2], [0, 1], [1, 2]], dtype=torch.int32, device=device),
    )
    pairs = pair_equal(
        lambda table: cell_keys(codes, table),
        lambda entries: CellCodes(codes.words[entries], codes.zero_ids[entries]),
        key_table(3, 1, device),
    )
    assert sorted(pairs.entries[0].tolist()) == [0, 2]
    assert pairs.codes.zero_ids.tolist() == [[0, 1]]
    assert pairs.n_left == 2


def test_moving_a_zero_adds_its_table_entry_to_the_key(device: torch.device) -> None:
    table = key_table(70, 2, device)
    bits = row_bits(70, 2, device)
    cell = CellCodes(bits[[3]] | bits[[66]], torch.tensor([[5, 65]], dtype=torch.int32, device=device))
    above = CellCodes(cell.words | bits[65], cell.zero_ids[:, :1])
    below = CellCodes(cell.words, cell.zero_ids[:, :1])
    torch.testing.assert_close(cell_keys(above, table), cell_keys(cell, table) + table.moves[65, 1])
    torch.testing.assert_close(cell_keys(below, table), cell_keys(cell, table) + table.moves[65, 0])


@pytest.mark.parametrize(
    ("sizes", "n_pairs", "n_unpaired"),
    [((2, 2), 2, 0), ((1, 2), 1, 1), ((2, 3, 1), 2, 2), ((4,), 1, 2), ((), 0, 0), ((1,), 0, 1)],
)
def test_entries_in_no_pair_are_counted(sizes: tuple[int, ...], n_pairs: int, n_unpaired: int) -> None:
    owner = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes, dtype=torch.int64)).flip(0)
    codes = CellCodes(owner[:, None].contiguous(), torch.zeros((len(owner), 1), dtype=torch.int32))
    pairs = pair_equal(
        lambda table: cell_keys(codes, table),
        lambda entries: CellCodes(codes.words[entries], codes.zero_ids[entries]),
        key_table(8, 1, torch.device("cpu")),
    )
    assert (pairs.entries.shape[0], pairs.n_left) == (n_pairs, n_unpaired)
    assert bool((owner[pairs.entries[:, 0]] == owner[pairs.entries[:, 1]]).all())
    torch.testing.assert_close(pairs.codes.words[:, 0], owner[pairs.entries[:, 0]])


def lose_one_pair(*arguments: Any) -> Pairs:
    """As if rounding had torn one face."""
    entries, codes, n_left = pair_equal(*arguments)
    return Pairs(entries[1:], CellCodes(codes.words[1:], codes.zero_ids[1:]), n_left + 2)


def test_torn_faces_are_counted_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    tilted = Affine(torch.tensor([[1.0, 0.2, 0.1]]), torch.tensor([0.1]))
    flat = Program((), tilted)
    assert extract_level_set(flat, Box.cube(3, 1)).polygons.sizes.tolist() == [4]
    monkeypatch.setattr("creased.core.arrangement.cofaces.pair_equal", lose_one_pair)
    assert extract_complex(flat, Box.cube(3, 1)).n_inconsistent == 2
    surface = extract_level_set(flat, Box.cube(3, 1))
    assert surface.n_inconsistent == 3  # two faces without an edge, and the polygon that does not close
    assert "rounding left 3 faces open" in surface.status
    assert not surface.audit().is_closed
