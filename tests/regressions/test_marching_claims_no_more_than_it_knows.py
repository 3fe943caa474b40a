"""Marching doubled planes that lie in a crease, and claimed more than it had proven."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from creased import Affine, Block, Box, Program, extract_level_set
from creased.core.marching.halfplane_intersection import Facets, find_facets
from creased.core.native.available import SWITCH
from creased.core.numerics.tensors import map_tensors
from tests.invariants import cell_codes
from tests.strategies import assemble, random_program


def _plane_in_a_crease(slope: float, seed: int) -> Program:
    """A leaky neuron alone: its crease is the level set."""
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn((1, 3), generator=generator, dtype=torch.float64)
    bias = torch.rand(1, generator=generator, dtype=torch.float64) / 2
    head = Affine(torch.tensor([[0.5]]).double(), torch.zeros(1).double())
    return assemble([Affine(normal, bias), head], slope)


@pytest.mark.parametrize("slope", [0.01, 0.3, -0.5])
def test_a_level_set_in_a_crease_is_one_sheet(slope: float) -> None:
    for seed in range(8):
        program, box = _plane_in_a_crease(slope, seed), Box.cube(3, 1)
        whole = extract_level_set(program, box)
        marched = extract_level_set(program, box, method="march", seeds=5, complete=True)
        if slope < 0:  # f = |z| or the like: it touches the level, and has two sheets or none
            assert cell_codes(marched) == cell_codes(whole)
        else:
            assert whole.polygons.n == marched.polygons.n == 1
            assert marched.is_complete


def test_degenerate_leaky_networks_are_perturbed_as_in_subdivision() -> None:
    for seed in range(8):
        drawn = random_program(3, (8, 6), seed=seed, slope=0.25)
        program, box = map_tensors(drawn, lambda t: (4 * t).round() / 4), Box.cube(3, 1)
        marched = extract_level_set(program, box, method="march", seeds=7, complete=True)
        assert cell_codes(marched) == cell_codes(extract_level_set(program, box))


@pytest.mark.parametrize("scale", [1e160, 1e-160])
def test_slopes_that_cannot_be_squared_are_refused(scale: float) -> None:
    drawn, box = random_program(3, (8, 6), seed=1), Box.cube(3, 1)
    program = Program(drawn.blocks, Affine(drawn.head.weight * scale, drawn.head.bias * scale))
    with pytest.raises(ValueError, match="scale the network, or subdivide"):
        extract_level_set(program, box, method="march")
    assert not extract_level_set(program, box).is_empty


@pytest.mark.parametrize("switch", ["0", "1"])
def test_a_cell_without_a_face_is_no_proof(switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof finds vertices in cells that the walk knows, but found nothing in."""
    empty = find_facets
    monkeypatch.setenv(SWITCH, switch)
    if switch == "1":
        pytest.importorskip("numba")
        monkeypatch.setattr(
            "creased.core.marching.compiled_walk.coincidence", lambda dtype: 1e9
        )  # all doubtful

    def nothing(*args: Any) -> Facets:
        found = empty(*args)
        return Facets(*(part[:0] for part in found))

    monkeypatch.setattr("creased.core.marching.march.find_facets", nothing)
    monkeypatch.setattr("creased.core.escalation.is_large", lambda program: True)  # else it is subdivided
    program, box = random_program(3, (8, 6), seed=1), Box.cube(3, 1)
    found = extract_level_set(program, box, method="march", seeds=9, complete=True)
    assert not found.is_complete


@pytest.mark.parametrize("seed", range(4))
def test_rounding_far_from_the_origin_is_known(seed: int) -> None:
    drawn = map_tensors(random_program(3, (8, 6), seed=seed), lambda t: (4 * t).round() / 4)
    first, away = drawn.blocks[0].affine, torch.full((3,), 1e3, dtype=torch.float64)
    moved = Affine(first.weight, first.bias - first.weight @ away)
    program = Program((Block(moved), *drawn.blocks[1:]), drawn.head)
    found = extract_level_set(program, Box([999] * 3, [1001.5] * 3), method="march", seeds=9)
    assert found.n_inconsistent == 0


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        (torch.zeros(4, 2), r"points have shape \(m, 3\), got \(4, 2\)"),
        (torch.zeros(3), r"points have shape \(m, 3\), got \(3,\)"),
        ([1, 2], "give a number of points an axis, points .* or a level set, got list"),
        (9.5, "got float"),
    ],
)
def test_seeds_of_another_kind_are_refused(seeds: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        extract_level_set(random_program(3, (4,)), Box.cube(3, 1), method="march", seeds=seeds)


@pytest.mark.parametrize("limit", [-1.0, float("nan")])
def test_impossible_limits_are_refused(limit: float) -> None:
    program, box = random_program(3, (4,)), Box.cube(3, 1)
    with pytest.raises(ValueError, match="budget must be 0 or more"):
        extract_level_set(program, box, method="march", complete=True, budget=limit)
    with pytest.raises(ValueError, match="memory must be 0 or more"):
        extract_level_set(program, box, memory=limit)  # type: ignore[arg-type]


def test_a_neuron_whose_inputs_cancel_cuts_nothing() -> None:
    """In some cells a row was zero but for rounding, and cut them at random places."""
    first = [[1, 1, 0], [1, -1, -1], [0, 1, 0], [-1, 0, 1], [-1, -1, 1], [0, -1, 0], [1, -1, 0]]
    second = [
        [1, 0, 1, -1, 0, 0, 0],
        [-1, 0, 1, 0, 0, -1, 0],
        [0, -1, 0, 0, -1, -1, 0],
        [-1, 0, 1, -1, -1, -1, 1],
        [1, 1, -1, 1, -1, 0, 1],
        [1, 0, 1, -1, 0, 0, 0],
    ]
    layers = [(first, [0] * 7), (second, [1, 0, 0, 0, 0, 1]), ([[1, -1, 0, 1, 0, 0]], [-1])]
    affines = [Affine(torch.tensor(weight).double(), torch.tensor(bias).double()) for weight, bias in layers]
    program, box = assemble(affines), Box([-1, 0, -0.5], [3, 2, 1.5])
    for seeds, complete in ((2, True), (33, False)):
        marched = extract_level_set(program, box, method="march", seeds=seeds, complete=complete)
        assert cell_codes(marched) == cell_codes(extract_level_set(program, box))
        assert marched.n_inconsistent == 0
