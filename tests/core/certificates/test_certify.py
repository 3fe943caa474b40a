"""Certificates: what is right is certified, what was tampered with is not, and no wrong sign passes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from creased import (
    MLP,
    Affine,
    Box,
    PolyhedralComplex,
    Polytope,
    Program,
    Simplex,
    WholeSpace,
    certify,
    extract_complex,
    extract_level_set,
    lower,
    stream_complex,
)
from creased.core import escalation
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.skeleton import Skeleton
from creased.core.certificates.incidence import edges_from, sum_of_indices
from creased.core.certificates.sign_filter import SignFilter
from creased.core.exact.exact_signs import ExactRows
from creased.core.numerics.tensors import map_tensors
from tests.oracles import cells_of, exact_complex
from tests.strategies import (
    Case,
    assemble,
    ball_program,
    degenerate_cases,
    near_degenerate_cases,
    random_program,
)


@pytest.mark.parametrize(
    ("dim", "widths", "slope"),
    [(1, (6, 4), 0.0), (2, (8, 8), 0.0), (2, (6, 5), 0.3), (3, (8, 6), 0.0), (4, (6, 3), 0.0), (2, (), 0.0)],
)
def test_generic_complexes_and_level_sets_are_certified_without_rationals(
    dim: int, widths: tuple[int, ...], slope: float
) -> None:
    program, box = random_program(dim, widths, seed=dim, slope=slope), Box.cube(dim, 1)
    for found in (extract_complex(program, box), extract_level_set(program, box)):
        certificate = certify(found, program)
        assert certificate.is_certified, str(certificate)
        assert certificate.is_complete
        assert certificate.n_rational == 0
        assert certificate.n_signs == found.words.shape[0] * found.layout.n_rows
        assert "nothing is missed" in str(certificate)
    assert certify(extract_complex(program, box), program).euler_characteristic == 1


def test_certificate_of_a_marched_level_set_does_not_claim_completeness() -> None:
    program = ball_program(3)
    certificate = certify(extract_level_set(program, Box.cube(3, 1), method="march"), program)
    assert certificate.is_certified
    assert not certificate.is_complete
    assert "not proven" in str(certificate)


@pytest.mark.parametrize("output", [0, 1])
def test_level_and_output_are_those_of_the_level_set(output: int) -> None:
    program = random_program(2, (6, 5), out_dim=2).to(dtype=torch.float32)
    surface = extract_level_set(program, Box.cube(2, 1), 0.1, output=output, exact=True)
    assert surface.vertices.shape[0] > 0
    assert certify(surface, program).is_certified
    assert not certify(replace(surface, level=0.2), program).is_certified


@pytest.mark.parametrize(
    "domain",
    [
        WholeSpace(2),
        Simplex([[-1, -1], [1, -1], [0, 1.5]]),
        Polytope([[1, 0.3], [0, 1], [-1, -0.8]], [1, 1, 1]),
    ],
)
def test_other_domains_are_certified(domain: WholeSpace | Simplex | Polytope) -> None:
    program = random_program(2, (6, 4), seed=5)
    for found in (extract_complex(program, domain), extract_level_set(program, domain)):
        assert certify(found, program).is_certified


@given(degenerate_cases(dims=(1, 2, 2, 3), max_depth=3))
def test_degenerate_complexes_are_certified(case: Case) -> None:
    for extract in (extract_complex, extract_level_set):
        certificate = certify(extract(case.program, case.box, exact=True), case.program)
        assert certificate.is_certified, str(certificate)


@pytest.mark.parametrize("domain", [WholeSpace(2), Box.cube(2, 1)])
@pytest.mark.parametrize("zero_sign", [1, -1])
def test_flat_outputs_are_certified_with_the_sign_they_count_as(
    zero_sign: int, domain: WholeSpace | Box
) -> None:
    program = random_program(2, (5,), seed=1)
    head = replace(program.head, bias=torch.zeros(1).double(), matrix=program.head.weight.abs())
    program = replace(program, head=head)
    found = extract_complex(program, domain, exact=True, zero_sign=zero_sign)
    assert certify(found, program, zero_sign=zero_sign).is_certified


def small() -> tuple[PolyhedralComplex, Program]:
    program = random_program(2, (6, 4), seed=3)
    return extract_complex(program, Box.cube(2, 1)), program


def flipped(found: PolyhedralComplex) -> Tensor:
    """Words with one sign of one vertex wrong, of a row that does not vanish there."""
    row = next(r for r in range(4, found.layout.n_rows) if r not in found.zero_ids[7].tolist())
    words = found.words.clone()
    words[7, 0] ^= 1 << row
    return words


def test_wrong_sign_is_found() -> None:
    found, program = small()
    certificate = certify(replace(found, words=flipped(found)), program)
    assert not certificate.is_certified
    assert certificate.n_wrong > 0
    assert "NOT certified" in str(certificate)


def test_missing_edge_repeated_edge_and_swapped_ends_are_found() -> None:
    found, program = small()
    less = replace(found, edges=found.edges[1:], edge_zero_ids=found.edge_zero_ids[1:])
    twice = replace(
        found,
        edges=found.edges[[0, *range(len(found.edges))]],
        edge_zero_ids=found.edge_zero_ids[[0, *range(len(found.edges))]],
    )
    ends = found.edges.clone()
    ends[0, 1], ends[1, 1] = found.edges[1, 1], found.edges[0, 1]
    for tampered in (less, twice, replace(found, edges=ends)):
        certificate = certify(tampered, program)
        assert certificate.n_open > 0
        assert not certificate.is_certified


def joined(one: PolyhedralComplex, other: PolyhedralComplex) -> PolyhedralComplex:
    """Two lists one after the other."""
    n = one.vertices.shape[0]
    parts = {
        name: torch.cat([getattr(one, name), getattr(other, name)])
        for name in ("vertices", "zero_ids", "words", "edge_zero_ids")
    }
    return replace(one, **parts, edges=torch.cat([one.edges, other.edges + n]))


def test_complex_listed_twice_is_found() -> None:
    found, program = small()
    certificate = certify(joined(found, found), program, count=False)
    assert certificate.n_open == certificate.n_wrong == 0
    assert certificate.n_repeated == found.vertices.shape[0]
    assert not certificate.is_certified


def test_two_sheets_that_are_joined_crosswise_are_found() -> None:
    found, program = small()
    twice, n_edges, n = joined(found, found), found.edges.shape[0], found.vertices.shape[0]
    edges = twice.edges.clone()
    edges[[3, 3 + n_edges], 1] = twice.edges[[3 + n_edges, 3], 1]
    certificate = certify(replace(twice, edges=edges), program, count=False)
    assert certificate.n_open == certificate.n_wrong == 0
    assert certificate.n_repeated == n


@pytest.mark.parametrize("dim", [2, 3])
def test_single_flipped_signs_are_found_wherever_they_are(dim: int) -> None:
    program = random_program(dim, (4, 3), seed=dim)
    found = extract_complex(program, Box.cube(dim, 1))
    for vertex in range(0, found.vertices.shape[0], 7):
        for row in range(found.layout.n_rows):
            words = found.words.clone()
            words[vertex, 0] ^= 1 << row
            assert not certify(replace(found, words=words), program, count=False).is_certified


@pytest.mark.parametrize("column", [0, 1])
def test_other_rows_of_an_edge_or_vertex_are_found(column: int) -> None:
    program = random_program(3, (5, 3), seed=4)
    found = extract_complex(program, Box.cube(3, 1))
    of_edges, of_vertices = found.edge_zero_ids.clone(), found.zero_ids.clone()
    of_edges[11, column] += 1
    of_vertices[11, column] += 1
    assert certify(replace(found, edge_zero_ids=of_edges), program, count=False).n_open > 0
    assert certify(replace(found, zero_ids=of_vertices), program, count=False).n_open > 0


def test_missing_vertex_is_found() -> None:
    found, program = small()
    kept = torch.arange(found.vertices.shape[0]) != 5
    number = kept.cumsum(0) - 1
    left = kept[found.edges.long()].all(1)
    tampered = replace(
        found,
        vertices=found.vertices[kept],
        zero_ids=found.zero_ids[kept],
        words=found.words[kept],
        edges=number[found.edges[left].long()].int(),
        edge_zero_ids=found.edge_zero_ids[left],
    )
    assert certify(tampered, program).n_open > 0


def test_vertex_out_of_place_is_decided_in_rationals() -> None:
    found, program = small()
    moved = found.vertices.clone()
    moved[7] += 1.0
    certificate = certify(replace(found, vertices=moved), program)
    assert certificate.is_certified
    assert certificate.n_rational > 0


def test_other_weights_are_found() -> None:
    found, program = small()
    assert not certify(found, map_tensors(program, lambda t: 1.1 * t + 0.01)).is_certified
    with pytest.raises(ValueError, match=r"is of widths \(6, 4\) on 2 inputs"):
        certify(found, random_program(2, (6, 5)))


def test_piece_is_refused() -> None:
    program = random_program(2, (8, 8))
    piece = next(iter(stream_complex(program, Box.cube(2, 1), at_once=20)))
    with pytest.raises(ValueError, match="needs a whole complex"):
        certify(piece, program)


@given(near_degenerate_cases(dims=(1, 2, 3)))
@settings(max_examples=15)
def test_filters_doubt_every_wrong_sign(case: Case) -> None:
    found = extract_complex(case.program, case.box)
    generator = torch.Generator().manual_seed(0)
    other = map_tensors(
        case.program, lambda t: t + 1e-7 * torch.randn(t.shape, generator=generator).to(t)
    )  # of which some signs are wrong
    walls = case.box.halfspaces(torch.float64, torch.device("cpu"))
    exact = ExactRows(other, case.box.exact_walls(), found.layout)
    proof = SignFilter(other, walls, found.layout, found.vertices.abs().amax(0))
    codes = CellCodes(found.words, found.zero_ids)
    sides, n_open = edges_from(found.skeleton(), found.layout, on_level=False)
    assert n_open == 0
    doubts = proof.by_slopes(found.vertices, codes)
    coarse = proof.by_neighbours(found.vertices, codes, sides)
    signs = found.sign_vectors().tolist()
    for vertex, mine in enumerate(signs):
        zeros = found.zero_ids[vertex].tolist()
        try:
            true = exact.signs(exact.vertex(zeros, found.words[vertex].tolist(), [0.0] * 4))
        except ArithmeticError:
            assert bool(doubts[vertex].any() & coarse[vertex])
            continue
        wrong = [row for row, (a, b) in enumerate(zip(mine, true, strict=True)) if a != b]
        assert not wrong or bool(doubts[vertex].any() & coarse[vertex])


def test_rounding_is_bounded_cell_by_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """In deep networks, far below what it may be in any cell: fewer signs are left to rationals."""
    torch.manual_seed(2)
    program = lower(MLP(3, 16, 12).double()).detach()
    box = Box.cube(3, 1)
    found = extract_level_set(program, box, program(torch.zeros(3).double()).item(), method="march")
    walls = box.halfspaces(torch.float64, torch.device("cpu"))
    proof = SignFilter(program, walls, found.layout, torch.ones(3).double())
    points, masks = found.vertices[:4], found.activation_masks()[:4]
    bounds = proof._bounds_at(points, masks)
    assert bounds is not None
    assert bool((bounds.rounding <= proof.bounds.rounding).all())
    assert bool((bounds.rounding[:, -1] < 0.1 * proof.bounds.rounding[-1]).all())
    rows = program.preactivations_on(points, masks)
    for i in range(len(points)):
        state, exact = [Fraction(x) for x in points[i].tolist()], []
        for block, mask in zip(program.blocks, masks[i].split(program.widths), strict=True):
            exact += (z := _affine(block.affine, state))
            state = [value * int(active) for value, active in zip(z, mask.tolist(), strict=True)]
        exact += _affine(program.head, state)
        errors = [abs(Fraction(x) - y) for x, y in zip(rows[i].tolist(), exact, strict=True)]
        limits = bounds.rounding[i, found.layout.n_walls :].tolist()
        assert all(error <= limit for error, limit in zip(errors, limits, strict=True))
    codes = CellCodes(found.words, found.zero_ids)
    n_left = int(proof.by_slopes(found.vertices, codes).sum())
    monkeypatch.setattr(proof, "_bounds_at", lambda *_: None)
    assert n_left <= int(proof.by_slopes(found.vertices, codes).sum())


def _affine(affine: Affine, state: list[Fraction]) -> list[Fraction]:
    rows = zip(affine.weight.tolist(), affine.bias.tolist(), strict=True)
    return [
        sum((Fraction(w) * x for w, x in zip(row, state, strict=True)), Fraction(bias)) for row, bias in rows
    ]


def test_narrow_band_is_widened_where_a_sign_is_wrong() -> None:
    found, program = small()
    tampered = replace(found, words=flipped(found))
    asked: list[escalation.Numbers] = []

    def find(numbers: escalation.Numbers) -> PolyhedralComplex:
        asked.append(numbers)
        return tampered if len(asked) == 1 else found

    numbers = escalation.Numbers(torch.float64)
    assert escalation.first_certified(find, numbers, escalation.Reference(program, 0.0, 1)) is found
    assert asked[1].band == 1.0


def test_codes_ascend_or_are_refused() -> None:
    found, program = small()
    swapped = replace(found, zero_ids=found.zero_ids.flip(1))
    assert certify(swapped, program, count=False).n_open > 0


@pytest.mark.parametrize("seed", range(6))
def test_degenerate_leaky_nets_have_the_perturbed_cells_and_are_certified(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    dim = 2 + seed % 2
    affines = [
        Affine(*(torch.randint(-2, 3, shape, generator=generator).double() / 2 for shape in ((b, a), (b,))))
        for a, b in pairwise((dim, 4, 3, 1))
    ]
    program, box = assemble(affines, slope=0.5), Box.cube(dim, 1)
    found = extract_complex(program, box, exact=True)
    exact = exact_complex(assemble(affines), [-1] * dim, [1] * dim, perturb=True, slope=0.5)
    assert cells_of(found) == exact.cells[0]
    certificate = certify(found, program)
    assert certificate.is_certified
    assert certificate.n_rational > 0


def test_creases_through_the_edges_of_a_simplex_are_decided_exactly() -> None:
    first = [[-1, 1, -1], [0, -1, -1], [-1, 1, 1], [-1, 0, -1]]
    layers = [
        Affine(torch.tensor(weight).double(), torch.zeros(len(weight)).double())
        for weight in (first, [[-1, 1, -1, 1]], [[1]])
    ]
    program = assemble(layers)
    simplex = Simplex([[-2, -2, -1], [1, -2, 2], [-2, 1, -1], [2, 2, -1]])
    for extract in (extract_complex, extract_level_set):
        assert certify(extract(program, simplex, exact=True), program).is_certified
    assert extract_complex(program, simplex, degeneracy="contract").euler_characteristic() == 1


@pytest.mark.parametrize(("dim", "widths"), [(1, (6, 4)), (2, (8, 8)), (3, (8, 6)), (4, (6, 3))])
def test_lowest_vertices_give_the_euler_characteristic_of_a_box(dim: int, widths: tuple[int, ...]) -> None:
    found = extract_complex(random_program(dim, widths, seed=dim), Box.cube(dim, 1))
    skeleton = Skeleton(found.vertices, found.zero_ids, found.words, found.edges, found.edge_zero_ids)
    mates, _ = edges_from(skeleton, found.layout, on_level=False)
    assert sum_of_indices(found.vertices, mates) == 1 == found.euler_characteristic()

    def without(edge: int) -> int:
        kept = torch.arange(len(found.edges)) != edge
        left = skeleton._replace(edges=found.edges[kept], edge_zero_ids=found.edge_zero_ids[kept])
        return sum_of_indices(found.vertices, edges_from(left, found.layout, on_level=False)[0])

    assert any(without(edge) != 1 for edge in range(len(found.edges)))
