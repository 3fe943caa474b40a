"""Axis-parallel boxes as domains, and their sections where one coordinate is fixed.

In D dimensions wall ``2 i`` is ``x_i >= lower_i`` and wall ``2 i + 1`` is ``x_i <= upper_i``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from creased.core.arrangement.signs import pack_rows
from creased.core.arrangement.skeleton import Skeleton
from creased.core.domains.domain import BoundedDomain
from creased.core.program.affine_slice import ProgramSlice, slice_program
from creased.core.program.program import Program

BOXES = 64  # whose walls are kept
MOST_DIMENSIONS = 20  # of a box that is subdivided: a million corners


@dataclass(frozen=True)
class Box(BoundedDomain):
    """An axis-parallel box, lower <= x <= upper.

    Raises:
        ValueError: the bounds differ in length, are not finite, or lower >= upper somewhere.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    is_box = True

    def __init__(self, lower: Sequence[float] | Tensor, upper: Sequence[float] | Tensor) -> None:
        object.__setattr__(self, "lower", tuple(float(x) for x in lower))
        object.__setattr__(self, "upper", tuple(float(x) for x in upper))
        if len(self.lower) != len(self.upper) or not self.lower:
            raise ValueError(f"Box: lower and upper must have one length >= 1, got {lower} and {upper}")
        for axis, (a, b) in enumerate(zip(self.lower, self.upper, strict=True)):
            if not (math.isfinite(a) and math.isfinite(b) and a < b):
                raise ValueError(f"Box: axis {axis} needs finite lower < upper, got {a} and {b}")

    @staticmethod
    def cube(dim: int, half_width: float) -> Box:
        """Make the cube [-half_width, half_width]^dim."""
        return Box((-half_width,) * dim, (half_width,) * dim)

    @property
    def dim(self) -> int:
        """Ambient dimension D."""
        return len(self.lower)

    @property
    def n_walls(self) -> int:
        """Number of walls: two an axis."""
        return 2 * self.dim

    def halfspaces(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        """The walls as affine functions (D + 1, 2 D), >= 0 inside, the constant last."""
        return _halfspaces(self, dtype, device)

    def skeleton(self, n_words: int, dtype: torch.dtype, device: torch.device) -> Skeleton:
        """Corners and edges of the box."""
        dim = self.dim
        axes = torch.arange(dim)
        if dim > MOST_DIMENSIONS:
            raise ValueError(
                f"Box: {dim} dimensions make 2^{dim} corners, and up to {MOST_DIMENSIONS} dimensions can be "
                "subdivided: take a slice (creased.slice_program)"
            )
        corners = (torch.arange(2**dim)[:, None] >> axes) & 1  # (2^D, D): 0 at the lower wall
        bounds = torch.tensor([self.lower, self.upper], dtype=dtype)
        zero_ids = 2 * axes + corners
        is_inside = torch.stack([corners == 1, corners == 0], dim=2).reshape(2**dim, 2 * dim)
        starts, along = (corners == 0).nonzero(as_tuple=True)  # an edge leaves a corner along an axis
        others = torch.tensor([[a for a in range(dim) if a != axis] for axis in range(dim)])
        edge_zero_ids = zero_ids[starts].gather(1, others.reshape(dim, dim - 1)[along])
        return Skeleton(
            vertices=bounds[corners, axes].to(device),
            zero_ids=zero_ids.to(device, torch.int32),
            words=pack_rows(is_inside, 0, n_words).to(device),
            edges=torch.stack([starts, starts + (1 << along)], dim=1).to(device, torch.int32),
            edge_zero_ids=edge_zero_ids.to(device, torch.int32),
        )

    def __str__(self) -> str:
        """Format it as [-1, 1]^3, or [0, 1] x [-2, 2]."""
        sides = [f"[{a:g}, {b:g}]" for a, b in zip(self.lower, self.upper, strict=True)]
        return f"{sides[0]}^{self.dim}" if len(set(sides)) == 1 < self.dim else " x ".join(sides)


@lru_cache(BOXES)
def _halfspaces(box: Box, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The walls of a box; kept, for each training step would copy them to the device."""
    with torch.inference_mode(mode=False):
        walls = torch.zeros((box.dim + 1, box.n_walls), dtype=dtype)
        lower, upper = (torch.tensor(bound, dtype=dtype) for bound in (box.lower, box.upper))
        eye = torch.eye(box.dim, dtype=dtype)
        walls[:-1, 0::2], walls[-1, 0::2] = eye, -lower
        walls[:-1, 1::2], walls[-1, 1::2] = -eye, upper
        return walls.to(device)


def slice_across(program: Program, box: Box, axis: int, at: float) -> tuple[ProgramSlice, Box]:
    """Restrict a program, and a box of its D inputs, to where one coordinate has a value."""
    kept = [i for i in range(program.in_dim) if i != axis]
    identity = torch.eye(program.in_dim, dtype=torch.float64)
    section = Box(tuple(box.lower[i] for i in kept), tuple(box.upper[i] for i in kept))
    return slice_program(program, at * identity[axis], identity[:, kept]), section
