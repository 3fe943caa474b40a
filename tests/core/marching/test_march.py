"""Marching finds the components that it is seeded on, cell by cell as subdivision does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest
import torch
from hypothesis import given
from torch import Tensor

from creased import MLP, Affine, Block, Box, Program, extract_level_set, lower
from creased.core.native.available import SWITCH, is_native
from creased.core.numerics.tensors import map_tensors
from creased.core.provenance import Completeness, Finding, Method
from tests.invariants import cell_codes, inner_points, vertex_codes, vertices_by_code
from tests.oracles import named_case
from tests.slow import slow
from tests.strategies import Case, ball_program, degenerate_cases, generic_cases, random_program


@pytest.fixture(autouse=True, params=["batches", "compiled"], scope="module")
def _engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test runs on both walks; without numba, the second alone."""
    if request.param == "compiled":
        pytest.importorskip("numba")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, "1" if request.param == "compiled" else "0")
        yield


@given(generic_cases(dims=(2, 3)))
def test_seeded_everywhere_it_is_the_whole_level_set(case: Case) -> None:
    whole = extract_level_set(case.program, case.box)
    marched = extract_level_set(case.program, case.box, method="march", seeds=inner_points(whole))
    assert marched.n_inconsistent == 0
    assert cell_codes(marched) == cell_codes(whole)
    torch.testing.assert_close(marched.residual, torch.zeros_like(marched.residual), atol=1e-9, rtol=0)


@pytest.mark.parametrize("depth", [1, slow(2), 3])
@pytest.mark.parametrize("dim", [2, 3])
def test_one_seed_finds_its_component(dim: int, depth: int) -> None:
    program, box = ball_program(dim, 7 * dim - 7, depth=depth), Box.cube(dim, 1)
    whole = extract_level_set(program, box)
    marched = extract_level_set(program, box, method="march", seeds=inner_points(whole)[:1])
    assert cell_codes(marched) == cell_codes(whole)
    assert replace(marched.audit(), max_residual=0) == replace(whole.audit(), max_residual=0)
    assert marched.provenance.walk is not None
    assert marched.provenance.walk.n_seeds == 1


def test_grid_finds_the_level_set() -> None:
    program, box = random_program(3, (12, 12, 12), seed=5), Box.cube(3, 1)
    whole = extract_level_set(program, box)
    marched = extract_level_set(program, box, method="march")
    assert cell_codes(marched) == cell_codes(whole)
    assert marched.audit().is_manifold
    torch.testing.assert_close(*(vertices_by_code(found) for found in (marched, whole)))


CLOSED = ["l1_ball_2d", "octahedron", "cube", "torus", "shell", "two_octahedra", "box_1x2x3"]


@pytest.mark.parametrize("name", [*CLOSED, "three_concurrent_lines", "duplicate_neuron", slow("diagonal")])
def test_named_degenerate_networks_are_perturbed_as_in_subdivision(name: str) -> None:
    program, box = named_case(name)
    whole = extract_level_set(program, box)
    marched = extract_level_set(program, box, method="march", seeds=17)
    assert cell_codes(marched) == cell_codes(whole)
    assert replace(marched.audit(), max_residual=0) == replace(whole.audit(), max_residual=0)
    assert name not in CLOSED or marched.audit().is_closed


@pytest.mark.parametrize("widths", [slow((16,)), (12, 12), slow((6, 6, 6))])
@pytest.mark.parametrize("dim", [2, 3])
def test_quantised_networks_are_perturbed_as_in_subdivision(dim: int, widths: tuple[int, ...]) -> None:
    n_met = 0
    for seed in range(3):
        drawn = random_program(dim, widths, seed=seed)
        program, box = map_tensors(drawn, lambda t: (16 * t).round() / 16), Box.cube(dim, 1)
        whole = extract_level_set(program, box)
        n_met += not whole.is_empty
        marched = extract_level_set(program, box, method="march", complete=True)
        assert cell_codes(marched) == cell_codes(whole)
    assert n_met > 1


@given(degenerate_cases(dims=(2, 3)))
def test_what_is_found_of_degenerate_networks_subdivision_finds_too(case: Case) -> None:
    whole = extract_level_set(case.program, case.box)
    marched = extract_level_set(case.program, case.box, method="march", seeds=9)
    assert marched.n_inconsistent == 0
    for found, known in zip(cell_codes(marched), cell_codes(whole), strict=True):
        assert set(found) <= set(known)
    assert marched.audit().is_oriented


@given(degenerate_cases(dims=(2, 3)))
def test_completed_it_is_what_subdivision_finds(case: Case) -> None:
    whole = extract_level_set(case.program, case.box)
    nowhere = torch.empty((0, case.program.in_dim))
    marched = extract_level_set(case.program, case.box, method="march", seeds=nowhere, complete=True)
    assert cell_codes(marched) == cell_codes(whole)
    assert marched.provenance.completeness is Completeness.WALKED


def test_component_without_a_seed_is_missed_and_the_guarantee_says_so() -> None:
    program, box = _fit(_two_balls), Box.cube(3, 1)
    whole = extract_level_set(program, box)
    assert whole.audit().n_components == 2
    marched = extract_level_set(program, box, method="march", seeds=inner_points(whole)[:1])
    assert marched.audit().n_components == 1
    assert marched.provenance.completeness is Completeness.SEEDED
    assert cell_codes(extract_level_set(program, box, method="march")) == cell_codes(whole)


def test_genus_one_is_found_from_a_grid() -> None:
    program = _fit(_torus)
    whole = extract_level_set(program, Box.cube(3, 1))
    marched = extract_level_set(program, Box.cube(3, 1), method="march")
    assert cell_codes(marched) == cell_codes(whole)
    assert marched.audit().euler_characteristic == 0


def _two_balls(x: Tensor) -> Tensor:
    return torch.minimum((x - 0.5).norm(dim=1), (x + 0.5).norm(dim=1)) - 0.35


def _torus(x: Tensor) -> Tensor:
    return torch.stack([x[:, :2].norm(dim=1) - 0.5, x[:, 2]], dim=1).norm(dim=1) - 0.25


@cache
def _fit(distance: Callable[[Tensor], Tensor]) -> Program:
    torch.manual_seed(0)
    network = MLP(3, 20, 2).double()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(800):
        x = 2 * torch.rand((1024, 3), dtype=torch.float64) - 1
        optimizer.zero_grad()
        (network(x)[:, 0] - distance(x)).abs().mean().backward()
        optimizer.step()
    return lower(network).detach()


@pytest.mark.parametrize("thickness", [slow(0.02), 0.004])
def test_both_sides_of_a_shell_thinner_than_the_grid_are_found(thickness: float) -> None:
    ball = ball_program(3, 14, depth=2)
    two_sided = Affine(
        torch.cat([ball.head.weight, -ball.head.weight]), torch.cat([ball.head.bias, -ball.head.bias])
    )
    distance = Affine(
        torch.ones((1, 2), dtype=torch.float64), torch.tensor([-thickness], dtype=torch.float64)
    )
    shell, box = Program((*ball.blocks, Block(two_sided)), distance), Box.cube(3, 1)
    whole = extract_level_set(shell, box)
    assert whole.audit().n_components == 2
    marched = extract_level_set(shell, box, method="march", seeds=9)
    assert cell_codes(marched) == cell_codes(whole)


def test_completeness_is_proven_and_what_was_missed_is_walked() -> None:
    program, box = random_program(3, (14, 14), seed=10), Box.cube(3, 1)
    whole = extract_level_set(program, box)
    assert whole.audit().n_components > 1
    one = inner_points(whole)[:1]
    proven = extract_level_set(program, box, method="march", seeds=one, complete=True)
    assert cell_codes(proven) == cell_codes(whole)
    assert proven.provenance.completeness is Completeness.WALKED
    assert proven.provenance.proof is not None
    assert proven.provenance.proof.n_missed > 0
    spent = extract_level_set(program, box, method="march", seeds=one, complete=True, budget=0.0)
    assert spent.provenance.completeness is Completeness.SEEDED
    assert spent.provenance.proof is not None
    assert (spent.provenance.proof.share, spent.provenance.proof.budget) == (0, 0)
    assert "0% of the domain, proven within 0 s" in spent.guarantee


def test_absence_is_proven_where_that_is_asked_for() -> None:
    program, box = random_program(3, (6, 5)), Box.cube(3, 1)
    marched = extract_level_set(program, box, 1e3, method="march", complete=True)
    assert marched.provenance.has(Finding.EMPTY)
    assert marched.is_complete


def test_an_earlier_level_set_is_a_seed() -> None:
    def moved(by: float) -> Program:
        return map_tensors(random_program(3, (12, 12), seed=4), lambda t: t + by * torch.sin(1e3 * t))

    box = Box.cube(3, 1)
    earlier, whole = (extract_level_set(moved(by), box) for by in (0.0, 1e-3))
    marched = extract_level_set(moved(1e-3), box, method="march", seeds=earlier)
    assert cell_codes(marched) == cell_codes(whole)


def test_a_walk_is_stopped_before_it_takes_more_memory_than_allowed() -> None:
    program = random_program(3, (24, 24), seed=1)
    box = Box.cube(3, 1)
    whole = extract_level_set(program, box, method="march")
    part = extract_level_set(program, box, method="march", seeds=inner_points(whole)[:1], memory=100_000)
    assert 0 < part.polygons.n < whole.polygons.n
    assert part.provenance.completeness is Completeness.STOPPED
    assert "more in sight" in part.status
    assert set(vertex_codes(part)) <= set(vertex_codes(whole))
    assert part.n_inconsistent == 0
    assert part.audit().is_oriented


def test_the_method_is_chosen_and_the_choice_reported() -> None:
    small, large = random_program(3, (6, 6)), random_program(3, (90, 90))
    box = Box.cube(3, 0.2)
    four = random_program(4, (5,))
    is_proven = is_native(torch.device("cpu"))  # by kernels
    proven = (Method.MARCH, "180 neurons") if is_proven else (Method.SUBDIVIDE, "completeness")
    for program, domain, complete, method, why in (
        (small, box, False, Method.SUBDIVIDE, "12 neurons"),
        (large, box, False, Method.MARCH, "180 neurons"),
        (large, box, True, *proven),
        (four, Box.cube(4, 1), False, Method.SUBDIVIDE, "but 4"),
    ):
        found = extract_level_set(program, domain, method="auto", complete=complete)
        assert found.provenance.method is method
        assert found.provenance.has(Finding.CHOSEN)
        assert why in found.guarantee


@pytest.mark.parametrize("method", ["march", "subdivide"])
def test_progress_is_told(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("creased.core.marching.march.REPORT_SECONDS", 0.0)
    said: list[str] = []
    extract_level_set(ball_program(3, 14, depth=2), Box.cube(3, 1), method=method, progress=said.append)
    assert any("cells cut" in line or "of the domain is cut" in line for line in said)


def test_marching_works_in_float64() -> None:
    program, box = random_program(3, (12, 12), seed=2), Box.cube(3, 1)
    exact = extract_level_set(program, box, method="march")
    coarse = extract_level_set(program.to(dtype=torch.float32), box, method="march")
    assert coarse.vertices.dtype == torch.float64
    assert coarse.polygons.n == exact.polygons.n


def test_empty_level_set_has_a_status() -> None:
    marched = extract_level_set(random_program(3, (6, 5)), Box.cube(3, 1), 1e3, method="march")
    assert marched.is_empty
    assert marched.provenance.has(Finding.EMPTY)
    assert not marched.is_complete
    assert "no point was found" in marched.status


def test_seeds_that_never_arrive_are_left_out() -> None:
    program = ball_program(3)
    near = inner_points(extract_level_set(program, Box.cube(3, 1)))[:1]
    far = torch.full((3, 3), 1e6, dtype=torch.float64)
    marched = extract_level_set(program, Box.cube(3, 1), method="march", seeds=torch.cat([far, near]))
    assert marched.audit().is_closed


def test_absence_is_not_claimed_without_seeds() -> None:
    program, box = ball_program(3), Box.cube(3, 1)
    assert not extract_level_set(program, box).is_empty
    nowhere = extract_level_set(program, box, method="march", seeds=torch.empty((0, 3)))
    assert nowhere.provenance.has(Finding.EMPTY)
    assert not nowhere.is_complete
    with pytest.raises(ValueError, match=r"points an axis.*got 1"):
        extract_level_set(program, box, method="march", seeds=1)


def test_other_dimensions_and_methods_are_refused() -> None:
    with pytest.raises(ValueError, match=r"march.*got 4"):
        extract_level_set(random_program(4, (3,)), Box.cube(4, 1), method="march")
    with pytest.raises(ValueError, match=r"method .*subdivide, march, auto.*walk"):
        extract_level_set(random_program(2, (3,)), Box.cube(2, 1), method="walk")
