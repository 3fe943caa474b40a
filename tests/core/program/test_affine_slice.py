"""Slices of a network's input: the same values, and the level set a section of the whole one."""

from __future__ import annotations

import pytest
import torch

from creased import Box, extract_complex, extract_level_set, lower, slice_program, slice_through
from tests.strategies import ball_program, random_program


@pytest.mark.parametrize("slope", [0.0, 0.3])
@pytest.mark.parametrize("widths", [(), (7,), (6, 5)])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_slice_has_the_values_of_the_whole(dim: int, widths: tuple[int, ...], slope: float) -> None:
    generator = torch.Generator().manual_seed(dim)
    program = random_program(9, widths, seed=dim, slope=slope, out_dim=2)
    origin, basis = (torch.randn(shape, generator=generator).double() for shape in ((9,), (9, dim)))
    cut = slice_program(program, origin, basis)
    points = torch.randn((50, dim), generator=generator, dtype=torch.float64)
    torch.testing.assert_close(cut.program(points), program(cut.lift(points)))
    assert not cut.is_orthonormal
    assert 0 < cut.folding_error < 1e-12


class WithLatent(torch.nn.Module):
    """A decoder of a latent vector and a point, which takes both again behind its second layer."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [(12, 20), (20, 17), (17 + 12, 20), (20, 1)]
        self.layers = torch.nn.ModuleList(torch.nn.Linear(*size) for size in sizes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second, third, last = self.layers
        y = torch.relu(second(torch.relu(first(x))))
        return last(torch.relu(third(torch.cat([y, x], dim=1))))


@pytest.mark.parametrize("moves", [True, False])
def test_slices_forget_inputs_that_they_fix(moves: bool) -> None:
    torch.manual_seed(0)
    program = lower(WithLatent().double())
    origin, basis = torch.randn(12).double(), torch.eye(12).double()[:, 9:]
    if moves:
        basis = basis + 0.5 * torch.eye(12).double()[:, 6:9]  # three numbers of the latent vector follow
    cut = slice_program(program, origin, basis)
    n_passed = 6 if moves else 3
    assert [block.affine.matrix.shape[1] for block in cut.program.blocks] == [3, 17 + n_passed, 20]
    assert cut.program.exact.blocks[0].affine.matrix.shape == (0, 3)
    points = torch.randn((50, 3), dtype=torch.float64)
    torch.testing.assert_close(cut.program(points), program(cut.lift(points)))
    torch.testing.assert_close(cut.program.exact(points), program(cut.lift(points)))
    assert 0 < cut.folding_error < 1e-12


def test_decision_boundary_of_a_classifier_in_a_plane() -> None:
    program = random_program(64, (12, 8), seed=3, out_dim=3)
    basis = torch.linalg.qr(torch.randn((64, 2), generator=torch.Generator().manual_seed(0)).double()).Q
    cut = slice_program(program.to(dtype=torch.float32), torch.zeros(64), basis)
    assert cut.is_orthonormal
    complex_ = extract_complex(cut.program, Box.cube(2, 1))
    assert complex_.euler_characteristic() == 1
    surface = extract_level_set(cut.program, Box.cube(2, 30), output=1)
    values = program.outputs_at(cut.lift(surface.vertices))[:, 1]
    assert float(values.abs().max()) < 1e-5


def test_section_of_a_ball_lies_on_the_ball() -> None:
    program = ball_program(3)
    basis = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    cut = slice_program(program, [0.0, 0.0, 0.05], basis)
    curve = extract_level_set(cut.program, Box.cube(2, 1))
    assert curve.audit().is_closed
    lifted = cut.lift(curve.vertices)
    assert float(program.outputs_at(lifted).abs().max()) < 1e-12
    torch.testing.assert_close(lifted[:, 2], torch.full_like(lifted[:, 2], 0.05))


@pytest.mark.parametrize(
    ("origin", "basis", "message"),
    [
        ([0.0, 0.0], [[1.0], [0.0]], "needs an origin"),
        ([0.0, 0.0, 0.0], [[1.0], [0.0]], "needs an origin"),
        ([0.0, 0.0, float("nan")], [[1.0], [0.0], [0.0]], "finite"),
        ([0.0, 0.0, 0.0], [[1.0, 2.0], [1.0, 2.0], [0.0, 0.0]], "span 1 dimensions only"),
    ],
)
def test_what_is_no_slice_is_refused(origin: list, basis: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        slice_program(random_program(3, (4,)), origin, basis)


def test_the_slice_through_points_is_orthonormal_and_holds_them() -> None:
    program = random_program(10, (6,))
    points = torch.randn((3, 10), generator=torch.Generator().manual_seed(0)).double()
    to = slice_through(program, *points)
    assert to.is_orthonormal
    for point in points:
        torch.testing.assert_close(to.lift(to.basis.mT @ (point - to.origin)), point)
    with pytest.raises(ValueError, match="3 points must span 2 dimensions"):
        slice_through(program, points[0], points[1], (points[0] + points[1]) / 2)
    with pytest.raises(ValueError, match="needs two points or more, got 1"):
        slice_through(program, points[0])


def test_numbers_in_lists_are_not_rounded() -> None:
    program = random_program(2, (3,), seed=0)
    cut = slice_program(program, [0.1, 0.2], [[0.3], [0.7]])
    expected = torch.tensor([[0.1 + 0.3 * 0.5, 0.2 + 0.7 * 0.5]], dtype=torch.float64)
    torch.testing.assert_close(
        cut.lift(torch.tensor([[0.5]], dtype=torch.float64)), expected, rtol=0, atol=1e-16
    )
