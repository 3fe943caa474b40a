"""Chains and components against plain Python."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from creased.core.numerics.pointer_doubling import label_components, match_pairs, order_chains


def naive_chains(successor: list[int]) -> tuple[list[int], list[int]]:
    """Last item and number of steps to it, by walking; a cycle ends at its least item."""
    last, steps = [], []
    for item in range(len(successor)):
        seen, at = [item], item
        while successor[at] >= 0 and successor[at] != item:
            at = successor[at]
            seen.append(at)
        is_cycle = successor[at] == item
        end = min(seen) if is_cycle else at
        last.append(end)
        steps.append(seen.index(end))
    return last, steps


@given(st.integers(0, 60), st.integers(0, 2**32), st.floats(0, 1))
def test_chains_are_those_of_a_walk(n: int, seed: int, share_cut: float) -> None:
    rng = random.Random(seed)
    successor = list(range(n))
    rng.shuffle(successor)
    successor = [-1 if rng.random() < share_cut else s for s in successor]
    chains = order_chains(torch.tensor(successor, dtype=torch.int64))
    assert (chains.last.tolist(), chains.n_behind.tolist()) == naive_chains(successor)


@pytest.mark.parametrize("n", [1, 2, 3, 64, 65, 1000])
def test_one_long_cycle_ends_at_its_least_item(n: int) -> None:
    order = list(range(n))
    random.Random(n).shuffle(order)
    successor = torch.empty(n, dtype=torch.int64)
    successor[order] = torch.tensor(order[1:] + order[:1])
    chains = order_chains(successor)
    assert chains.last.tolist() == [0] * n
    assert sorted(chains.n_behind.tolist()) == list(range(n))


def test_one_long_open_chain_is_counted_from_its_end() -> None:
    chains = order_chains(torch.tensor([*range(1, 100), -1]))
    assert chains.last.tolist() == [99] * 100
    assert chains.n_behind.tolist() == list(range(99, -1, -1))


@given(st.lists(st.integers(0, 8), max_size=40))
def test_mates_share_a_slot_and_the_rest_is_counted(slots: list[int]) -> None:
    mates, n_nonmanifold = match_pairs(torch.tensor(slots, dtype=torch.int64))
    first_two: dict[int, list[int]] = {}
    for item, slot in enumerate(slots):
        first_two.setdefault(slot, []).append(item)
    expected = [-1] * len(slots)
    for items in first_two.values():
        if len(items) >= 2:
            expected[items[0]], expected[items[1]] = items[1], items[0]
    assert mates.tolist() == expected
    assert n_nonmanifold == sum(max(0, len(items) - 2) for items in first_two.values())


@given(st.integers(1, 40), st.integers(0, 60), st.integers(0, 2**32))
def test_components_are_named_by_their_least_item(n: int, n_links: int, seed: int) -> None:
    rng = random.Random(seed)
    links = [(rng.randrange(n), rng.randrange(n)) for _ in range(n_links)]
    names = list(range(n))
    for _ in range(n):
        for a, b in links:
            names[a] = names[b] = min(names[a], names[b])
    labels = label_components(n, torch.tensor(links, dtype=torch.int32).reshape(-1, 2))
    assert labels.tolist() == names


def test_a_long_path_is_one_component() -> None:
    order = torch.randperm(500, generator=torch.Generator().manual_seed(0))
    links = torch.stack([order[:-1], order[1:]], dim=1)
    assert label_components(500, links).unique().tolist() == [0]
