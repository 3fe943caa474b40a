"""Affine slices of the input: the program on the points origin + basis t, as a program of t.

The slice is folded into the first layer, W (x0 + U t) + b = (W U) t + (W x0 + b), in double precision;
`folding_error` bounds the rounding. What is passed beside neurons and is constant on the slice, such as a
fixed latent vector, is folded into biases too, and forgotten. In the unfolded form the slice is a layer of
its own. On a grid nothing is folded: the grid remembers where it is sliced. The level set of the slice is a
section of the level set of the program; distances agree where the basis is orthonormal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from creased.core.formatting import format_space
from creased.core.numerics.linear_algebra import independent_rows
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tolerance import get_epsilon, rounding_error
from creased.core.program.kuhn_grid import Section
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program


@dataclass(frozen=True)
class ProgramSlice:
    """A program on an affine subspace of its input."""

    program: Program  # of t; float64
    origin: Tensor  # (n,): the point t = 0
    basis: Tensor  # (n, D): columns are the directions of the coordinates t
    orthonormality_defect: float  # largest entry of |U^T U - 1|
    folding_error: float  # bound on the error of any weight or bias that is folded; 0 on a grid

    @property
    def is_orthonormal(self) -> bool:
        """True if lengths and angles in the slice are those of the whole space."""
        return self.orthonormality_defect <= get_epsilon(self.basis.dtype)

    def lift(self, points: Tensor) -> Tensor:
        """Map points (..., D) of the slice to points (..., n) of the whole space."""
        return self.origin + points.to(self.basis) @ self.basis.T

    def __repr__(self) -> str:
        angles = "orthonormal" if self.is_orthonormal else "not orthonormal"
        return f"{self.program}, on a slice of {format_space(len(self.origin))}, {angles}"


@as_written
def slice_program(
    program: Program, origin: Tensor | Sequence[float], basis: Tensor | Sequence[Sequence[float]]
) -> ProgramSlice:
    """Restrict a program of n inputs to the D-dimensional slice origin + basis t.

    Args:
        program: of n inputs; the slice is detached from its weights.
        origin: x0, (n,).
        basis: U, (n, D): directions as columns, linearly independent; orthonormal if distances matter.

    Raises:
        ValueError: shapes do not fit, an entry is not finite, or the directions are dependent.
    """
    program = program.detach().to(dtype=torch.float64)
    start, directions = (
        torch.as_tensor(x, dtype=torch.float64, device=program.device).detach() for x in (origin, basis)
    )
    n = program.in_dim
    if start.shape != (n,) or directions.dim() != 2 or directions.shape[0] != n or not directions.shape[1]:
        raise ValueError(
            f"slice_program: needs an origin ({n},) and a basis ({n}, D), got {tuple(start.shape)} and "
            f"{tuple(directions.shape)}"
        )
    if not bool(start.isfinite().all() & directions.isfinite().all()):
        raise ValueError("slice_program: origin and basis must be finite, got NaN or infinity")
    n_spanned = len(independent_rows(directions.T))
    if n_spanned < directions.shape[1]:
        raise ValueError(f"slice_program: {directions.shape[1]} directions span {n_spanned} dimensions only")
    defect = (directions.T @ directions - torch.eye(directions.shape[1]).to(directions)).abs().amax()
    if program.grid is not None:
        return ProgramSlice(_on_grid(program, start, directions), start, directions, float(defect), 0.0)
    folded, error = _forget(_fold(program, start, directions), _folding_error(program, start, directions))
    before = Block.without_neurons(Affine(directions, start))
    unfolded = Program((before, *program.exact.blocks), program.exact.head)
    return ProgramSlice(folded.with_unfolded(unfolded), start, directions, float(defect), error)


@as_written
def slice_through(program: Program, *points: Tensor | Sequence[float]) -> ProgramSlice:
    """Restrict a program of n inputs to the slice through D + 1 points (n,), with an orthonormal basis.

    Raises:
        ValueError: the points span fewer than D dimensions; otherwise as `slice_program`.
    """
    if len(points) < 2:
        raise ValueError(f"slice_through: needs two points or more, got {len(points)}")
    origin, *others = (torch.as_tensor(point).detach().double() for point in points)
    arms = torch.stack([other - origin for other in others], dim=1)
    if len(independent_rows(arms.T)) < arms.shape[1]:
        raise ValueError(f"slice_through: {len(points)} points must span {arms.shape[1]} dimensions")
    return slice_program(program, origin, torch.linalg.qr(arms).Q)


def _on_grid(program: Program, origin: Tensor, basis: Tensor) -> Program:
    assert program.grid is not None
    outer = program.grid.section
    if outer is not None:
        origin, basis = outer.lift(origin), outer.basis @ basis
    return program.on_grid(replace(program.grid, section=Section(origin, basis)))


def _fold(program: Program, origin: Tensor, basis: Tensor) -> Program:
    if not program.blocks:
        return Program((), _folded(program.head, origin, basis))
    first = program.blocks[0]
    block: Block = replace(first, affine=_folded(first.affine, origin, basis))
    if first.has_passthrough:
        _, skip, shift = first.output_matrices()
        block = replace(block, skip=skip @ basis, shift=skip @ origin + shift)
    return Program((block, *program.blocks[1:]), program.head)


class _Constants:
    """The coordinates of a state that are constant on the slice, and their values."""

    def __init__(self, program: Program, error: float) -> None:
        self.is_known = torch.zeros(program.in_dim, dtype=torch.bool, device=program.device)
        self._values = program.head.bias.new_zeros(0)
        self.error = error  # bound on that of all that was folded so far

    def fold(self, affine: Affine) -> Affine:
        """Fold the known coordinates of a map's argument into its bias."""
        if not bool(self.is_known.any()):
            return affine
        weight, known = affine.weight[:, ~self.is_known], affine.weight[:, self.is_known]
        size = known.abs() @ self._values.abs() + affine.bias.abs()
        rounded = rounding_error(known.dtype, known.shape[1] + 1) * size
        lost = self.error * known.abs().sum(1) + rounded
        self.error = max(self.error, float(lost.amax()) if lost.numel() else 0.0)
        return Affine(weight, affine.bias + known @ self._values)

    def advance(self, block: Block) -> Block:
        """Fold them into a block, and go on to the constants of its next state, which it does not compute."""
        affine = self.fold(block.affine)
        if not block.has_passthrough:
            n_next = block.n_neurons if block.mix is None else block.mix.shape[0]
            self.is_known, self._values = self.is_known.new_zeros(n_next), self._values[:0]
            return replace(block, affine=affine)
        mix, skip, shift = block.output_matrices()
        passed = self.fold(Affine(skip, shift))
        self.is_known = ~(mix.any(1) | passed.weight.any(1))
        if not bool(self.is_known.any()) and affine is block.affine:
            return block
        self._values, kept = passed.bias[self.is_known], ~self.is_known
        return Block(affine, mix[kept], passed.weight[kept], passed.bias[kept])


def _forget(program: Program, error: float) -> tuple[Program, float]:
    """Fold what is constant in states into biases; bound the errors, given that of the slice."""
    constants = _Constants(program, error)
    blocks = tuple(constants.advance(block) for block in program.blocks)
    return Program(blocks, constants.fold(program.head)), constants.error


def _folded(affine: Affine, origin: Tensor, basis: Tensor) -> Affine:
    return Affine(affine.matrix @ basis, affine(origin))


def _folding_error(program: Program, origin: Tensor, basis: Tensor) -> float:
    """Bound the rounding error of every weight and bias that folding computes."""
    first = program.blocks[0].affine if program.blocks else program.head
    weights = [(first.weight, first.bias)]
    if program.blocks and program.blocks[0].has_passthrough:
        weights.append(program.blocks[0].output_matrices()[1:])
    sizes = [
        torch.maximum((w.abs() @ basis.abs()).amax(), (w.abs() @ origin.abs() + b.abs()).amax())
        for w, b in weights
    ]
    return rounding_error(basis.dtype, program.in_dim + 1) * float(torch.stack(sizes).max())
