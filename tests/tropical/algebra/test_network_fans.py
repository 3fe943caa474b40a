"""Labelings and patterns of networks: known counts, sampled networks, and all tropical rational functions."""

from __future__ import annotations

from itertools import pairwise, product
from math import comb

import pytest
import torch

from creased.tropical import (
    PatternBudgetError,
    activation_patterns,
    classification_fan,
    cover_count,
    network_fan,
    network_labelings,
    network_sublevel_parts,
    realizable_labelings,
    sublevel_parts,
    tied_network_patterns,
    tied_patterns,
)

SQUARE = [(0, 0), (1, 0), (0, 1), (1, 1)]
XOR = (1, -1, -1, 1)
GENERIC = [(0, 0), (5, 1), (2, 7), (6, 5), (1, 3)]


def _changes(labeling: tuple[int, ...]) -> int:
    return sum(a != b for a, b in pairwise(labeling))


@pytest.mark.parametrize("points", [SQUARE, GENERIC, [(0,), (1,), (4,)]])
def test_one_neuron_separates_by_a_hyperplane(points: list) -> None:
    assert network_labelings(points, 1) == realizable_labelings(points, 1, 1)
    assert len(network_labelings(GENERIC, 1)) == cover_count(5, 2)


def test_parity_needs_two_neurons_with_any_output_signs() -> None:
    assert XOR not in network_labelings(SQUARE, 1)
    for n_positive in (0, 1, 2):
        assert XOR in network_fan(SQUARE, n_positive, 2 - n_positive)
    assert len(network_labelings(SQUARE, 2)) == 16


@pytest.mark.parametrize("n_points", [4, 5, 6])
def test_two_neurons_on_a_line_change_sign_twice(n_points: int) -> None:
    found = network_labelings([(i * i,) for i in range(n_points)], 2)
    assert found == {signs for signs in product((1, -1), repeat=n_points) if _changes(signs) <= 2}
    assert len(found) == 2 * sum(comb(n_points - 1, i) for i in range(3))


def test_three_neurons_change_sign_four_times() -> None:
    found = network_fan([(i,) for i in range(5)], 1, 2)
    assert max(map(_changes, found)) == 4


def test_neurons_of_one_sign_make_a_convex_function() -> None:
    intervals = {
        tuple(-1 if start <= i < stop else 1 for i in range(5))
        for start in range(6)
        for stop in range(start, 6)
    }
    assert set(network_fan([(i,) for i in range(5)], 2, 0)) == intervals


@pytest.mark.parametrize(("n_positive", "n_negative"), [(1, 1), (2, 0)])
def test_patterns_are_some_of_those_of_all_functions_with_as_many_terms(
    n_positive: int, n_negative: int
) -> None:
    points = [(0,), (1,), (3,), (4,)]
    fan = network_fan(points, n_positive, n_negative)
    everything = classification_fan(points, 2**n_positive, 2**n_negative)
    assert (fan.n_positive, fan.n_negative) == (everything.n_positive, everything.n_negative)
    assert all(set(patterns) <= set(everything[labeling]) for labeling, patterns in fan.items())
    assert sum(map(len, fan.values())) < sum(map(len, everything.values()))


def test_sampled_networks_have_listed_patterns_and_all_are_met() -> None:
    generator = torch.Generator().manual_seed(0)
    draw = torch.randn((400_000, 2, 4), generator=generator, dtype=torch.float64)  # a neuron's w, b and a
    draw[:, :, 2:] *= 2 * torch.randn((400_000, 2, 2), generator=generator).double()
    points = torch.tensor([(*point, 1) for point in SQUARE]).double()
    hidden = (draw[:, :, :3] @ points.T).relu()  # (S, 2, 4)
    constant = torch.randn((400_000, 1), generator=generator).double()
    signs = ((hidden * draw[:, :, 3:]).sum(1) + constant).sign().int()
    assert {tuple(row) for row in signs.unique(dim=0).tolist()} == network_labelings(SQUARE, 2)
    mixed = (draw[:, 0, 3] > 0) & (draw[:, 1, 3] < 0)
    is_active = (hidden[mixed] > 0).int()
    patterns = torch.where(signs[mixed] > 0, is_active[:, 0], 2 + is_active[:, 1])
    met = {tuple(row) for row in patterns.unique(dim=0).tolist()}
    met |= {(c, d, a, b) for a, b, c, d in met}  # the square is its own mirror image
    met |= {(a, c, b, d) for a, b, c, d in met}
    assert met == {pattern for patterns in network_fan(SQUARE, 1, 1).values() for pattern in patterns}


def test_the_opposite_output_signs_have_the_opposite_labelings() -> None:
    opposite = {tuple(-sign for sign in labeling) for labeling in network_fan(SQUARE, 2, 0)}
    assert set(network_fan(SQUARE, 0, 2)) == opposite


def test_patterns_without_ties_are_the_cones_of_the_fan() -> None:
    points = [(0,), (1,), (3,)]
    generic = {p for p in tied_network_patterns(points, 1, 1) if all(len(top) == 1 for top in p)}
    listed = [pattern for patterns in network_fan(points, 1, 1).values() for pattern in patterns]
    assert {tuple(map(min, pattern)) for pattern in generic} == set(listed)
    assert len(listed) == len(set(listed)) < len(activation_patterns(points, 4))


def _parts(n_positive: int, n_negative: int, labels: tuple[int, ...]) -> list[int]:
    """Count parts on the square by the patterns with one tie, which are facets between two cones."""
    networkx = pytest.importorskip("networkx")
    graph = networkx.Graph()
    graph.add_nodes_from(activation_patterns(SQUARE, n_positive + n_negative))
    facets = (p for p in tied_patterns(SQUARE, n_positive + n_negative) if sum(map(len, p)) == len(p) + 1)
    graph.add_edges_from(tuple(product(*facet)) for facet in facets)
    loss = {p: sum((t < n_positive) != (y > 0) for t, y in zip(p, labels, strict=True)) for p in graph}
    levels = ([p for p in graph if loss[p] <= e] for e in range(5))
    return [networkx.number_connected_components(graph.subgraph(level)) for level in levels]


@pytest.mark.parametrize("labels", [(1, 1, -1, -1), XOR, (1, -1, -1, -1)])
@pytest.mark.parametrize("n_negative", [1, 2])
def test_sublevel_sets_have_the_parts_that_ties_join(labels: tuple[int, ...], n_negative: int) -> None:
    assert sublevel_parts(SQUARE, 1, n_negative, labels) == _parts(1, n_negative, labels)


def test_networks_solve_parity_in_more_parts() -> None:
    assert network_sublevel_parts(SQUARE, 1, 0, XOR) == sublevel_parts(SQUARE, 1, 1, XOR) == [0, 4, 1, 1, 1]
    assert network_sublevel_parts(SQUARE, 1, 1, XOR) == [4, 1, 1, 1, 1]
    assert network_sublevel_parts(SQUARE, 2, 0, XOR) == [2, 1, 1, 1, 1]
    opposite = tuple(-label for label in XOR)
    assert network_sublevel_parts(SQUARE, 0, 2, opposite) == network_sublevel_parts(SQUARE, 2, 0, XOR)


def test_what_makes_no_sense_or_is_too_large_is_refused() -> None:
    for numbers in ((0, 0), (-1, 2)):
        with pytest.raises(ValueError, match=f"needs a neuron, got {numbers[0]} and {numbers[1]}"):
            network_fan(SQUARE, *numbers)
    with pytest.raises(PatternBudgetError, match=r"4 points and 2 \+ 0 neurons have more than 340 patterns"):
        network_fan(SQUARE, 2, 0, most=340)
    assert sum(map(len, network_fan(SQUARE, 2, 0, most=341).values())) == 341
    with pytest.raises(ValueError, match="a label for each of 4 points, got 3"):
        network_sublevel_parts(SQUARE, 1, 0, (1, 1, 1))
    with pytest.raises(ValueError, match="a term on each side, got 2 and 0"):
        sublevel_parts(SQUARE, 2, 0, XOR)
