"""Cuts separate, and none is smaller: against brute force on small graphs."""

from __future__ import annotations

from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from creased.networks.lowering.graph.min_vertex_cut import min_vertex_cut


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[int, list[int]], dict[int, int], list[int], list[int]]:
    """Up to eight values: the first are known, the others are computed from one or two before them."""
    n_known, n_made = draw(st.integers(1, 3)), draw(st.integers(0, 5))
    n = n_known + n_made
    inputs = {
        i: draw(st.lists(st.integers(0, i - 1), min_size=1, max_size=2, unique=True))
        for i in range(n_known, n)
    }
    sizes = {i: draw(st.integers(1, 9)) for i in range(n)}
    for i in draw(st.sets(st.integers(n_known, n - 1), max_size=2) if n_made else st.just(set())):
        del sizes[i]
    needed = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=3, unique=True))
    return inputs, sizes, list(range(n_known)), needed


def _suffices(inputs: dict[int, list[int]], kept: set[int], needed: list[int]) -> bool:
    return all(i in kept or (i in inputs and _suffices(inputs, kept, inputs[i])) for i in needed)


@given(graph=graphs())
def test_no_smaller_set_suffices(
    graph: tuple[dict[int, list[int]], dict[int, int], list[int], list[int]],
) -> None:
    inputs, sizes, known, needed = graph
    cut = min_vertex_cut(inputs, sizes, known, needed)
    assert cut <= set(sizes)
    assert _suffices(inputs, cut, needed)
    sets = chain.from_iterable(combinations(sizes, n) for n in range(len(sizes) + 1))
    least = min(sum(sizes[i] for i in kept) for kept in sets if _suffices(inputs, set(kept), needed))
    assert sum(sizes[i] for i in cut) == least


def test_of_equal_cuts_the_earliest_is_taken() -> None:
    assert min_vertex_cut({1: [0], 2: [1]}, {0: 3, 1: 3, 2: 3}, [0], [2]) == {0}
