"""Divide a network by its lineality space, the directions on which it does not depend.

These directions, the lineality space, are the null space of all that meets the input: the first layer, and
what of it passes that by and is looked at later. The complex of the network on the whole space is that of its
essential part times them.

Any complement of that space will do to divide by it. One that is spanned by axes of the input only chooses
columns of the weights, so that nothing is rounded, and hyperplanes that meet still do; only on the orthogonal
one distances are those of the whole space.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from creased.core.domains.domain import Domain
from creased.core.domains.whole_space import LinealityError, WholeSpace
from creased.core.exact.elimination import RationalMatrix, identity, rank
from creased.core.exact.integer_program import IntegerAffine
from creased.core.numerics.linear_algebra import independent_rows, null_space
from creased.core.numerics.surroundings import as_written
from creased.core.program.affine_slice import ProgramSlice, slice_program
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program


@dataclass(frozen=True)
class Essential:
    """A network on a complement of its lineality space."""

    slice: ProgramSlice  # through the origin, orthonormal; `lift` leads back to the input
    lineality: Tensor  # (k, D): the directions that the network does not look at, orthonormal
    is_exact: bool  # proven in rationals, with no weight rounded

    @property
    def program(self) -> Program:
        """The network of D - k inputs."""
        return self.slice.program

    @property
    def note(self) -> str:
        """A sentence about the directions that were divided out."""
        n, dim = self.lineality.shape
        axes = self.slice.basis.abs().argmax(0).tolist()
        where = f"inputs {axes} of {dim}" if self.is_exact else "those of an orthogonal complement"
        return f"divided by a lineality space of dimension {n}: the coordinates are {where}"

    def __repr__(self) -> str:
        return f"{self.program}, {self.note}"


@as_written
def essential(program: Program, *, orthogonal: bool = False) -> Essential:
    """Divide a network by its lineality space, to extract it on the whole space of what is left.

    Args:
        program: of D inputs; detached.
        orthogonal: take the orthogonal complement, where distances are those of the whole space, and weights
            are rounded. By default it is spanned by axes of the input, wherever the directions are left
            out exactly, and not up to rounding alone.

    Raises:
        ValueError: the network looks at no direction at all: it is constant; or it is on a grid.
    """
    program.require_no_grid("essential")
    program = program.detach().to(dtype=torch.float64)
    exact = RationalMatrix.of(_meeting_the_input(program))
    meets = program.head.weight.new_tensor([[float(x) for x in row] for row in exact.fractions()])
    n = len(independent_rows(meets))
    if n == 0:
        raise ValueError("essential: the network is constant, it looks at no direction of its input")
    lineality = torch.linalg.svd(meets, full_matrices=True).Vh[n:]
    axes, basis = independent_rows(meets.T), torch.eye(program.in_dim).to(meets)
    is_exact = n == program.in_dim or (not orthogonal and n == len(axes) == rank(exact.rows))
    if n < program.in_dim:
        basis = basis[:, axes] if is_exact else null_space(lineality).T
    origin = torch.zeros(program.in_dim, dtype=torch.float64)
    return Essential(slice_program(program, origin, basis), lineality, is_exact)


def _meeting_the_input(program: Program) -> list[list[Fraction]]:
    """Rows (n, D) that depend linearly on the input, passed on by the blocks before them.

    Along a direction that the first layer leaves out, the state behind it changes by what passes it by; along
    one that the second leaves out too, by what passes both; and so on.
    """
    state, rows = identity(program.in_dim + 1), list[list[Fraction]]()
    for block in (*program.exact.blocks, Block(program.exact.head)):
        rows += (list(row[:-1]) for row in IntegerAffine.of(block.affine)(state).fractions())
        if not block.has_passthrough:
            break
        passing = IntegerAffine.of(Affine(*block.output_matrices()[1:]).linear_part())(state)
        state = (*passing.rows, (*[0] * program.in_dim, passing.scale))
    return rows


def divide(program: Program, domain: Domain) -> tuple[Program, Domain, Essential | None]:
    """Replace a network on the whole space by its essential part, where it has a lineality space.

    Raises:
        LinealityError: what is left has no start, as its first layer does not look at all of its inputs.
    """
    weight = program.blocks[0].affine.weight if program.blocks else program.head.weight[:0]
    if domain.is_bounded or len(independent_rows(weight)) == domain.dim:
        return program, domain, None
    basis = null_space(weight)
    try:
        part = essential(program)
    except ValueError:
        raise LinealityError(basis, domain.dim, "as the network is constant") from None
    n_left_out = part.lineality.shape[0]
    if not program.blocks:
        raise LinealityError(basis, n_left_out, "as the network has no neurons")
    if part.program.in_dim > domain.dim - basis.shape[0]:
        more = f"and what passes it by looks at {basis.shape[0] - n_left_out} more"
        raise LinealityError(basis, n_left_out, f"{more}: take a bounded domain")
    if not part.is_exact:
        more = "up to rounding, and all of them without it"
        raise LinealityError(
            basis, 0, f"{more}: round its weights, take creased.essential(program), or a box"
        )
    return part.program, WholeSpace(part.program.in_dim), part
