"""A network on an affine slice x0 + U t of its input: the same program with U folded into the first layer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from creased.core.program import Affine, Block, Program
from creased.core.tolerance import get_epsilon


@dataclass(frozen=True)
class AffineSlice:
    """The points x0 + U t.

    Raises:
        ValueError: sizes do not fit, or the directions are dependent.
    """

    origin: Tensor  # x0, (n,)
    basis: Tensor  # U, (n, k)

    def __post_init__(self) -> None:
        if self.basis.dim() != 2 or self.origin.shape != self.basis.shape[:1]:
            raise ValueError(
                "AffineSlice: needs an origin (n,) and a basis (n, k), got "
                f"{tuple(self.origin.shape)} and {tuple(self.basis.shape)}"
            )
        if int(torch.linalg.matrix_rank(self.basis)) < self.basis.shape[1]:
            raise ValueError(f"AffineSlice: the {self.basis.shape[1]} directions are dependent")

    @property
    def dim(self) -> int:
        """K."""
        return self.basis.shape[1]

    @property
    def is_orthonormal(self) -> bool:
        """Whether lengths in the slice are those of the whole space, up to rounding."""
        gram = self.basis.mT @ self.basis
        eye = torch.eye(self.dim).to(gram)
        return bool(((gram - eye).abs() <= get_epsilon(gram.dtype)).all())

    def lift(self, coordinates: Tensor) -> Tensor:
        """The points (..., n) at coordinates (..., k)."""
        return self.origin + coordinates @ self.basis.mT

    @staticmethod
    def through(*points: Tensor) -> AffineSlice:
        """The slice through k + 1 points (n,), with an orthonormal basis; the first is its origin."""
        origin, *others = points
        arms = torch.stack([other - origin for other in others], dim=1)
        return AffineSlice(origin, torch.linalg.qr(arms).Q)


def restrict(program: Program, to: AffineSlice) -> Program:
    """The program as a function of the slice's coordinates. Products of weights are rounded.

    Raises:
        ValueError: the slice lies in a space of another dimension than the program's input.
    """
    if to.origin.shape[0] != program.in_dim:
        raise ValueError(
            f"restrict: the program takes {program.in_dim} inputs, the slice lies in "
            f"{to.origin.shape[0]} dimensions"
        )
    place = AffineSlice(to.origin.to(program.head.bias), to.basis.to(program.head.bias))
    if not program.blocks:
        return Program((), _fold(program.head, place))
    first = program.blocks[0]
    skip, shift = first.skip, first.shift
    if skip is not None:
        moved = skip @ place.origin
        skip, shift = skip @ place.basis, moved if shift is None else shift + moved
    block: Block = replace(first, affine=_fold(first.affine, place), skip=skip, shift=shift)
    return Program((block, *program.blocks[1:]), program.head)


def _fold(affine: Affine, place: AffineSlice) -> Affine:
    return Affine(affine.weight @ place.basis, affine(place.origin))
