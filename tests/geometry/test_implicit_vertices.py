"""Vertices solved from the live weights: the same at extraction, and exact after the weights move."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from creased import Affine, Block, Box, LevelSet, Polytope, Program, extract_level_set
from creased.core.arrangement.signs import sign_vectors
from creased.core.numerics.tensors import map_tensors
from creased.geometry import edge_lengths, implicit_vertices, row_adjoints, solve_vertices
from tests.slow import slow
from tests.strategies import ball_program, random_program


def signs_of(surface: LevelSet) -> list[tuple[int, ...]]:
    """Sign vectors of the vertices: their names."""
    return [tuple(s) for s in sign_vectors(surface.words, surface.zero_ids, surface.layout.n_rows).tolist()]


def nudged(program: Program, size: float) -> Program:
    """The program with all its weights moved a little."""
    generator = torch.Generator().manual_seed(9)

    def move(affine: Affine) -> Affine:
        noise = [
            torch.randn(t.shape, generator=generator, dtype=torch.float64)
            for t in (affine.weight, affine.bias)
        ]
        return Affine(affine.weight + size * noise[0], affine.bias + size * noise[1])

    def move_block(block: Block) -> Block:
        affine = move(block.affine)
        if block.skip is None:
            return replace(block, affine=affine)
        slope = block.skip / block.affine.weight
        return replace(block, affine=affine, skip=slope * affine.weight, shift=slope[:, 0] * affine.bias)

    return Program(tuple(move_block(block) for block in program.blocks), move(program.head))


@pytest.mark.parametrize("slope", [0.0, 0.3])
@pytest.mark.parametrize("level", [0.0, 0.05])
@pytest.mark.parametrize(
    ("dim", "widths"), [(1, (8, 6)), (2, (8, 7)), (3, (7, 5)), (3, (5, 4, 4)), (4, (5, 4)), (2, ())]
)
def test_solved_vertices_are_the_extracted_ones(
    dim: int, widths: tuple[int, ...], level: float, slope: float, device: torch.device
) -> None:
    program = random_program(dim, widths, seed=dim, slope=slope, device=device)
    surface = extract_level_set(program, Box.cube(dim, 1), level)
    assert not surface.is_empty
    solved = solve_vertices(surface, program)
    assert bool(solved.is_regular.all())
    torch.testing.assert_close(solved.vertices, surface.vertices, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(implicit_vertices(surface, program), solved.vertices)


@pytest.mark.parametrize("slope", [0.0, 0.3])
@pytest.mark.parametrize(("dim", "widths"), [(1, (8, 6)), (2, (8, 7)), (3, (7, 5)), (3, (5, 4, 4))])
def test_one_step_lands_on_the_vertices_of_the_moved_network(
    dim: int, widths: tuple[int, ...], slope: float
) -> None:
    program = random_program(dim, widths, seed=dim, slope=slope)
    moved = nudged(program, 1e-4)
    before, after = (extract_level_set(p, Box.cube(dim, 1)) for p in (program, moved))
    solved = implicit_vertices(before, moved)
    place = {signs: i for i, signs in enumerate(signs_of(after))}
    common = [(i, place[signs]) for i, signs in enumerate(signs_of(before)) if signs in place]
    assert len(common) >= 0.8 * before.vertices.shape[0] > 0
    mine, theirs = torch.tensor(common).unbind(1)
    assert float((before.vertices[mine] - after.vertices[theirs]).abs().max()) > 1e-6
    torch.testing.assert_close(solved[mine], after.vertices[theirs], rtol=1e-9, atol=1e-9)


def test_chosen_vertices_are_solved_alone() -> None:
    program = ball_program(3)
    surface = extract_level_set(program, Box.cube(3, 1))
    which = torch.tensor([5, 0, 5])
    everything = implicit_vertices(surface, nudged(program, 1e-3))
    torch.testing.assert_close(implicit_vertices(surface, nudged(program, 1e-3), which), everything[which])


def test_vertices_on_walls_stay_on_them() -> None:
    program = random_program(3, (6, 5), seed=2)
    surface = extract_level_set(program, Box.cube(3, 1))
    on_wall = surface.zero_ids < surface.layout.n_walls
    assert bool(on_wall.any())
    solved = implicit_vertices(surface, nudged(program, 1e-3))
    vertex, slot = on_wall.nonzero(as_tuple=True)
    wall = surface.zero_ids[vertex, slot].long()
    torch.testing.assert_close(solved[vertex, wall // 2], (2.0 * (wall % 2) - 1).double())


def test_dependent_rows_keep_the_detached_point_and_a_finite_gradient() -> None:
    weight = torch.tensor([[1.0, 0.2], [1.0, 0.2], [0.3, 1.0]], dtype=torch.float64)
    bias = torch.tensor([0.1, 0.1, 0.2], dtype=torch.float64)
    head = Affine(torch.ones(1, 3, dtype=torch.float64), torch.tensor([-0.5], dtype=torch.float64))
    program = Program((Block(Affine(weight, bias)),), head)
    surface = extract_level_set(program, Box.cube(2, 2))
    zero_ids = surface.zero_ids.clone()
    zero_ids[0] = torch.tensor([4, 5])  # the two copies of one neuron
    spoiled = replace(surface, zero_ids=zero_ids)
    weight.requires_grad_()
    solved = solve_vertices(spoiled, program)
    assert solved.is_regular.tolist() == [False] + [True] * (surface.vertices.shape[0] - 1)
    torch.testing.assert_close(solved.vertices[0], surface.vertices[0])
    (gradient,) = torch.autograd.grad(solved.vertices.sum(), weight)
    assert bool(torch.isfinite(gradient).all())


def test_flat_network_has_no_regular_vertex_and_no_infinite_gradient() -> None:
    program = random_program(2, (5,), seed=3)
    surface = extract_level_set(program, Box.cube(2, 1))
    dead = Program((Block(Affine(torch.zeros(5, 2).double(), torch.zeros(5).double())),), program.head)
    dead.blocks[0].affine.weight.requires_grad_()
    solved = solve_vertices(surface, dead)
    assert not bool(solved.is_regular.any())
    torch.testing.assert_close(solved.vertices.detach(), surface.vertices)


def test_precision_follows_the_program() -> None:
    program = ball_program(3)
    surface = extract_level_set(program, Box.cube(3, 1))
    assert implicit_vertices(surface, program.to(dtype=torch.float32)).dtype == torch.float32


def test_edge_lengths_are_distances() -> None:
    vertices = torch.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]])
    edges: Tensor = torch.tensor([[0, 1], [1, 2], [2, 2]])
    torch.testing.assert_close(edge_lengths(vertices, edges), torch.tensor([5.0, 4.0, 0.0]))


def _square(x: Tensor) -> Tensor:
    return x.square().sum()


@pytest.mark.parametrize("batch", [16_384, slow(7)])
@pytest.mark.parametrize("second_order", [False, True])
@pytest.mark.parametrize("energy", [_square, Tensor.sum])
def test_second_derivatives_are_right(
    energy: Callable[[Tensor], Tensor], second_order: bool, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["creased.geometry.implicit_vertices"], "BATCH", batch)
    program = random_program(3, (4, 3), seed=3)
    surface = extract_level_set(program, Box.cube(3, 1))
    assert not surface.is_empty
    first = program.blocks[0].affine

    def energy_of(weight: Tensor, bias: Tensor) -> Tensor:
        live = Program((Block(Affine(weight, bias)), *program.blocks[1:]), program.head)
        return energy(implicit_vertices(surface, live, second_order=second_order))

    weights = [tensor.clone().requires_grad_() for tensor in (first.weight, first.bias)]
    assert torch.autograd.gradcheck(energy_of, weights)
    assert torch.autograd.gradgradcheck(energy_of, weights)


def test_derivatives_are_right_when_the_weights_have_moved() -> None:
    program = ball_program(3, 14, depth=2)
    surface = extract_level_set(program, Box.cube(3, 1))
    generator = torch.Generator().manual_seed(0)
    moved = map_tensors(program, lambda t: t + 1e-3 * torch.randn(t.shape, generator=generator).to(t))
    weights = [tensor.requires_grad_() for tensor in moved.tensors()]
    gradients = [
        torch.autograd.grad(_square(implicit_vertices(surface, moved, second_order=kept)), weights)
        for kept in (False, True)
    ]
    for first_order, whole in zip(*gradients, strict=True):
        torch.testing.assert_close(first_order, whole, rtol=1e-9, atol=1e-12)


def test_vertices_on_slanted_walls_stay_on_them(device: torch.device) -> None:
    program = random_program(3, (6, 4), seed=2, device=device)
    generator = torch.Generator().manual_seed(1)
    normals = torch.randn((12, 3), generator=generator, dtype=torch.float64)
    polytope = Polytope(normals, normals.norm(dim=1))
    surface = extract_level_set(program, polytope)
    moved = map_tensors(program, lambda t: t + 1e-6)
    found = solve_vertices(surface, moved)
    on_wall = surface.is_on_wall() & found.is_regular
    assert int(on_wall.sum()) > 3
    walls = polytope.halfspaces(program.dtype, program.device)
    rows = surface.zero_ids[on_wall].long().amin(1)
    heights = (found.vertices[on_wall] @ walls[:-1] + walls[-1]).gather(1, rows[:, None])
    assert float(heights.abs().max()) < 1e-12
    assert float((found.vertices - surface.vertices).abs().max()) > 1e-7


@pytest.mark.parametrize("second_order", [False, True])
def test_batches_give_the_same_positions_and_gradients(
    second_order: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = ball_program(3, 14, depth=2)
    surface = extract_level_set(program, Box.cube(3, 1))
    tensors = [tensor.requires_grad_() for tensor in program.tensors()]
    results = []
    for batch in (10_000, 7):
        monkeypatch.setattr(sys.modules["creased.geometry.implicit_vertices"], "BATCH", batch)
        x = implicit_vertices(surface, program, second_order=second_order)
        gradients = torch.autograd.grad((x**3).sum(), tensors, allow_unused=True)
        adjoints = row_adjoints(surface, program, surface.vertices)
        results.append([x, adjoints, *(g for g in gradients if g is not None)])
    for whole, parts in zip(*results, strict=True):
        torch.testing.assert_close(whole, parts)
