"""The whole space: arrangements by Zaslavsky, deep networks beside a box that holds all of their vertices."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import pytest
import torch

from creased import (
    Affine,
    Block,
    Box,
    Program,
    WholeSpace,
    count_cells,
    extract_complex,
    extract_level_set,
    find_regions,
)
from creased.core.provenance import Finding
from tests.invariants import check_edges
from tests.strategies import ball_program, random_program

FAR = 1e5  # half the width of a box that holds all vertices of the networks here


@pytest.mark.parametrize("n", [4, 5, 6])
@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_arrangement_has_the_cells_of_zaslavsky(n: int, dim: int, device: torch.device) -> None:
    program = random_program(dim, (n,), seed=n, device=device)
    complex_ = extract_complex(program, WholeSpace(dim), level=None)
    assert complex_.f_vector() == tuple(
        comb(n, dim - k) * sum(comb(n - dim + k, i) for i in range(k + 1)) for k in range(dim + 1)
    )
    assert complex_.euler_characteristic() == (-1) ** dim
    is_ray = complex_.is_ray()
    n_bounded = int((~is_ray[complex_.edges.long()]).all(1).sum())
    assert complex_.edges.shape[0] - n_bounded == int(is_ray.sum())
    assert int(is_ray.sum()) == 2 * comb(n, dim - 1)
    torch.testing.assert_close(
        complex_.vertices[is_ray].norm(dim=1), torch.ones_like(is_ray[is_ray]).double()
    )
    check_edges(complex_)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("dim", "widths"), [(1, (4, 4)), (2, (6, 5)), (2, (4, 3, 4)), (3, (5, 5))])
def test_deep_network_has_the_cells_of_a_large_box(dim: int, widths: tuple[int, ...], seed: int) -> None:
    program = random_program(dim, widths, seed=seed, slope=0.25 * (seed == 2))
    open_, closed = (extract_complex(program, domain) for domain in (WholeSpace(dim), Box.cube(dim, FAR)))
    inner = int((closed.zero_ids >= closed.layout.n_walls).all(1).sum())
    assert open_.n_inconsistent == 0
    assert (open_.f_vector()[0], open_.f_vector()[dim]) == (inner, closed.f_vector()[dim])
    assert open_.euler_characteristic() == (-1) ** dim
    assert count_cells(program, WholeSpace(dim), at_once=20) == open_.f_vector()
    regions = find_regions(open_)
    assert regions.n == open_.f_vector()[dim]
    assert set(map(tuple, regions.sign_vectors()[:, 1:].tolist())) == set(
        map(tuple, find_regions(closed).sign_vectors()[:, 2 * dim :].tolist())
    )


@pytest.mark.parametrize(("depth", "n_regions"), [(1, 3), (2, 6), (3, 10), (4, 18), (5, 34)])
def test_iterated_tent_on_the_line(depth: int, n_regions: int) -> None:
    one = Affine(torch.tensor([[2.0], [4.0]]), torch.tensor([0.0, -2.0]))
    again = Affine(torch.tensor([[2.0, -2.0], [4.0, -4.0]]), torch.tensor([0.0, -2.0]))
    head = Affine(torch.tensor([[1.0, -1.0]]), torch.zeros(1))
    tent = Program((Block(one), *[Block(again)] * (depth - 1)), head)
    complex_ = extract_complex(tent, WholeSpace(1), level=None, dtype=torch.float64)
    places = torch.unique(complex_.vertices[~complex_.is_ray()].round(decimals=9))
    assert places.shape[0] + 1 == n_regions


def test_halfspaces_of_unbounded_regions_have_no_wall_at_infinity() -> None:
    program = random_program(2, (4,), seed=1)
    complex_ = extract_complex(program, WholeSpace(2), level=None)
    halfspaces = find_regions(complex_).halfspaces(program)
    assert int((halfspaces.rows < 1).sum()) == 0
    assert halfspaces.rows.shape[0] == 2 * complex_.f_vector()[1]


def test_neurons_keep_their_numbers_whichever_make_the_start() -> None:
    program = random_program(2, (5,), seed=3)
    block = program.blocks[0]
    weight, bias = block.affine.weight.clone(), block.affine.bias.clone()
    weight[1], bias[1] = 2 * weight[0], 2 * bias[0] + 1  # parallel: rows 0 and 2 make the start
    program = replace(program, blocks=(Block(Affine(weight, bias)),))
    complex_ = extract_complex(program, WholeSpace(2), level=None)
    finite = ~complex_.is_ray()
    values = program.preactivations(complex_.vertices[finite])[:, :5]
    signs = complex_.sign_vectors()[finite][:, 1:]
    assert bool((values[signs == 0].abs() < 1e-9).all())
    assert torch.equal(values[signs != 0].sign().to(torch.int8), signs[signs != 0])
    assert count_cells(program, WholeSpace(2), level=None, at_once=4) == complex_.f_vector()


def test_rays_leave_along_their_directions() -> None:
    program = random_program(3, (5, 4), seed=7)
    complex_ = extract_complex(program, WholeSpace(3))
    is_ray, signs = complex_.is_ray(), complex_.sign_vectors()
    first, second = complex_.edges.long().unbind(1)
    ends = torch.where(is_ray[first], second, first), torch.where(is_ray[first], first, second)
    apex, ray = (end[is_ray[first] | is_ray[second]] for end in ends)
    assert ray.shape[0] == int(is_ray.sum())
    points = complex_.vertices[apex] + 10 * complex_.vertices[ray]
    values = program.preactivations(points)
    expected = signs[ray][:, 1:]
    assert bool((values[expected == 0].abs() < 1e-9).all())
    assert torch.equal(values[expected != 0].sign().to(torch.int8), expected[expected != 0])


@pytest.mark.parametrize("dim", [2, 3])
def test_closed_level_set_is_that_of_a_box(dim: int) -> None:
    found = extract_level_set(ball_program(dim), WholeSpace(dim))
    expected = extract_level_set(ball_program(dim), Box.cube(dim, 2))
    assert found.is_bounded
    assert found.is_complete
    assert found.audit().is_closed
    assert found.vertices.shape == expected.vertices.shape
    assert found.polygons.n == expected.polygons.n


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_open_level_set_has_rays_and_unbounded_polygons(dim: int, seed: int) -> None:
    program = random_program(dim, (6, 4) if dim < 4 else (5,), seed=seed)
    found, boxed = (extract_level_set(program, domain) for domain in (WholeSpace(dim), Box.cube(dim, FAR)))
    audit, n_rays = found.audit(), int(found.is_ray().sum())
    assert found.n_inconsistent == 0
    assert audit.n_vertices - n_rays == int((~boxed.is_on_wall()).sum())
    assert found.provenance.has(Finding.UNBOUNDED) == (n_rays > 0)
    if dim == 3:
        assert (audit.is_oriented, audit.is_manifold) == (True, True)
        assert found.polygons.n == boxed.polygons.n
        assert audit.n_boundary_edges == n_rays
    assert float(found.residual[~found.is_ray()].max()) < 1e-9 if found.vertices.shape[0] > n_rays else True


def test_orientation_of_unbounded_polygons_is_that_of_a_box() -> None:
    program = random_program(3, (6, 4), seed=1)
    found, boxed = (extract_level_set(program, domain) for domain in (WholeSpace(3), Box.cube(3, FAR)))
    named = []
    for surface in (found, boxed):
        skip = surface.layout.n_walls
        rows = surface.zero_ids - skip
        turns = {}
        for start, end, words in zip(
            surface.polygons.offsets[:-1].tolist(),
            surface.polygons.offsets[1:].tolist(),
            surface.polygon_words.tolist(),
            strict=True,
        ):
            corners = [i for i in surface.polygons.indices[start:end].tolist() if int(rows[i].min()) >= 0]
            sign_bits = words[0] >> skip
            if len(corners) > 2:  # a cycle of corners that both have, from its least one
                cycle = [tuple(rows[i].tolist()) for i in corners]
                least = cycle.index(min(cycle))
                turns[sign_bits] = cycle[least:] + cycle[:least]
        named.append(turns)
    assert named[0] == named[1]
    assert len(named[0]) > 20


@pytest.mark.parametrize("options", [{"prune": True}, {"method": "march"}])
def test_pruning_and_marching_need_a_bounded_domain(options: dict) -> None:
    with pytest.raises(ValueError, match="need a bounded domain"):
        extract_level_set(random_program(3, (4,)), WholeSpace(3), **options)


def test_whole_space_has_a_dimension() -> None:
    with pytest.raises(ValueError, match="dim >= 1"):
        WholeSpace(0)


def test_single_precision_is_left_for_double() -> None:
    complex_ = extract_complex(random_program(2, (4,), dtype=torch.float32), WholeSpace(2))
    assert complex_.vertices.dtype == torch.float64
    assert complex_.provenance.has(Finding.IN_FLOAT64)
