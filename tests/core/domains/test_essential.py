"""Networks that leave directions of the whole space out: divided by them, exactly, or refused in words."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from torch import Tensor

from creased import (
    Affine,
    Block,
    Box,
    LinealityError,
    Program,
    WholeSpace,
    certify,
    count_cells,
    essential,
    extract_complex,
    extract_level_set,
    find_regions,
    stream_complex,
)
from creased.core.numerics.linear_algebra import null_space
from creased.core.provenance import Finding
from creased.geometry.implicit_vertices import implicit_vertices
from tests.strategies import ball_program, random_program


def along(program: Program, directions: Tensor) -> Program:
    """The program x -> program(directions x) of D inputs, for directions (d, D)."""
    first, *others = program.blocks
    skip = None if first.skip is None else first.skip @ directions
    block = Block(
        Affine(first.affine.weight @ directions, first.affine.bias),
        mix=first.mix,
        skip=skip,
        shift=first.shift,
    )
    return Program((block, *others), program.head)


def table(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


FLAT = along(random_program(2, (3,), seed=3), table([1, 1, 0], [0.5, -1, 0]))  # leaves z out
SHEARED = table([1, 0, 0, 2], [0, 1, 0, -3], [0, 0, 1, 0.5])  # leaves (-2, 3, -0.5, 1) out, without rounding


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("widths", [(5,), (6, 4)])
def test_complex_is_that_of_the_quotient(widths: tuple[int, ...], seed: int) -> None:
    small = _in_sixteenths(random_program(3, widths, seed=seed))
    complex_ = extract_complex(along(small, SHEARED), WholeSpace(4))
    expected = extract_complex(small, WholeSpace(3))
    assert complex_.f_vector() == expected.f_vector()
    assert torch.equal(complex_.words, expected.words)
    torch.testing.assert_close(complex_.vertices, expected.vertices)
    assert complex_.part is not None
    assert complex_.part.is_exact
    assert complex_.provenance.has(Finding.DIVIDED)
    assert certify(complex_, along(small, SHEARED)).is_certified
    assert complex_.to("cpu").part is not None


def _in_sixteenths(program: Program) -> Program:
    """Weights in sixteenths, so that what SHEARED does to them is not rounded."""
    first, *others = program.blocks
    affine = Affine(*((16 * t).round() / 16 for t in (first.affine.weight, first.affine.bias)))
    return Program((Block(affine), *others), program.head)


def test_cells_of_the_whole_space_are_those_of_the_quotient_times_what_was_divided_out() -> None:
    program = along(_in_sixteenths(random_program(3, (5, 3), seed=1)), SHEARED)
    whole = extract_complex(program, WholeSpace(4)).f_vector()
    assert count_cells(program, WholeSpace(4)) == (0, *whole)
    pieces = list(stream_complex(program, WholeSpace(4), at_once=20))
    assert len(pieces) > 1
    assert all(piece.part is not None and piece.provenance.has(Finding.DIVIDED) for piece in pieces)
    assert sum(piece.f_vector()[-1] for piece in pieces) == whole[-1]


def test_function_does_not_change_along_what_is_divided_out() -> None:
    part = essential(FLAT)
    torch.testing.assert_close(part.lineality.abs(), torch.eye(3, dtype=torch.float64)[2:])
    t = torch.randn(8, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(part.program(t), FLAT(part.slice.lift(t) + 3 * part.lineality))
    assert part.slice.basis.T.tolist() == [[1, 0, 0], [0, 1, 0]]


def test_orthogonal_complement_keeps_distances() -> None:
    program = along(_in_sixteenths(ball_program(3)), SHEARED)
    part = essential(program, orthogonal=True)
    assert not part.is_exact
    assert part.slice.is_orthonormal
    torch.testing.assert_close(part.lineality @ part.slice.basis, torch.zeros((1, 3), dtype=torch.float64))
    assert "orthogonal complement" in part.note
    assert not essential(program).note.endswith("orthogonal complement")


@pytest.mark.parametrize("exact", [False, True])
def test_level_set_is_a_cylinder_over_that_of_the_quotient(exact: bool) -> None:
    program = along(_in_sixteenths(ball_program(2)), table([1, 0, 0.5], [0, 1, 2]))
    found = extract_level_set(program, WholeSpace(3), exact=exact)
    expected = extract_level_set(_in_sixteenths(ball_program(2)), WholeSpace(2), exact=exact)
    assert found.part is not None
    assert found.provenance.has(Finding.DIVIDED)
    assert found.is_complete
    assert (found.dim, found.edges.shape) == (2, expected.edges.shape)
    assert certify(found, program).is_certified
    torch.testing.assert_close(
        program(found.part.slice.lift(found.vertices)), torch.zeros_like(found.residual)[:, None]
    )


def test_rows_through_one_point_still_meet_in_it() -> None:
    rows = table([1, -1, 0], [0, 1, -1], [1, 0, -1])  # braid: 3 planes through a line
    program = Program((Block(Affine(rows, torch.zeros(3).double())),), random_program(3, ()).head)
    complex_ = extract_complex(program, WholeSpace(3), level=None, degeneracy="contract")
    assert complex_.f_vector() == (1, 6, 6)


def test_differentiable_places_are_those_of_the_part() -> None:
    program = along(_in_sixteenths(ball_program(2)), table([1, 0, 0.5], [0, 1, 2]))
    found = extract_level_set(program, WholeSpace(3))
    assert found.part is not None
    with pytest.raises(ValueError, match=r"level_set.part.program"):
        implicit_vertices(found, program)
    torch.testing.assert_close(implicit_vertices(found, found.part.program), found.vertices)
    complex_ = extract_complex(program, WholeSpace(3))
    assert complex_.part is not None
    with pytest.raises(ValueError, match="on 2 inputs, the program has"):
        find_regions(complex_).halfspaces(program)
    assert find_regions(complex_).halfspaces(complex_.part.program).normals.shape[1] == 2


def test_bounded_domain_is_not_divided() -> None:
    complex_ = extract_complex(FLAT, Box.cube(3, 1))
    assert (complex_.dim, complex_.part) == (3, None)


def test_what_passes_the_first_layer_by_is_looked_at() -> None:
    eye = torch.eye(2, dtype=torch.float64)
    block = Block(Affine(eye[:1], torch.zeros(1).double()), mix=eye[:, :1], skip=eye)
    program = Program((block,), random_program(2, ()).head)
    assert essential(program).lineality.shape == (0, 2)
    with pytest.raises(LinealityError, match=r"1 more.*bounded domain") as caught:
        extract_complex(program, WholeSpace(2))
    assert caught.value.lineality_dim == 0
    torch.testing.assert_close(caught.value.basis.abs(), eye[1:])


def test_directions_left_out_up_to_rounding_alone_are_refused() -> None:
    rows = table([0.1, 0.3, 0.7], [0.2, 0.9, 0.4])
    third = rows.sum(0, keepdim=True)
    third[0, 0] += 1e-17 + torch.finfo(torch.float64).eps
    assert _determinant(torch.cat([rows, third])) != 0
    block = Block(Affine(torch.cat([rows, third]), torch.zeros(3).double()))
    program = Program((block,), random_program(3, ()).head)
    with pytest.raises(LinealityError, match="rounding"):
        extract_complex(program, WholeSpace(3))


def _determinant(matrix: Tensor) -> Fraction:
    (a, b, c), (d, e, f), (g, h, i) = ([Fraction(x) for x in row] for row in matrix.tolist())
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def test_constant_network_has_nothing_left() -> None:
    constant = Program((), Affine(torch.zeros((1, 2)).double(), torch.zeros(1).double()))
    with pytest.raises(ValueError, match="constant"):
        essential(constant)
    with pytest.raises(LinealityError, match=r"0 of 2 dimensions.*constant") as caught:
        extract_complex(constant, WholeSpace(2))
    assert caught.value.lineality_dim == 2


def test_network_without_neurons_has_no_start() -> None:
    with pytest.raises(LinealityError, match="no neurons") as caught:
        extract_complex(random_program(2, ()), WholeSpace(2))
    assert caught.value.lineality_dim == 1
    assert null_space(random_program(2, ()).head.weight).shape == (1, 2)


def test_float32_weights_are_divided_in_double() -> None:
    program = random_program(2, (4,), dtype=torch.float32)
    wide = along(program, torch.tensor([[1.0, 0, 0], [0, 1, 0]]))
    complex_ = extract_complex(wide, WholeSpace(3))
    assert complex_.vertices.dtype == torch.float64
    assert complex_.f_vector() == extract_complex(program, WholeSpace(2)).f_vector()
