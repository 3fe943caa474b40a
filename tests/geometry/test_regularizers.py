"""Regularizers: their values, their samples, what descent on them does, and that nothing becomes NaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor

from creased import MLP, Affine, Block, Box, LevelSet, Program, extract_level_set, geometry, lower
from creased.core.complexes.polygons import Polygons
from creased.core.numerics.tensors import map_tensors
from creased.geometry import Regularizer
from creased.networks.initialise import geometric
from tests.oracles import named_case, named_surface
from tests.strategies import ball_program, random_program

Measure = Callable[[Tensor, LevelSet], Tensor]
PLANARITY_WIDTH = 0.1


def _creases(x: Tensor, surface: LevelSet) -> tuple[Tensor, Tensor]:
    """Lengths and exterior angles of the inner edges."""
    sides = geometry.halfedges_of(surface.polygons)
    edge = sides.inner_edges()
    lengths = (x[sides.head[edge]] - x[sides.tail[edge]]).norm(dim=1)
    return lengths, geometry.dihedral_angles(x, surface.polygons, sides)


def _face_count(x: Tensor, surface: LevelSet) -> Tensor:
    length = geometry.edge_lengths(x, surface.edges).sum()
    return length**2 / (math.pi * geometry.surface_area(x, surface.polygons))


def _planarity(x: Tensor, surface: LevelSet) -> Tensor:
    lengths, angles = _creases(x, surface)
    return (lengths * angles**2 / (angles**2 + PLANARITY_WIDTH**2)).sum()


def _thinness(x: Tensor, surface: LevelSet) -> Tensor:
    polygons = surface.polygons
    sides = (x[polygons.indices[polygons.following()]] - x[polygons.indices]).norm(dim=1)
    perimeters = torch.zeros(polygons.n, dtype=x.dtype).index_add(0, polygons.owners(), sides)
    return (1 - 4 * math.pi * geometry.polygon_areas(x, polygons) / perimeters**2).mean()


CLOSED_FORMS: dict[str, Measure] = {
    "Area": lambda x, s: geometry.surface_area(x, s.polygons),
    "Bending": lambda x, s: geometry.bending_energies(x, s.polygons).sum(),
    "Compactness": lambda x, s: 1 / geometry.compactness(x, s.polygons) - 1,
    "Convexity": lambda x, s: geometry.mean_curvatures(x, s.polygons).clamp(max=0).neg().sum(),
    "EdgeLength": lambda x, s: geometry.edge_lengths(x, s.edges).sum(),
    "FaceCount": _face_count,
    "GaussianCurvature": lambda x, s: geometry.angle_defects(x, s.polygons).abs().sum(),
    "MeanCurvature": lambda x, s: geometry.mean_curvatures(x, s.polygons).abs().sum(),
    "Planarity": _planarity,
    "Slivers": _thinness,
    "Volume": lambda x, s: (geometry.enclosed_volume(x, s.polygons) / 0.5 - 1) ** 2,
}
ALL = sorted(CLOSED_FORMS)


def make(name: str, n_samples: int | None = None) -> Regularizer:
    options = {"target": 0.5} if name == "Volume" else {}
    regularizer: Regularizer = getattr(geometry, name)(n_samples=n_samples, **options)
    return regularizer


def _two_layers(dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu") -> Program:
    return ball_program(3, 14, depth=2, dtype=dtype, device=device)


@cache
def _two_layers_surface(dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu") -> LevelSet:
    return extract_level_set(_two_layers(dtype, device), Box.cube(3, 1))


def _moved(program: Program, by: float) -> Program:
    generator = torch.Generator().manual_seed(1)
    return map_tensors(program, lambda t: t + by * torch.randn(t.shape, generator=generator, dtype=t.dtype))


@pytest.mark.parametrize("name", ALL)
def test_the_whole_is_what_the_formula_says(name: str, device: torch.device, dtype: torch.dtype) -> None:
    program, surface = _two_layers(dtype, device), _two_layers_surface(dtype, device)
    expected = CLOSED_FORMS[name](surface.vertices.cpu().double(), surface.to("cpu"))
    value = make(name)(surface, program).cpu().double()
    torch.testing.assert_close(value, expected, rtol=1e-3 if dtype == torch.float32 else 1e-9, atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_a_sample_knows_the_value_at_extraction(name: str) -> None:
    program, surface = _two_layers(), _two_layers_surface()
    torch.testing.assert_close(make(name, 5)(surface, program), make(name)(surface, program))


@pytest.mark.parametrize("name", ALL)
def test_the_gradient_of_a_sample_is_unbiased(name: str) -> None:
    program, surface = _two_layers(), _two_layers_surface()
    bias = program.blocks[0].affine.bias.requires_grad_()
    torch.manual_seed(0)
    (whole,) = torch.autograd.grad(make(name)(surface, program), bias)
    regularizer = make(name, 40)
    drawn = torch.stack([torch.autograd.grad(regularizer(surface, program), bias)[0] for _ in range(80)])
    error = 4.5 * drawn.std(0) / len(drawn) ** 0.5
    assert bool(((drawn.mean(0) - whole).abs() <= error + 1e-9).all())


@pytest.mark.parametrize("name", ALL)
def test_the_gradient_is_that_of_whole_extractions(name: str) -> None:
    program, surface, step = _two_layers(), _two_layers_surface(), 1e-6
    weight = program.blocks[1].affine.weight.requires_grad_()
    (gradient,) = torch.autograd.grad(make(name)(surface, program), weight)
    row, column = divmod(int(gradient.abs().argmax()), weight.shape[1])
    ends = []
    for sign in (1, -1):
        moved = weight.detach().clone()
        moved[row, column] += sign * step
        block = program.blocks[1]
        affine = replace(block.affine, matrix=moved)
        live = Program((program.blocks[0], replace(block, affine=affine)), program.head)
        there = extract_level_set(live, Box.cube(3, 1))
        ends.append(float(CLOSED_FORMS[name](there.vertices, there)))
    slope = (ends[0] - ends[1]) / (2 * step)
    assert float(gradient[row, column]) == pytest.approx(slope, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("n_samples", [None, 5])
def test_second_derivatives_are_right(name: str, n_samples: int | None) -> None:
    program, surface = _two_layers(), _two_layers_surface()
    term, second = make(name, n_samples), program.blocks[1].affine

    def measure(weight: Tensor) -> Tensor:
        return term(surface, Program((program.blocks[0], Block(Affine(weight, second.bias))), program.head))

    weight = second.weight.detach().clone().requires_grad_()
    measure(weight)  # targets are taken from the first call
    (gradient,) = torch.autograd.grad(measure(weight), weight, create_graph=True)
    direction = torch.linspace(-1, 1, weight.numel()).to(weight).view_as(weight)
    (along,) = torch.autograd.grad((gradient * direction).sum(), weight)
    step = 1e-6 * direction
    ends = [torch.autograd.grad(measure(weight + by), weight, create_graph=True)[0] for by in (step, -step)]
    slope = (ends[0] - ends[1]).detach() / 2e-6
    torch.testing.assert_close(along, slope, rtol=1e-4, atol=1e-8 + 1e-3 * float(slope.abs().max()))
    if n_samples is None:
        torch.testing.assert_close(gradient.detach(), torch.autograd.grad(measure(weight), weight)[0])


@pytest.mark.parametrize("name", ALL)
def test_an_empty_level_set_gives_zero(name: str, device: torch.device, dtype: torch.dtype) -> None:
    program = _two_layers(dtype, device)
    value = make(name, 8)(extract_level_set(program, Box.cube(3, 1), 1e4), program)
    assert (float(value), value.shape, value.dtype) == (0.0, (), dtype)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", ["open", "degenerate", "stale", "two components"])
def test_nothing_becomes_nan(name: str, kind: str) -> None:
    program, surface = _awkward(kind)
    for n_samples in (None, 16):
        for tensor in program.tensors():
            tensor.requires_grad_()
        value = make(name, n_samples)(surface, program)
        gradients = torch.autograd.grad(value, list(program.tensors()), allow_unused=True)
        assert bool(value.isfinite())
        assert all(bool(gradient.isfinite().all()) for gradient in gradients if gradient is not None)


def _awkward(kind: str) -> tuple[Program, LevelSet]:
    if kind == "degenerate":
        return named_case("cube")[0], named_surface("cube")
    if kind == "two components":
        return named_case("two_octahedra")[0], named_surface("two_octahedra")
    if kind == "open":
        program = random_program(3, (12, 12), seed=4)
        return program, extract_level_set(program, Box.cube(3, 1))
    return _moved(_two_layers(), 0.5), _two_layers_surface()


@pytest.mark.parametrize("name", ALL)
def test_descent_makes_it_smaller_on_the_exact_surface(name: str) -> None:
    torch.manual_seed(0)
    module = MLP(3, 12, 2, initialise=geometric(0.4)).double()
    with torch.no_grad():
        module[2].weight += 0.2 * torch.randn(12, 12)  # dents
    box, regularizer = Box.cube(3, 1), make(name)
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
    values = []
    for _ in range(6):
        surface = extract_level_set(module, box)
        values.append(float(CLOSED_FORMS[name](surface.vertices, surface)))
        optimizer.zero_grad()
        regularizer(surface, lower(module)).backward()
        size = math.sqrt(sum(float(p.grad.square().sum()) for p in module.parameters() if p.grad is not None))
        for group in optimizer.param_groups:
            group["lr"] = 3e-4 / max(size, 1e-12)
        optimizer.step()
    assert values[-1] < values[0]


def test_lines_at_random_make_as_many_faces_as_are_expected() -> None:
    """Miles' formula on an arrangement of random lines in a square, as a flat level set."""
    generator = torch.Generator().manual_seed(3)
    n = 150
    turn = 2 * math.pi * torch.rand(n, generator=generator, dtype=torch.float64)
    normals = torch.stack([turn.cos(), turn.sin(), torch.zeros(n).double()], dim=1)
    offsets = 1.5 * (2 * torch.rand(n, generator=generator, dtype=torch.float64) - 1)
    flat = creased_plane(normals, offsets)
    surface = extract_level_set(flat, Box([-1, -1, -1], [1, 1, 1]))
    inside = float(geometry.FaceCount(None)(surface, flat))
    assert inside == pytest.approx(surface.polygons.n, rel=0.15)


def creased_plane(normals: Tensor, offsets: Tensor) -> Program:
    """The plane z = 0, creased by given lines: their neurons count next to nothing."""
    height = torch.tensor([[0, 0, 1], [0, 0, -1]]).to(normals)
    bias = torch.cat([offsets, torch.full((2,), 3.0).to(offsets)])  # the last two are always on in the box
    head = torch.cat([torch.full_like(offsets, 1e-7), torch.tensor([0.5, -0.5]).to(offsets)])
    return Program((Block(Affine(torch.cat([normals, height]), bias)),), Affine(head[None], bias[:1] * 0))


def test_a_ball_is_nearly_compact_and_convex() -> None:
    program = ball_program(3, 14)
    surface = extract_level_set(program, Box.cube(3, 1))
    assert surface.audit().is_closed
    assert float(geometry.Convexity(None)(surface, program)) < 1e-9
    assert float(geometry.GaussianCurvature(None)(surface, program)) == pytest.approx(4 * math.pi)


@pytest.mark.parametrize("dim", [1, 2])
def test_curves_have_edges_but_no_faces(dim: int) -> None:
    program = ball_program(dim)
    surface = extract_level_set(program, Box.cube(dim, 1))
    expected = float(geometry.edge_lengths(surface.vertices, surface.edges).sum()) if dim == 2 else 0.0
    assert float(geometry.EdgeLength(None)(surface, program)) == pytest.approx(expected)
    assert float(geometry.Area()(surface, program)) == 0


@pytest.mark.parametrize("n_samples", [0, -3])
def test_a_sample_must_not_be_empty(n_samples: int) -> None:
    with pytest.raises(ValueError, match=f"n_samples.*{n_samples}"):
        geometry.EdgeLength(n_samples)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"target.*0"):
        geometry.Volume(target=0.0)
    with pytest.raises(ValueError, match=r"width.*-1"):
        geometry.Planarity(width=-1.0)


def test_an_empty_surface_has_no_halfedges() -> None:
    none = Polygons(torch.zeros(1, dtype=torch.int64), torch.zeros(0, dtype=torch.int64))
    assert geometry.halfedges_of(none).inner_edges().shape == (0,)
