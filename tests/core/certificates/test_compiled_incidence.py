"""Kernels match stubs along edges as torch does, and find the same faults."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from creased import Box, extract_complex
from creased.core.arrangement.skeleton import Skeleton
from creased.core.certificates.incidence import edges_from
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.native.available import SWITCH
from tests.strategies import random_program

pytest.importorskip("numba")

Spoil = Callable[[Skeleton], object]
SPOILT: dict[str, Spoil] = {
    "end": lambda cells: cells.edges[3].copy_(cells.edges[4].flip(0)),
    "zero of an edge": lambda cells: cells.edge_zero_ids[5].add_(1),
    "zero of a vertex": lambda cells: cells.zero_ids[7, -1].add_(1),
    "row that is none": lambda cells: cells.edge_zero_ids[5].fill_(1 << 20),
    "sign": lambda cells: cells.words[2].bitwise_xor_(torch.tensor(1 << 7)),
    "edge twice": lambda cells: [column[8].copy_(column[9]) for column in cells[3:]],
}


def _found(dim: int) -> PolyhedralComplex:
    return extract_complex(random_program(dim, (7, 6), seed=4), Box.cube(dim, 1))


def _matched(
    cells: Skeleton, found: PolyhedralComplex, monkeypatch: pytest.MonkeyPatch, switch: str
) -> Tensor:
    monkeypatch.setenv(SWITCH, switch)
    mates, n_wrong = edges_from(cells, found.layout, on_level=False)
    return torch.cat([mates.opposite, torch.tensor([n_wrong])])


@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_mates_are_those_of_torch(dim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _found(dim)
    compiled, torch_ = (_matched(found.skeleton(), found, monkeypatch, switch) for switch in "10")
    assert torch.equal(compiled, torch_)
    assert compiled[-1] == 0


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("what", SPOILT)
def test_faults_are_found(what: str, dim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _found(dim)
    cells = Skeleton(*(column.clone() for column in found.skeleton()))
    SPOILT[what](cells)
    n_wrong = [_matched(cells, found, monkeypatch, switch)[-1] for switch in "10"]
    assert n_wrong[0] == n_wrong[1] > 0


def test_an_end_that_does_not_exist_is_named() -> None:
    found = _found(3)
    cells = Skeleton(*(column.clone() for column in found.skeleton()))
    cells.edges[5, 1] = len(cells.vertices)
    with pytest.raises(IndexError, match="does not exist"):
        edges_from(cells, found.layout, on_level=False)
