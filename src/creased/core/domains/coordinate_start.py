"""A start on the whole space for every network, where any refinement of its complex will do.

Subdivision starts from D independent neurons of the first layer. Directions that a network leaves out are
divided out: its sublevel sets are those of the quotient times a linear space, and so homotopy equivalent.
Neurons may be missing still: there are none, the network is constant, what passes the first layer by looks
at more than it does, or rounding alone makes rows dependent. Then coordinate hyperplanes come first, as
neurons on which nothing depends. They cut cells, on which the network stays affine, into more; how many there
are is no property of the network.
"""

from __future__ import annotations

import torch

from creased.core.domains.essential import essential
from creased.core.numerics.linear_algebra import independent_rows
from creased.core.program.affine_slice import ProgramSlice, slice_program
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program


def with_start(program: Program) -> tuple[Program, ProgramSlice | None]:
    """Return a program with the homology of its sublevel sets, and a start on the whole space.

    Args:
        program: in float64, without a grid.

    Returns:
        The program, and the slice of the input that it is on, where directions are divided out.
    """
    if _n_spanned(program) == program.in_dim:
        return program, None
    part = _quotient(program)
    found = program if part is None else part.program
    is_started = _n_spanned(found) == found.in_dim
    return (found if is_started else found.in_both_forms(_behind_coordinates)), part


def _n_spanned(program: Program) -> int:
    """Dimension of the space that the normals of the first layer span."""
    return len(independent_rows(program.blocks[0].affine.weight)) if program.blocks else 0


def _quotient(program: Program) -> ProgramSlice | None:
    """Divide out what the network leaves out without rounding; of a constant one all but a line."""
    try:
        part = essential(program)
    except ValueError:  # it is constant
        axes = torch.eye(program.in_dim, dtype=torch.float64)
        return slice_program(program, torch.zeros_like(axes[0]), axes[:, :1])
    return part.slice if part.is_exact else None


def _behind_coordinates(program: Program) -> Program:
    """Put a layer of D neurons in front, one a coordinate, that passes the input on and nothing else."""
    axes = Affine.identity(torch.zeros(program.in_dim, dtype=torch.float64))
    unread = torch.zeros_like(axes.weight)
    return Program((Block(axes, mix=unread, skip=axes.weight), *program.blocks), program.head)
