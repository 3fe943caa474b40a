"""The record of an extraction says the same to code and to people."""

import pytest
import torch

from creased import MLP, Box, extract_complex, extract_level_set, lower
from creased.core.options import options_of
from creased.core.provenance import (
    Completeness,
    CompletenessProof,
    Finding,
    Method,
    Note,
    Provenance,
    WalkCounts,
)
from tests.strategies import ball_program

PLAIN = Provenance(Method.SUBDIVIDE, torch.float64, Completeness.PRUNED)


def test_only_proven_completeness_is_complete() -> None:
    proven = {entry for entry in Completeness if entry.is_proven}
    assert proven == {Completeness.SUBDIVIDED, Completeness.PRUNED, Completeness.WALKED}
    assert all(entry.value.startswith("complete") for entry in proven)


def test_open_faces_end_completeness_and_add_up() -> None:
    found = PLAIN.inconsistent(2).inconsistent(3)
    assert (found.n_inconsistent, found.is_complete, found.is_whole) == (5, False, True)
    assert "5 faces" in found.guarantee
    assert "5 faces" in found.status
    assert PLAIN.inconsistent(0) is PLAIN


def test_what_was_stopped_says_why_and_stays_stopped() -> None:
    found = PLAIN.stopped("stopped after 3%").inconsistent(1)
    assert (found.completeness, found.is_whole) == (Completeness.STOPPED, False)
    assert found.guarantee == "not complete: stopped after 3%"
    assert found.has(Finding.STOPPED)
    assert not PLAIN.has(Finding.STOPPED)


def test_a_walk_counts_what_it_found_and_what_it_proved() -> None:
    proof = CompletenessProof(share=0.259, n_inconsistent=0, is_whole=False, n_missed=4, budget=2.0)
    reason = Note(Finding.CHOSEN, "marched, as there are 180 neurons")
    walk = WalkCounts(1000, 2000)
    found = Provenance(
        Method.MARCH, torch.float64, Completeness.SEEDED, reason=reason, walk=walk, proof=proof
    )
    for words in (
        "1,000 seeds, 2,000 cells, 4 of them",
        "25% of the domain, proven within 2 s",
        "180 neurons",
    ):
        assert words in found.guarantee
    assert found.has(Finding.CHOSEN)
    assert found.status == ""
    assert str(found) == found.guarantee


def test_sentences_of_results_are_those_of_the_record() -> None:
    surface = extract_level_set(ball_program(3), Box([-2.0] * 3, [0.3] * 3))
    assert (surface.guarantee, surface.status) == (surface.provenance.guarantee, surface.provenance.status)
    assert str(surface.provenance) == f"{surface.guarantee}; {surface.status}"
    complex_ = extract_complex(ball_program(2), Box.cube(2, 1))
    assert complex_.provenance.completeness is Completeness.SUBDIVIDED


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"methods": "march"}, TypeError, "methods"),
        ({"method": "walk"}, ValueError, "subdivide, march, auto; got walk"),
        ({"degeneracy": "ignore"}, ValueError, "perturb, contract, error; got ignore"),
        ({"zero_sign": 0}, ValueError, "zero_sign must be 1 or -1, got 0"),
        ({"budget": float("nan")}, ValueError, "budget must be 0 or more, got nan"),
        ({"memory": -1}, ValueError, "memory must be 0 or more, got -1"),
    ],
)
def test_keywords_are_checked_by_name(keywords: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        options_of("call", keywords)
    with pytest.raises(error, match=words):
        extract_level_set(lower(MLP(2, 4, 1)), Box.cube(2, 1), **keywords)


def test_keywords_of_level_sets_are_no_keywords_of_complexes() -> None:
    with pytest.raises(TypeError, match="seeds"):
        extract_complex(lower(MLP(2, 4, 1)), Box.cube(2, 1), seeds=3)  # type: ignore[call-arg]
