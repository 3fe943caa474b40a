"""Networks without biases, all of whose rows pass through one point: rounding told their order wrongly.

Found by the fuzz test. Signs within rounding are decided in rationals; where they are too many, that is said.
"""

import pytest
import torch

from creased import MLP, Box, Program, certify, count_cells, extract_complex, extract_level_set, lower
from creased.core import escalation
from creased.core import extract_complex as complexes
from creased.core.native.available import SWITCH
from creased.core.provenance import Finding
from creased.core.subdivision import problem as problems

BOX = Box.cube(2, 0.5)


def without_biases(seed: int, dim: int = 2, width: int = 6) -> Program:
    torch.manual_seed(seed)
    network = MLP(dim, width, 2).double()
    for name, tensor in network.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.zeros_(tensor)
    return lower(network).detach()


@pytest.mark.parametrize("seed", [25, 85, 125])
def test_what_is_walked_is_proven_to_be_whole(seed: int) -> None:
    found = extract_level_set(without_biases(seed), BOX, method="march", complete=True)
    assert certify(found, without_biases(seed)).is_certified
    assert (found.n_inconsistent, found.is_complete) == (0, True)
    exact = extract_level_set(without_biases(seed), BOX, method="march", exact=True)
    assert exact.n_inconsistent == 0
    assert certify(exact, without_biases(seed)).is_certified


@pytest.mark.parametrize("seed", [85, 110, 125])
def test_level_set_that_float64_would_tear_is_right(seed: int) -> None:
    program = without_biases(seed)
    found = extract_level_set(program, BOX, prune=False)
    assert found.is_complete
    assert certify(found, program).is_certified


@pytest.mark.parametrize("seed", [11, 18, 45])
def test_complex_that_float64_would_tear_is_right(seed: int) -> None:
    program, box = without_biases(seed, 3, 5), Box.cube(3, 0.5)
    found = extract_complex(program, box)
    assert found.euler_characteristic() == 1
    assert certify(found, program).is_certified
    assert torch.equal(found.words, extract_complex(program, box, exact=True).words)


@pytest.mark.parametrize("seed", [11, 18, 45])
def test_counts_that_float64_would_tear_are_right(seed: int) -> None:
    program, box = without_biases(seed, 3, 5), Box.cube(3, 0.5)
    whole = extract_complex(program, box)
    assert count_cells(program, box, at_once=20) == count_cells(program, box) == whole.f_vector()


@pytest.mark.parametrize("seed", [85, 110, 125])
def test_what_is_torn_is_decided_in_rationals(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "MOST_DECIDED", 0)
    monkeypatch.setenv(SWITCH, "0")  # which networks are torn depends on how they are rounded
    program = without_biases(seed)
    found = extract_level_set(program, BOX, prune=False)
    assert found.provenance.has(Finding.IN_RATIONALS)
    assert certify(found, program).is_certified


@pytest.mark.parametrize("most", [0, 1, 5])
def test_signs_that_are_not_decided_are_said(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "MOST_DECIDED", most)
    found = extract_complex(without_biases(7, 3, 5), Box.cube(3, 0.5))
    assert found.provenance.has(Finding.UNDECIDED)
    assert not found.provenance.is_complete


def test_many_vertices_are_not_decided_again_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "MOST_DECIDED", 0)
    monkeypatch.setenv(SWITCH, "0")
    monkeypatch.setattr(escalation, "FEW_VERTICES", 3)
    found = extract_level_set(without_biases(85), BOX, prune=False)
    assert found.n_inconsistent > 0
    assert not found.is_complete
    assert found.provenance.has(Finding.RATIONALS_ADVISED)
    monkeypatch.setattr(complexes, "FEW_VERTICES", 3)
    with pytest.raises(ArithmeticError, match=r"extract_complex\(exact=True\) decides in rationals"):
        count_cells(without_biases(11, 3, 5), Box.cube(3, 0.5))
