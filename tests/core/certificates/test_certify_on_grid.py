"""Certificates of networks on a grid: what is right is certified, what was tampered with is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import creased
from creased import Box, Certificate, LevelSet, PolyhedralComplex, Polytope, Program, Simplex, certify
from creased.core import escalation
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.skeleton import Skeleton
from creased.core.certificates.grid_filter import GridSignFilter
from creased.core.domains.domain import Domain
from creased.core.grids.exact_rows import GridRows
from creased.core.grids.unweld import Unwelded
from creased.core.numerics.tensors import map_tensors
from creased.core.numerics.tolerance import doubtful_band
from creased.core.program.combine import difference, minimum
from creased.core.program.side_by_side import side_by_side
from tests.core.grids.test_grid_complex import ORACLES, network_of
from tests.slow import but_few
from tests.strategies import random_program

Found = PolyhedralComplex | LevelSet


def _random(
    dim: int, levels: tuple[int, ...], seed: int = 0, *, log2_table: int | None = None, step: float = 0.0
) -> Program:
    """Normal weights and features, rounded to multiples of a step."""
    torch.manual_seed(seed)
    network = creased.GridMLP(dim, levels, 2, (4, 3), log2_table=log2_table).double()
    with torch.no_grad():
        for parameter in network.parameters():
            nn.init.normal_(parameter)
            if step:
                parameter.copy_((parameter / step).round() * step)
    return creased.lower(network).detach()


def _middle(program: Program) -> float:
    points = torch.rand((500, program.in_dim), dtype=torch.float64) - 0.5
    return float(program.outputs_at(points)[:, 0].median()) + 1e-2  # where no neuron is active it is constant


def _both(
    program: Program, domain: Domain | None, level: float, **options: Any
) -> list[tuple[Found, Certificate]]:
    found: list[Found] = [
        creased.extract_complex(program, domain, level=level, **options),
        creased.extract_level_set(program, domain, level, **options),
    ]
    zero_sign = options.get("zero_sign", 1)
    return [(each, certify(each, program, level, zero_sign=zero_sign)) for each in found]


@pytest.mark.parametrize(
    ("dim", "levels", "log2_table"),
    [(2, (1,), None), (2, (1, 2, 4), None), (2, (3, 6), 4), (3, (1,), None), (3, (3,), None), (3, (2, 4), 4)],
)
def test_generic_networks_are_certified_without_rationals(
    dim: int, levels: tuple[int, ...], log2_table: int | None
) -> None:
    program = _random(dim, levels, seed=dim, log2_table=log2_table)
    for found, certificate in _both(program, None, _middle(program)):
        assert certificate.is_certified, str(certificate)
        assert certificate.is_complete
        assert certificate.n_rational == 0
        assert certificate.n_signs == len(found.words) * (found.layout.n_rows + dim + 1)
        assert "nothing is missed" in str(certificate)


@pytest.mark.parametrize(
    "domain",
    [
        Box((-0.3, -0.2, -0.41), (0.33, 0.47, 0.2)),
        Box((-0.5, -0.25, 0.0), (0.25, 0.5, 0.25)),  # on planes of the grid
        Simplex([[-0.4, -0.4, -0.4], [0.4, -0.3, -0.2], [-0.2, 0.45, -0.1], [0.0, 0.0, 0.45]]),
        Polytope([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1], [1, 1, 0]], [0.5] * 7),
    ],
)
def test_smaller_domains_are_certified(domain: Domain) -> None:
    program = _random(3, (2, 4))
    for found, certificate in _both(program, domain, _middle(program), exact=True):
        assert certificate.is_certified, str(certificate)
        assert len(found.vertices) > 0


def test_a_wall_on_a_plane_of_the_grid_leaves_nothing_outside() -> None:
    program, domain = _random(2, (1, 2, 4)), Box((-0.5, -0.25), (0.25, 0.5))
    found = creased.extract_complex(program, domain)
    places = (found.vertices * 2**40).round()
    assert len(places.unique(dim=0)) == len(places)


@pytest.mark.skipif(not ORACLES.exists(), reason="networks that are not part of the project")
@pytest.mark.parametrize("zero_sign", [1, -1])
def test_degenerate_networks_of_the_oracles_are_certified(zero_sign: int) -> None:
    for name, case in json.loads(ORACLES.read_text()).items():
        program = creased.lower(network_of(case)).detach()
        for _, certificate in _both(program, None, 0.0, exact=True, zero_sign=zero_sign):
            assert certificate.is_certified, f"{name}: {certificate}"


def _near_degenerate(seed: int) -> Program:
    """A network in tenths, with a neuron twice, no biases, and a level that vertices of the grid take."""
    program = _random(*((2, (1, 3)), (3, (1,)), (2, (1, 2, 4)), (2, (3,)))[seed % 4], seed, step=0.1)
    first = program.blocks[0].affine
    weight, bias = first.weight.clone(), torch.zeros_like(first.bias)
    weight[1] = 3 * weight[0]
    block = replace(program.blocks[0], affine=creased.Affine(weight, bias))
    return replace(program, blocks=(block, *program.blocks[1:]))


@pytest.mark.parametrize("seed", but_few(range(4), 2))
def test_near_degenerate_networks_take_rationals_and_are_right(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = _near_degenerate(seed)
    assert program.grid is not None
    level = float(program(program.grid.positions(torch.ones((1, program.in_dim)).long(), torch.float64)))
    for found, certificate in _both(program, None, level, exact=True):
        assert certificate.is_certified, str(certificate)
        assert certificate.n_rational > 0 or isinstance(found, LevelSet)
    contracted = creased.extract_complex(program, level=level, degeneracy="contract").f_vector()
    surface = creased.extract_level_set(program, None, level, degeneracy="contract")
    monkeypatch.setattr(escalation, "doubtful_band", lambda _: escalation.EVERYTHING)
    assert creased.extract_complex(program, level=level, degeneracy="contract").f_vector() == contracted
    again = creased.extract_level_set(program, None, level, degeneracy="contract")
    assert len(again.vertices) == len(surface.vertices)


def test_only_signs_in_doubt_are_decided_in_rationals(monkeypatch: pytest.MonkeyPatch) -> None:
    program, asked = _random(3, (2, 4)), list[tuple[int, ...]]()
    decide = GridRows.signs

    def counted(self: GridRows, point: tuple[int, ...], words: tuple[int, ...] = ()) -> tuple[int, ...]:
        asked.append(point)
        return decide(self, point, words)

    monkeypatch.setattr(GridRows, "signs", counted)
    found = creased.extract_complex(program, level=_middle(program), exact=True)
    assert len(asked) < len(found.vertices) / 100
    creased.extract_complex(program, level=_middle(program), degeneracy="contract")
    assert len(asked) < len(found.vertices) / 100
    assert doubtful_band(torch.float64) < 1e-6


def test_sums_and_minima_of_networks_on_grids_are_certified() -> None:
    one, other = _random(2, (1, 2), 1), _random(2, (2, 4), 2)
    for program in (minimum(one, other), difference(side_by_side(one, other), 0, 1)):
        for _, certificate in _both(program, None, _middle(program), exact=True):
            assert certificate.is_certified, str(certificate)


def test_surfaces_in_single_precision_are_certified_or_not_as_they_are() -> None:
    program = _random(3, (2, 4)).to(dtype=torch.float32)
    surface = creased.extract_level_set(program, None, _middle(program.to(dtype=torch.float64)))
    assert surface.vertices.dtype == torch.float32
    assert certify(surface, program).is_certified


def small() -> tuple[PolyhedralComplex, Program]:
    program = _random(2, (1, 2), seed=3)
    return creased.extract_complex(program, level=0.1), program


def _is_certified(found: Found, program: Program) -> bool:
    return certify(found, program, 0.1, count=False).is_certified


@pytest.mark.parametrize("dim", [2, 3])
def test_single_flipped_signs_are_found_wherever_they_are(dim: int) -> None:
    program = _random(dim, (2,), seed=dim)
    found = creased.extract_complex(program, level=0.1)
    assert _is_certified(found, program)
    for vertex in range(0, len(found.vertices), 1 + len(found.vertices) // 4):
        for row in range(found.layout.n_rows):
            words = found.words.clone()
            words[vertex, 0] ^= 1 << row
            assert not _is_certified(replace(found, words=words), program)


@pytest.mark.parametrize("simplex", [-1, 0, 3, 10**6])
def test_other_simplices_are_found(simplex: int) -> None:
    found, program = small()
    words = found.words.clone()
    chosen = int((words[:, -1] == 7).nonzero()[0])
    words[chosen, -1] = simplex
    assert not _is_certified(replace(found, words=words), program)


def test_missing_edge_repeated_edge_and_swapped_ends_are_found() -> None:
    found, program = small()
    ends = found.edges.clone()
    ends[0, 1], ends[1, 1] = found.edges[1, 1], found.edges[0, 1]
    again = torch.tensor([0, *range(len(found.edges))])
    for tampered in (
        replace(found, edges=found.edges[1:], edge_zero_ids=found.edge_zero_ids[1:]),
        replace(found, edges=found.edges[again], edge_zero_ids=found.edge_zero_ids[again]),
        replace(found, edges=ends),
    ):
        certificate = certify(tampered, program, 0.1)
        assert certificate.n_open > 0
        assert not certificate.is_certified


@pytest.mark.parametrize("name", ["zero_ids", "edge_zero_ids"])
def test_other_rows_of_a_vertex_or_an_edge_are_found(name: str) -> None:
    found, program = small()
    for cell in range(0, len(getattr(found, name)), 5):
        ids = getattr(found, name).clone()
        ids[cell, 0] -= 1
        assert certify(replace(found, **{name: ids}), program, 0.1, count=False).n_open > 0


def test_complex_listed_twice_is_found() -> None:
    found, program = small()
    parts = {name: torch.cat([getattr(found, name)] * 2) for name in ("vertices", "zero_ids", "words")}
    edges = torch.cat([found.edges, found.edges + len(found.vertices)])
    twice = replace(found, **parts, edges=edges, edge_zero_ids=torch.cat([found.edge_zero_ids] * 2))
    certificate = certify(twice, program, 0.1, count=False)
    assert certificate.n_open == certificate.n_wrong == 0
    assert certificate.n_repeated == len(found.vertices)


def test_missing_component_and_swapped_polygon_corners_of_a_surface_are_found() -> None:
    program = _random(3, (2, 4))
    surface = creased.extract_level_set(program, None, _middle(program))
    corners = surface.polygons.indices.clone()
    corners[0], corners[1] = surface.polygons.indices[1], surface.polygons.indices[0]
    tampered = replace(surface, polygons=replace(surface.polygons, indices=corners))
    assert certify(surface, program).is_certified
    assert certify(tampered, program).n_inconsistent_faces > 0
    assert certify(replace(surface, level=surface.level + 0.1), program).n_wrong > 0


def test_vertex_out_of_place_is_decided_in_rationals_and_put_back() -> None:
    found, program = small()
    inside = int((found.zero_ids >= found.layout.n_walls).all(1).nonzero()[0])
    for far in (0.01, 1.0, 1e9, torch.nan):
        moved = found.vertices.clone()
        moved[inside] += far
        certificate = certify(replace(found, vertices=moved), program, 0.1)
        assert certificate.is_certified
        assert certificate.n_rational > 0
    reference = escalation.Reference(program, 0.1, 1)
    placed = escalation.first_certified(
        lambda _: replace(found, vertices=moved), escalation.Numbers(torch.float64), reference
    )
    torch.testing.assert_close(placed.vertices, found.vertices)


def test_other_weights_are_found() -> None:
    found, program = small()
    assert not _is_certified(found, map_tensors(program, lambda t: 1.1 * t + 0.01))
    with pytest.raises(ValueError, match=r"is of widths \(4, 3\) on 2 inputs"):
        certify(found, creased.lower(creased.GridMLP(2, (2,), 2, (4, 4)).double()))
    with pytest.raises(ValueError, match=r"on 2 inputs and a grid, the program has widths \(4, 3\) on 2"):
        certify(found, random_program(2, (4, 3)))


@pytest.mark.parametrize("levels", [(1,), (1, 2, 4)])
def test_networks_on_other_grids_are_found(levels: tuple[int, ...]) -> None:
    found, _ = small()
    assert certify(found, _random(2, levels, seed=3), 0.1).n_open > 0


@pytest.mark.parametrize("name", ["zero_ids", "edge_zero_ids", "words"])
def test_any_numbers_for_codes_are_found(name: str) -> None:
    found, program = small()
    codes = getattr(found, name)
    for low, high in ((-1000, 1000), (-10, 20), (0, 5)):
        noise = torch.randint(low, high, codes.shape).to(codes).sort(1).values
        assert not _is_certified(replace(found, **{name: noise}), program)


def test_what_was_given_up_is_not_certified() -> None:
    program = _random(3, (2, 4))
    surface = creased.extract_level_set(program, None, _middle(program), memory=1000, at_once=100)
    certificate = certify(surface, program)
    assert not certificate.is_certified
    assert certificate.n_open > 0
    with pytest.raises(ValueError, match="needs a whole complex"):
        certify(creased.extract_complex(program, memory=1000, at_once=100), program)


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_filter_doubts_every_wrong_sign(seed: int) -> None:
    program = _near_degenerate(seed)
    found = creased.extract_complex(program)
    generator = torch.Generator().manual_seed(seed)

    def move(tensor: Tensor) -> Tensor:
        return tensor + 1e-7 * torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)

    other = map_tensors(program, move)  # of which some signs are wrong
    assert other.grid is not None
    cells = Unwelded(found.skeleton(), other.grid, found.domain, found.layout)
    doubts = GridSignFilter(other, found.domain, cells.layout).by_slopes(found.vertices, cells.codes).any(1)
    exact, n_rows = GridRows(other, found.domain.exact_walls(), cells.layout), cells.layout.n_rows
    n_wrong = 0
    for doubt, zeros, words in zip(
        doubts.tolist(), cells.codes.zero_ids.tolist(), cells.codes.words.tolist(), strict=True
    ):
        try:
            true = exact.signs(exact.vertex(zeros, words, [0.0] * 3), words)
        except ArithmeticError:
            assert doubt
            continue
        mine = [2 * (words[0] >> row & 1) - 1 for row in range(n_rows)]
        is_wrong = any(mine[row] != true[row] for row in range(n_rows) if row not in zeros)
        assert doubt or not is_wrong
        n_wrong += is_wrong
    assert n_wrong > 0


def test_welded_cells_are_those_that_were_cut() -> None:
    program = _random(3, (1, 2), seed=1)
    for found in (
        creased.extract_complex(program),
        creased.extract_level_set(program, None, _middle(program)),
    ):
        skeleton = Skeleton(found.vertices, found.zero_ids, found.words, found.edges, found.edge_zero_ids)
        assert program.grid is not None
        cells = Unwelded(skeleton, program.grid, found.domain, found.layout)
        assert cells.n_malformed == 0
        soup = cells.soup.skeleton
        assert sum(len(slab.skeleton.edges) for slab in cells.slabs()) == len(soup.edges)
        vertex, number = cells.welder.weld(CellCodes(soup.words, soup.zero_ids))
        assert torch.equal(number, cells.soup.vertex)
        settled = cells.welder.in_users_rows(CellCodes(soup.words, soup.zero_ids).choose(vertex))
        assert torch.equal(settled.zero_ids, found.zero_ids)
        welded = cells.welder.weld_skeleton(soup).skeleton
        pairs = [edges.long().sort(1).values.unique(dim=0) for edges in (welded.edges, found.edges)]
        assert torch.equal(*pairs)
