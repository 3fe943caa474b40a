"""The compiled walk finds what the walk in batches finds, cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from torch import Tensor, nn

from creased import Affine, Block, Box, LevelSet, Program, extract_level_set, lower
from creased.core.marching.batch_walk import BatchWalker
from creased.core.marching.walkers import start_walk
from creased.core.native import available
from creased.core.numerics.memory import Resources
from creased.core.provenance import Completeness
from creased.core.subdivision.problem import choose_numbers, make_problem
from tests.invariants import cell_codes, inner_points, vertices_by_code
from tests.modules import Does
from tests.strategies import Case, ball_program, degenerate_cases, generic_cases, random_program

numba = pytest.importorskip("numba")
BOX = Box.cube(3, 1)


def both_ways(program: Any, box: Box = BOX, **options: Any) -> tuple[LevelSet, LevelSet]:
    """Walk by compiled kernels, and in batches."""
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for switch in ("1", "0"):
            patch.setenv(available.SWITCH, switch)
            found.append(extract_level_set(program, box, method="march", **options))
    return found[0], found[1]


def require_alike(compiled: LevelSet, batches: LevelSet) -> None:
    """Demand the same cells, in the same places."""
    assert cell_codes(compiled) == cell_codes(batches)
    assert replace(compiled.audit(), max_residual=0) == replace(batches.audit(), max_residual=0)
    torch.testing.assert_close(*(vertices_by_code(found) for found in (compiled, batches)))


@given(generic_cases(dims=(3,)))
def test_both_walks_find_the_same(case: Case) -> None:
    require_alike(
        *both_ways(case.program, case.box, seeds=inner_points(extract_level_set(case.program, case.box)))
    )


@given(degenerate_cases(dims=(3,)))
def test_both_walks_break_ties_alike(case: Case) -> None:
    compiled, batches = both_ways(case.program, case.box, seeds=9)
    assert cell_codes(compiled) == cell_codes(batches)


def _skipping(module: Any, x: Tensor) -> Tensor:
    inner, outer, last = module.parts
    hidden = torch.relu(inner(x))
    return last(torch.relu(outer(torch.cat([hidden, x], dim=-1))) + hidden)


MODULES: dict[str, Callable[[], nn.Module]] = {
    "leaky": lambda: nn.Sequential(
        nn.Linear(3, 16), nn.LeakyReLU(0.1), nn.Linear(16, 16), nn.LeakyReLU(0.1), nn.Linear(16, 1)
    ),
    "maxout": lambda: nn.Sequential(
        nn.Linear(3, 24), nn.Unflatten(-1, (12, 2)), _Largest(), nn.Linear(12, 1)
    ),
    "hardtanh": lambda: nn.Sequential(
        nn.Linear(3, 20), nn.Hardtanh(), nn.Linear(20, 12), nn.ReLU(), nn.Linear(12, 1)
    ),
    "one layer": lambda: nn.Sequential(nn.Linear(3, 7), nn.ReLU(), nn.Linear(7, 1)),
    "none": lambda: nn.Sequential(nn.Linear(3, 1)),
}


class _Largest(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.amax(-1)


@pytest.mark.parametrize("name", MODULES)
def test_blocks_of_all_kinds(name: str) -> None:
    torch.manual_seed(3)
    module = MODULES[name]().double()
    level = module(torch.zeros(1, 3, dtype=torch.float64)).item()
    require_alike(*both_ways(module, level=level))


def test_skips_and_residuals() -> None:
    torch.manual_seed(4)
    module = Does(_skipping, nn.Linear(3, 16), nn.Linear(19, 16), nn.Linear(16, 1)).double()
    program = lower(module)
    assert any(block.has_passthrough for block in program.blocks)
    require_alike(*both_ways(program, level=program(torch.zeros(3, dtype=torch.float64)).item()))


@pytest.mark.parametrize("width", [1, 63, 64, 65, 130])
def test_signs_fill_words(width: int) -> None:
    require_alike(*both_ways(random_program(3, (width, 5), seed=width)))


def test_maps_do_not_drift() -> None:
    """Thousands of cells, whose maps were updated from one another."""
    compiled, batches = both_ways(random_program(3, (64, 64), seed=2), Box.cube(3, 3))
    assert compiled.polygons.n > 5_000
    require_alike(compiled, batches)
    assert float(compiled.residual.max()) < 4 * float(batches.residual.max())


@pytest.fixture
def _many_lanes() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_many_lanes")
@pytest.mark.parametrize("widths", [(64, 64), (3, 40), (16, 16, 16, 16)])
def test_lanes_find_the_same(widths: tuple[int, ...]) -> None:
    program = random_program(3, widths, seed=7)
    compiled, batches = both_ways(program, Box.cube(3, 3), level=program(torch.ones(1, 3).double()).item())
    assert compiled.n_inconsistent == 0
    require_alike(compiled, batches)


@pytest.mark.usefixtures("_many_lanes")
@given(degenerate_cases(dims=(3,)))
def test_lanes_break_ties_alike(case: Case) -> None:
    compiled, batches = both_ways(case.program, case.box, seeds=9)
    assert cell_codes(compiled) == cell_codes(batches)


@pytest.mark.usefixtures("_many_lanes")
def test_lanes_keep_a_bound_on_memory() -> None:
    program = random_program(3, (64, 64), seed=2)
    compiled, _ = both_ways(program, Box.cube(3, 3), memory=1_000_000)
    assert compiled.provenance.completeness is Completeness.STOPPED
    assert compiled.n_inconsistent == 0


def prism(n_sides: int) -> Program:
    """A plane in the cell of a prism, outside of which the level set bends."""
    angle = torch.linspace(0, 2 * torch.pi, n_sides + 1, dtype=torch.float64)[:-1]
    normals = torch.stack([angle.cos(), angle.sin(), torch.zeros_like(angle)], dim=1)
    sides = Affine(normals, torch.full_like(angle, -0.5))
    up = Affine(
        torch.tensor([[0.0, 0, 1], [0, 0, -1]], dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    )
    first = Affine(torch.cat([sides.weight, up.weight]), torch.cat([sides.bias, up.bias]))
    head = torch.cat([torch.full_like(angle, 0.01), angle.new_tensor([0.5, -0.5])])
    return Program((Block(first),), Affine(head[None], angle.new_zeros(1)))


def test_a_polygon_of_many_sides_is_left_to_torch() -> None:
    compiled, batches = both_ways(prism(100))
    assert int(torch.diff(compiled.polygons.offsets).max()) == 100
    require_alike(compiled, batches)


def test_a_walk_goes_on_from_given_cells() -> None:
    program = ball_program(3, 9, depth=2)
    compiled, batches = both_ways(program, seeds=torch.zeros(0, 3, dtype=torch.float64), complete=True)
    assert compiled.provenance.completeness is batches.provenance.completeness is Completeness.WALKED
    require_alike(compiled, batches)


@pytest.mark.parametrize(
    ("dim", "dtype", "switch", "has_numba"),
    [
        (2, torch.float64, "1", True),
        (3, torch.float32, "1", True),
        (3, torch.float64, "0", True),
        (3, torch.float64, "1", False),
        (3, torch.float64, "1", True),
    ],
)
def test_kernels_are_used_where_there_are_some(
    dim: int, dtype: torch.dtype, switch: str, has_numba: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(available.SWITCH, switch)
    monkeypatch.setattr(available, "_can_compile", lambda: has_numba)
    program, box = random_program(dim, (4,), seed=0), Box.cube(dim, 1)
    walker = start_walk(make_problem(program, box, 0.0, choose_numbers(dtype, box), Resources()), Resources())
    is_compiled = dim == 3 and dtype == torch.float64 and switch == "1" and has_numba
    assert isinstance(walker, BatchWalker) == (not is_compiled)


def test_without_a_place_for_its_cache_torch_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> Callable[..., object]:
        def compiled(function: object) -> object:
            raise RuntimeError(f"cannot cache function {function!r}: no locator available")

        return compiled

    monkeypatch.setattr(numba, "njit", refuse)
    available._can_compile.cache_clear()
    assert not available.is_native(torch.device("cpu"))
    monkeypatch.undo()
    available._can_compile.cache_clear()
    assert available.is_native(torch.device("cpu"))
