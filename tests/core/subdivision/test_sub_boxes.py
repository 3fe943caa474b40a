"""Sub-boxes fill the box that they divide; what is cut in them is the whole, of degenerate networks too."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from creased import MLP, Box, LevelSet, PolyhedralComplex, Program, extract_complex, extract_level_set, lower
from creased.core.degeneracy import treat
from creased.core.extract_complex import complex_of
from creased.core.native.available import SWITCH
from creased.core.numerics.memory import Resources
from creased.core.numerics.tensors import map_tensors
from creased.core.numerics.tolerance import doubtful_band
from creased.core.subdivision import sub_boxes
from creased.core.subdivision.merge import Extraction, collect
from creased.core.subdivision.problem import EVERYTHING, Numbers, SubdivisionProblem, make_problem
from creased.core.subdivision.sub_boxes import Parts, collect_in_parts, split_box
from creased.parallel import extract_complex_in_parts, extract_level_set_in_parts
from tests.invariants import cell_codes, check_same
from tests.slow import slow
from tests.strategies import Case, random_program

Draw = torch.Generator


@pytest.mark.parametrize("n_parts", [1, 2, 5, 8])
def test_sub_boxes_fill_the_box(n_parts: int) -> None:
    parts = split_box(Box([0, 0, 0], [3, 2, 1]), n_parts)
    volumes = [math.prod(upper - lower for lower, upper in zip(p.lower, p.upper, strict=True)) for p in parts]
    assert len(parts) == n_parts
    assert sum(volumes) == pytest.approx(6)
    assert max(volumes) < 3 * min(volumes)


def _no_bias(tensor: Tensor, _: Draw) -> Tensor:
    return tensor * (tensor.dim() > 1)


def _ternary(tensor: Tensor, _: Draw) -> Tensor:
    return tensor.round().clamp(-1, 1) if tensor.dim() > 1 else (2 * tensor).round() / 2


def _integer(tensor: Tensor, _: Draw) -> Tensor:
    return (3 * tensor).round()


def _half_pruned(tensor: Tensor, generator: Draw) -> Tensor:
    return tensor * (torch.rand(tensor.shape, generator=generator) < 0.5)


def _with_copies(tensor: Tensor, _: Draw) -> Tensor:
    return torch.cat([tensor[:-1], -2 * tensor[:1]]) if len(tensor) > 1 else tensor


KINDS: dict[str, tuple[float, tuple[Callable[[Tensor, Draw], Tensor], ...]]] = {  # slope, and what is done
    "no bias": (0, (_no_bias,)),
    "leaky, no bias": (0.1, (_no_bias,)),
    "ternary": (0, (_ternary,)),
    "ternary, no bias": (0, (_ternary, _no_bias)),
    "integer": (0, (_integer,)),
    "half-pruned": (0, (_half_pruned,)),
    "copies": (0, (_with_copies,)),
}


def degenerate_case(kind: str, seed: int) -> Case:
    """Draw a network of a kind, and a box in or beside whose centre its creases meet."""
    generator = torch.Generator().manual_seed(seed)
    dim, depth = (int(torch.randint(1, 4, (), generator=generator)) for _ in range(2))
    widths = torch.randint(2, {1: 11, 2: 11, 3: 7}[dim], (depth + (dim < 3),), generator=generator)
    slope, steps = KINDS[kind]
    program = random_program(dim, widths.tolist(), seed=seed, slope=slope)
    for step in steps:
        program = map_tensors(program, lambda tensor, step=step: step(tensor, generator))
    boxes = Box.cube(dim, 0.7), Box.cube(dim, 1), Box([-0.3] * dim, [1.1] * dim), Box([0] * dim, [1] * dim)
    return Case(program, boxes[seed % len(boxes)])


def _is_the_whole(kind: str, seed: int, *, level_set: bool) -> bool:
    """True if parts give the whole; where they do not they have to say so."""
    program, box = degenerate_case(kind, seed)
    found: PolyhedralComplex | LevelSet
    whole: PolyhedralComplex | LevelSet
    if level_set:
        whole = extract_level_set(program, box, exact=True)
        found = extract_level_set_in_parts(program, box, n_parts=2 + seed % 7, prune=seed % 2 == 0)
    else:
        whole = extract_complex(program, box, exact=True)
        found = extract_complex_in_parts(program, box, n_parts=2 + seed % 7)
    if cell_codes(found) == cell_codes(whole) and found.status == whole.status:
        check_same(found, whole)
        return True
    assert found.n_inconsistent > 0, (kind, seed)
    return False


@pytest.mark.parametrize("level_set", [False, True])
def test_degenerate_networks_in_parts_are_the_whole(level_set: bool) -> None:
    cases = [(kind, seed) for kind in KINDS for seed in range(2)]
    n_same = sum(_is_the_whole(*case, level_set=level_set) for case in cases)
    assert n_same >= 0.95 * len(cases)


@pytest.mark.parametrize("seed", [slow(60), 76])
def test_vertices_between_values_that_are_rounding_are_in_their_places(seed: int) -> None:
    assert _is_the_whole("leaky, no bias", seed, level_set=False)


@pytest.mark.parametrize("seed", [1, 24, 51, 65])
def test_layers_whose_values_are_rounding_are_decided(seed: int) -> None:
    program, box = degenerate_case("ternary, no bias", seed)
    generator = torch.Generator().manual_seed(seed)
    moved = map_tensors(
        program, lambda t: t + 1e-16 * torch.randn(t.shape, generator=generator, dtype=t.dtype)
    )
    check_same(extract_complex_in_parts(moved, box, n_parts=3), extract_complex(moved, box, exact=True))


@pytest.mark.slow
@pytest.mark.parametrize("level_set", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_many_degenerate_networks_in_parts_are_the_whole(kind: str, level_set: bool) -> None:
    n_same = sum(_is_the_whole(kind, seed, level_set=level_set) for seed in range(2, 102))
    assert n_same >= 95


def _without_biases(dim: int, width: int, seed: int) -> Program:
    torch.manual_seed(seed)
    network = MLP(dim, width, 2).double()
    for tensor in network.parameters():
        if tensor.dim() == 1:
            torch.nn.init.zeros_(tensor)
    return lower(network).detach()


def _sent(cut: Callable[[Any], Any], parts: Sequence[Any]) -> Iterable[Any]:
    """A map that sends what it maps, and what it gets, as other processes do."""
    return [pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(cut))(part))) for part in parts]


def _in_parts(problem: SubdivisionProblem, parts: Parts) -> PolyhedralComplex:
    return complex_of(problem, *collect_in_parts(problem, parts))


def test_a_part_sent_elsewhere_decides_by_its_own_walls() -> None:
    program, box = _without_biases(2, 4, seed=0), Box.cube(2, 0.7)
    problem = make_problem(program, box, 0.0, Numbers(torch.float64), Resources())
    check_same(_in_parts(problem, Parts(5, _sent)), extract_complex(program, box, exact=True))


@pytest.mark.parametrize("kind", KINDS)
def test_what_coincides_is_contracted_in_parts_as_in_the_whole(kind: str) -> None:
    program, box = degenerate_case(kind, seed=7)
    problem = make_problem(program, box, 0.0, Numbers(torch.float64, EVERYTHING), Resources())
    found = treat(_in_parts(problem, Parts(3)), problem, "contract").true
    whole = extract_complex(program, box, degeneracy="contract").true
    assert found is not None
    assert whole is not None
    for dim in range(program.in_dim + 1):
        mine, theirs = (sorted(cells.sign_vectors(dim).tolist()) for cells in (found, whole))
        assert mine == theirs


def test_parts_that_rounding_tears_are_decided_in_rationals(monkeypatch: pytest.MonkeyPatch) -> None:
    program, box = _without_biases(3, 5, seed=23), Box.cube(3, 0.5)
    monkeypatch.setenv(SWITCH, "0")  # which numbers are torn depends on how they are rounded
    monkeypatch.setattr(sub_boxes, "doubtful_band", lambda _: 0.0)
    check_same(extract_complex_in_parts(program, box), extract_complex(program, box, exact=True))
    monkeypatch.setattr(sub_boxes, "FEW_VERTICES", 3)
    assert extract_complex_in_parts(program, box).n_inconsistent > 0


def test_a_vertex_that_does_not_exist_is_decided_in_rationals(monkeypatch: pytest.MonkeyPatch) -> None:
    bands: list[float | None] = []

    def collect_or_raise(problem: SubdivisionProblem, *asked: Any) -> Extraction:
        bands.append(problem.band)
        if problem.band != EVERYTHING:
            raise ArithmeticError("the rows of a vertex are parallel")
        return collect(problem, *asked)

    monkeypatch.setattr(sub_boxes, "collect", collect_or_raise)
    program, box = random_program(2, (4, 3), seed=1), Box.cube(2, 1)
    check_same(extract_complex_in_parts(program, box, n_parts=2), extract_complex(program, box))
    assert bands == [doubtful_band(torch.float64), EVERYTHING] * 2
