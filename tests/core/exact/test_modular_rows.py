"""Signs by residues are those of integers, vertex by vertex, on degenerate networks and beside them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from unittest.mock import patch

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from creased import MLP, Box, PolyhedralComplex, extract_complex, extract_level_set
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.certificates import proven_signs
from creased.core.complexes.unperturbed import TrueCells
from creased.core.exact import exact_signs, modular_program
from creased.core.exact.elimination import rank
from creased.core.exact.exact_signs import ExactRows, as_number, one_by_one
from creased.core.exact.integer_program import IntegerAffine
from creased.core.exact.residues import Moduli, SplitMatrix, centred, cofactors
from creased.core.native.available import SWITCH
from tests.strategies import Case, degenerate_cases, near_degenerate_cases

CASES = st.one_of(degenerate_cases(), near_degenerate_cases())


def extracted(case: Case) -> tuple[PolyhedralComplex, ExactRows, CellCodes]:
    found = extract_complex(case.program, case.box, exact=True)
    exact = ExactRows(case.program, case.box.exact_walls(), found.layout)
    return found, exact, CellCodes(found.words, found.zero_ids)


def every_row(found: PolyhedralComplex) -> Sequence[Tensor]:
    shape = (len(found.vertices), found.layout.n_rows)
    return torch.ones(shape, dtype=torch.bool).nonzero().unbind(1)


@given(CASES)
def test_signs_are_those_of_integers(case: Case) -> None:
    found, exact, codes = extracted(case)
    vertex, row = every_row(found)
    expected = one_by_one(exact, codes, found.vertices, vertex, row)
    with patch.object(exact_signs, "FEWEST", 0):
        assert exact.is_modular(len(found.vertices))
        signs, exists = exact.signs_at(codes, found.vertices, vertex, row)
    assert torch.equal(signs, expected.signs)
    assert exists.all()
    zeros = exact.zeros(codes, found.vertices)
    assert torch.equal(zeros, (signs == 0).view_as(zeros))


@given(CASES, st.data())
def test_kernels_find_the_residues_that_torch_finds(case: Case, data: st.DataObject) -> None:
    pytest.importorskip("numba")
    found, exact, codes = extracted(case)
    vertex, row = every_row(found)
    asked = torch.rand(len(row), generator=torch.Generator().manual_seed(data.draw(st.integers(0, 99)))) < 0.3
    shares, by = data.draw(st.booleans()), []
    for switch in ("0", "1"):
        with patch.dict(os.environ, {SWITCH: switch}), patch.object(modular_program, "KEPT", 1 << 6):
            looked = exact.modular.look(codes, vertex[asked], row[asked], shares=shares)
            by.append(
                (looked.points, looked.values, looked.shares, exact.modular.zeros(codes, found.vertices))
            )
    assert all(torch.equal(a, b) for a, b in zip(*by, strict=True))


def test_rows_of_first_layers_are_found_before_there_are_others() -> None:
    torch.manual_seed(82)  # signs of the first layer are in doubt
    network, box = MLP(in_dim=3, width=8, depth=2), Box.cube(3, 1)
    level = float(network(torch.zeros(1, 3)).detach())
    with patch.dict(os.environ, {SWITCH: "0"}):
        found = extract_level_set(network, box, level)
    assert found.is_complete
    by_kernels = extract_level_set(network, box, level)
    assert sorted(found.zero_ids.tolist()) == sorted(by_kernels.zero_ids.tolist())


@given(CASES)
def test_what_vanishes_is_found_wherever_points_are_said_to_be(case: Case) -> None:
    found, exact, codes = extracted(case)
    zeros = exact.modular.zeros(codes, found.vertices)
    assert torch.equal(exact.modular.zeros(codes, torch.zeros_like(found.vertices)), zeros)
    apart = torch.arange(len(zeros)).double()[:, None].expand(-1, found.dim)
    assert torch.equal(exact.modular.zeros(codes, apart), zeros)


@given(CASES)
def test_points_are_those_of_integers(case: Case) -> None:
    found, exact, codes = extracted(case)
    none = torch.zeros(0, dtype=torch.int64)
    looked = exact.modular.look(codes, none, none)
    assert looked.positions() == [[x / place[-1] for x in place[:-1]] for place in looked.places()]
    columns = zip(*(x.tolist() for x in (*codes, looked.sides())), strict=True)
    for (words, zero_ids, side), place in zip(columns, looked.places(), strict=True):
        *x, w = exact.vertex(zero_ids, words, [0.0] * found.dim)
        assert [a * w for a in place[:-1]] == [a * place[-1] for a in x]
        assert side == (place[-1] > 0) - (place[-1] < 0) != 0


@pytest.mark.parametrize("zero_sign", [1, -1])
@given(case=CASES, data=st.data())
def test_wrong_signs_are_counted_as_by_integers(case: Case, zero_sign: int, data: st.DataObject) -> None:
    found = extract_complex(case.program, case.box, zero_sign=zero_sign, exact=True)
    layout, points = found.layout, found.vertices
    exact = ExactRows(case.program, case.box.exact_walls(), layout)
    unsure = torch.ones((len(points), layout.n_rows), dtype=torch.bool)
    words = found.words.clone()
    for _ in range(data.draw(st.integers(0, 2))):  # the last row: later ones would depend on it
        vertex, row = data.draw(st.integers(0, len(points) - 1)), layout.n_rows - 1
        if row not in found.zero_ids[vertex].tolist():
            words[vertex, row // 64] ^= 1 << row % 64
    codes = CellCodes(words, found.zero_ids)
    nudges = proven_signs._nudges(found, case.program, layout, zero_sign)
    expected = sum(
        proven_signs._count_wrong(codes, points, vertex, exact, nudges) for vertex in range(len(points))
    )
    assert proven_signs._decide(codes, unsure, exact, zero_sign).n_wrong == expected


@given(degenerate_cases(dims=(1, 2, 3)))
def test_cells_that_keep_their_dimension_are_those_of_that_rank(case: Case) -> None:
    found = extract_complex(case.program, case.box, degeneracy="contract")
    assert isinstance(found.true, TrueCells)
    exact = ExactRows(case.program, case.box.exact_walls(), found.layout)
    for dim, signs in enumerate(found.true.signs):
        for zeros, words in zip(signs.unpack(found.layout.n_rows) == 0, signs.plus.tolist(), strict=True):
            forms = exact._forms(zeros.nonzero()[:, 0].tolist(), as_number(words))
            assert rank([form[:-1] for form in forms]) == found.dim - dim


@given(st.lists(st.integers(-(2**200), 2**200), min_size=1, max_size=5), st.integers(2, 5000))
def test_integers_are_told_by_their_residues(integers: list[int], n_terms: int) -> None:
    moduli = Moduli.of(max(map(abs, integers)), n_terms)
    columns = [[float(x % prime) for x in integers] for prime in moduli.primes]
    residues = torch.tensor(columns, dtype=torch.float64)
    for part, prime in zip(residues, moduli.primes, strict=True):
        centred(part, prime)
        assert part.abs().max() <= (prime + 1) / 2
        assert n_terms * ((prime + 1) // 2) ** 2 <= 2**52
    assert moduli.integers(residues) == integers
    assert moduli.signs(residues).tolist() == [(x > 0) - (x < 0) for x in integers]


@given(st.data())
def test_signs_near_the_largest_that_primes_tell(data: st.DataObject) -> None:
    bound = data.draw(st.integers(1, 2**150))
    integers = [sign * (bound - data.draw(st.integers(0, min(bound, 9)))) for sign in (1, -1)]
    moduli = Moduli.of(bound, data.draw(st.integers(2, 5000)))
    residues = torch.tensor([[float(x % p) for x in integers] for p in moduli.primes], dtype=torch.float64)
    for part, prime in zip(residues, moduli.primes, strict=True):
        centred(part, prime)
    assert moduli.signs(residues).tolist() == [(x > 0) - (x < 0) for x in integers]


def test_matrices_modulo_several_primes_at_once() -> None:
    generator = torch.Generator().manual_seed(0)
    for n_zeros in (0, 7):  # dense and sparse
        rows = torch.randn((5, 8), generator=generator, dtype=torch.float64)
        rows[:, :n_zeros] = 0
        split = SplitMatrix.of(IntegerAffine.of_rows(rows.tolist(), 7))
        primes = (1_000_003, 999_983, 65_537)
        state = torch.randint(-9, 9, (3, 8, 4), generator=generator).double()
        product = split.modulo(primes) @ state
        for i, prime in enumerate(primes):
            alone = split.modulo((prime,)) @ state[i : i + 1]
            assert torch.equal(product[i], alone[0])
    assert split.modulo(primes).entries.is_sparse


def test_cofactors_are_orthogonal_to_rows() -> None:
    rows = torch.randint(-50, 50, (3, 7, 4)).double()
    found = cofactors(rows, 1_000_003)
    assert torch.equal((rows * found).sum(2) % 1_000_003, torch.zeros(3, 7).double())
    square = torch.linalg.det(rows[:, :, :3].transpose(0, 1)).round()
    torch.testing.assert_close(-found[:, 3], centred(square, 1_000_003))
