"""Cells of all dimensions and their facets: counts, closedness and orientation."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from creased import MLP, Box, PolyhedralComplex, WholeSpace, extract_complex, lower
from creased.core.arrangement.cofaces import arrange
from creased.core.arrangement.facets import CellLattice, find_lattice
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.domains.domain import Domain


def lattice_of(found: PolyhedralComplex) -> CellLattice:
    return find_lattice(CellCodes(found.words, found.zero_ids), arrange(found.layout, found.words.device))


def boundary(lattice: CellLattice, dim: int) -> torch.Tensor:
    """The boundary matrix of cells of one dimension, dense."""
    matrix = torch.zeros(
        (len(lattice.codes[dim - 1].words), len(lattice.codes[dim].words)), dtype=torch.int64
    )
    facets = lattice.facets[dim - 1]
    matrix.index_put_((facets.facet, facets.cell), facets.sign, accumulate=True)
    return matrix


@pytest.mark.parametrize(("dim", "width"), [(1, 5), (2, 6), (3, 4), (4, 3)])
@pytest.mark.parametrize("is_bounded", [True, False])
def test_boundaries_of_boundaries_vanish(dim: int, width: int, is_bounded: bool) -> None:
    domain: Domain = Box.cube(dim, 0.5) if is_bounded else WholeSpace(dim)
    program = lower(MLP(in_dim=dim, width=max(width, dim), depth=2).double())
    lattice = lattice_of(extract_complex(program, domain, level=None))
    matrices = [boundary(lattice, k) for k in range(1, dim + 1)]
    assert all(bool((matrix.abs() <= 1).all()) for matrix in matrices)
    assert bool((matrices[0].abs().sum(0) == 2).all())  # an edge has two ends
    for lower_matrix, upper_matrix in pairwise(matrices):
        assert not bool((lower_matrix @ upper_matrix).any())
    euler = sum((-1) ** k * len(codes.words) for k, codes in enumerate(lattice.codes))
    assert euler == 1  # a ball, of the whole space too


def test_cells_are_those_of_the_f_vector() -> None:
    found = extract_complex(MLP(in_dim=3, width=6, depth=2).double(), Box.cube(3, 0.5))
    assert tuple(len(codes.words) for codes in lattice_of(found).codes) == found.f_vector()
