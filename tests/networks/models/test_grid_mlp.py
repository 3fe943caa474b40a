"""Networks on nested Kuhn grids: what they compute, how they are lowered, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import creased
from creased.io.checkpoint import KEY, CheckpointError, Record, read_record, write_record
from creased.io.similarity import Similarity
from tests.modules import agreed


def _random(
    dim: int = 3, levels: tuple[int, ...] = (1, 2, 4), log2_table: int | None = None
) -> creased.GridMLP:
    torch.manual_seed(0)
    network = creased.GridMLP(dim, levels, 2, (6, 5), log2_table=log2_table).double()
    for table in network.grid.tables:
        nn.init.normal_(table)
    return network


def _interpolated(network: creased.GridMLP, point: list[float], level: int) -> Tensor:
    """The features of one level, by the definition: sort the fractions, walk from corner to corner."""
    grid, n = network.grid, network.grid.levels[level]
    scaled = [(x / grid.half_width + 1) / 2 * n for x in point]
    base = [min(max(int(s), 0), n - 1) for s in scaled]
    shares = [s - b for s, b in zip(scaled, base, strict=True)]
    total, corner, before = torch.zeros(2).double(), list(base), 1.0
    for axis in [*sorted(range(len(point)), key=lambda k: -shares[k]), None]:
        row = 0
        for k in corner:
            row = row * (n + 1) + k
        share = 0.0 if axis is None else shares[axis]
        total = total + (before - share) * grid.tables[level][row]
        if axis is not None:
            before = share
            corner[axis] += 1
    return total


@pytest.mark.parametrize("dim", [2, 3])
def test_features_are_interpolated_in_the_simplex_of_the_point(dim: int) -> None:
    network = _random(dim)
    points = torch.rand(20, dim, generator=torch.Generator().manual_seed(1)).double() - 0.5
    encoded = network.grid(points)
    assert encoded.shape == (20, dim + 6)
    assert torch.equal(encoded[:, :dim], points)
    for level in range(3):
        expected = torch.stack([_interpolated(network, point, level) for point in points.tolist()])
        torch.testing.assert_close(encoded[:, dim + 2 * level : dim + 2 * level + 2], expected)


@pytest.mark.parametrize("log2_table", [None, 4])
def test_the_function_is_continuous_across_planes_of_the_grid(log2_table: int | None) -> None:
    network = _random(3, (2, 4), log2_table)
    on_planes = torch.tensor(list(product((-0.5, -0.25, 0.0, 0.5), (0.0, 0.1), (0.1, 0.25)))).double()
    for direction in torch.randn(8, 3, generator=torch.Generator().manual_seed(0)).double():
        moved = (on_planes + 1e-9 * direction).clamp(-0.5, 0.5)
        torch.testing.assert_close(network(moved), network(on_planes), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("log2_table", [None, 3])
def test_the_program_is_the_network(dim: int, log2_table: int | None) -> None:
    network = _random(dim, (1, 2, 8), log2_table)
    program = creased.lower(network)
    assert (program.in_dim, program.widths) == (dim, (6, 5))
    grid = torch.cartesian_prod(*[torch.linspace(-0.5, 0.5, 9).double()] * dim)  # on planes and corners
    inside = torch.rand(200, dim, generator=torch.Generator().manual_seed(1)).double() - 0.5
    for points in (grid, inside):
        torch.testing.assert_close(program(points), network(points))


class _Scaled(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return 2 * self.network(x) + x[:, :1]


class _Minimum(nn.Module):
    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor) -> Tensor:
        return torch.minimum(self.first(x), self.second(x) - 0.1)


def test_grids_are_lowered_inside_larger_modules() -> None:
    agreed(_Scaled(_random()))
    joined = agreed(_Minimum(_random(), _random(levels=(8,))))
    assert joined.grid is not None
    assert joined.grid.finest == 8


def test_grids_that_have_no_common_refinement_are_refused() -> None:
    with pytest.raises(ValueError, match="nested"):
        creased.GridMLP(3, (2, 3))
    with pytest.raises(ValueError, match="nested"):
        creased.lower(_Minimum(_random(levels=(2,)), _random(levels=(3,))))
    other_cube = creased.GridMLP(3, (2,), 2, 4, half_width=1.0).double()
    with pytest.raises(ValueError, match="one cube"):
        creased.lower(_Minimum(_random(levels=(2,)), other_cube))


def test_a_grid_behind_another_layer_is_refused() -> None:
    with pytest.raises(creased.UnsupportedModuleError, match="at the input"):
        creased.lower(nn.Sequential(nn.Linear(3, 3).double(), _random()))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"in_dim": 4}, "in_dim must be 2 or 3"),
        ({"levels": ()}, "levels"),
        ({"levels": (0,)}, "levels"),
        ({"levels": 4}, "levels"),
        ({"levels": (2.0,)}, "levels"),
        ({"width": 8.0}, "width"),
        ({"depth": 1.5}, "depth"),
        ({"features": 2.0}, "features"),
        ({"log2_table": 4.5}, "log2_table"),
        ({"in_dim": 3.0}, "in_dim"),
        ({"levels": (8, 8192)}, r"\[8, 8192\].*GB.*log2_table"),
        ({"features": 0}, "features"),
        ({"half_width": -1.0}, "half_width"),
        ({"half_width": float("inf")}, "half_width"),
        ({"log2_table": 0}, "log2_table"),
        ({"width": ()}, "width"),
        ({"depth": 0}, "depth"),
    ],
)
def test_impossible_sizes_are_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        creased.GridMLP(**arguments)  # type: ignore[arg-type]


def test_features_that_are_not_finite_are_refused() -> None:
    network = _random()
    with torch.no_grad():
        network.grid.tables[1][3, 0] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        creased.extract_level_set(network, None)


def test_gradients_in_the_points_are_differentiable() -> None:
    network = _random()
    points = (torch.rand(20, 3, generator=torch.Generator().manual_seed(1)).double() - 0.5).requires_grad_()
    torch.testing.assert_close(network(points), network(points.detach()))
    (gradient,) = torch.autograd.grad(network(points).sum(), points, create_graph=True)
    (gradient.norm(dim=1) - 1).square().sum().backward()
    for table in network.grid.tables:
        assert table.grad is not None
        assert float(table.grad.abs().sum()) > 0


@pytest.mark.parametrize("log2_table", [None, 3])
def test_derivatives_are_those_of_the_interpolant(log2_table: int | None) -> None:
    network = _random(3, (1, 2), log2_table)
    points = (torch.rand(4, 3, generator=torch.Generator().manual_seed(1)).double() - 0.5).requires_grad_()

    def encoded(points: Tensor, *tables: Tensor) -> Tensor:
        return replace(network.grid.grid(), tables=tables).encode(points)

    inputs = (points, *(table.detach().requires_grad_() for table in network.grid.tables))
    torch.autograd.gradcheck(encoded, inputs)
    torch.autograd.gradgradcheck(encoded, inputs)


def test_slopes_on_planes_of_the_grid_are_those_of_one_side() -> None:
    network = creased.GridMLP(2, (1,), 1, 1).double()
    with torch.no_grad():
        network.grid.tables[0].copy_(torch.tensor([[0.0], [1.0], [3.0], [0.0]]))
    on_diagonal = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(network.grid(on_diagonal)[:, 2].sum(), on_diagonal)
    assert slope.tolist() == [[3.0, -3.0]]  # from 0 along the first axis, then along the second


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_points_of_another_dtype_are_refused(dtype: torch.dtype) -> None:
    with pytest.raises(ValueError, match=f"torch.float64.*{dtype}"):
        _random()(torch.zeros(2, 3, dtype=dtype))


def test_points_that_are_not_numbers_have_no_values() -> None:
    network = _random()
    values = network(torch.tensor([[torch.nan, 0.0, 0.0], [0.1, 0.2, 0.3]]).double())
    assert values.isfinite().tolist() == [[False], [True]]


def test_untouched_vertices_are_harmless() -> None:
    network = creased.GridMLP(3)
    assert all(float(table.detach().abs().max()) <= 1e-2 for table in network.grid.tables)


def test_checkpoints_hold_grids(tmp_path: Path) -> None:
    network = _random(log2_table=4)
    record = Record(
        creased.lower(network).detach(), creased.Box.cube(3, 0.5), Similarity((0.0,) * 3, 1.0), "a", 1
    )
    path, values = tmp_path / "grid.ckpt", write_record(record)
    torch.save({KEY: values}, path)
    points = torch.rand(50, 3, generator=torch.Generator().manual_seed(1)).double() - 0.5
    assert torch.equal(read_record(path).program(points), record.program(points))
    values["grid"] = {**values["grid"], "levels": (1, 3, 4)}
    torch.save({KEY: values}, path)
    with pytest.raises(CheckpointError):
        read_record(path)
