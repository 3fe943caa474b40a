"""The essential part of a network: what is left when the directions that it does not look at are divided out.

These directions, the lineality space, are the null space of all that meets the input: the first layer, and
what passes it by. The complex of the network on the whole space is that of its essential part times them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from creased.core.affine_slice import ProgramSlice, slice_program
from creased.core.program import Program
from creased.core.spanning import null_space


@dataclass(frozen=True)
class Essential:
    """A network on the orthogonal complement of its lineality space."""

    slice: ProgramSlice  # through the origin, orthonormal; `lift` leads back to the input
    lineality: Tensor  # (k, D): the directions that the network does not look at, orthonormal

    @property
    def program(self) -> Program:
        """The network of D - k inputs."""
        return self.slice.program


def essential(program: Program) -> Essential:
    """Divide a network by its lineality space, to extract it on the whole space of what is left.

    Raises:
        ValueError: the network looks at no direction at all: it is constant.
    """
    program = program.detach().to(dtype=torch.float64)
    first = program.blocks[0] if program.blocks else None
    meets = [program.head.weight] if first is None else [first.affine.weight]
    if first is not None and first.skip is not None:
        meets.append(first.skip)
    lineality = null_space(torch.cat(meets))
    complement = null_space(lineality) if lineality.shape[0] else torch.eye(program.in_dim).to(lineality)
    if complement.shape[0] == 0:
        raise ValueError("essential: the network is constant, it looks at no direction of its input")
    origin = torch.zeros(program.in_dim, dtype=torch.float64)
    return Essential(slice_program(program, origin, complement.T), lineality)
