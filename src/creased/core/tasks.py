"""What is to be cut, made of what a user asks for, and checked."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.cofaces import Arrangement, arrange
from creased.core.corners import corners_of_domain
from creased.core.domain import Domain
from creased.core.infinity import cut_at_infinity, in_users_numbers
from creased.core.program import Affine, Program
from creased.core.signs import RowLayout
from creased.core.skeleton import Skeleton
from creased.core.tolerance import steps_across
from creased.core.whole_space import OpenStart, WholeSpace, open_start

FEWEST_STEPS = 1 << 18  # floating-point numbers across the domain; with fewer, vertices are lost


class Task(NamedTuple):
    """What is to be cut, and how."""

    program: Program  # detached, finite; its outputs less the level
    domain: Domain
    rows: Arrangement
    has_outputs: bool  # whether the zeros of the outputs cut too
    prune: bool  # whether what cannot meet them is dropped
    at_once: int | None = None  # vertices that are worked on at once; None: what fits in `working_bytes`
    opened: OpenStart | None = None  # what is cut in the program's place where the domain is the whole space

    @property
    def cutting(self) -> Program:
        """The program that cuts: that of homogeneous coordinates where the domain is the whole space."""
        return self.opened.program if self.opened else self.program

    def start(self) -> tuple[Skeleton, Tensor]:
        """The skeleton that is cut, and its corners."""
        if self.opened:
            return Skeleton(*(part.clone() for part in self.opened.skeleton)), self.opened.corners.clone()
        program = self.program
        skeleton = self.domain.skeleton(self.rows.layout.n_words, program.dtype, program.device)
        return skeleton, corners_of_domain(skeleton.zero_ids)

    @property
    def n_started(self) -> int:
        """Neurons of the first block that the start is made of."""
        return self.domain.dim if self.opened else 0

    def settle(self, cells: Skeleton, corners: Tensor | None = None) -> tuple[Skeleton, Tensor | None]:
        """Cells, as they were cut, in the user's numbers and coordinates."""
        if not self.opened:
            return cells, corners
        cells, corners = cut_at_infinity(cells, corners, self.rows)
        return in_users_numbers(cells, corners, self.opened.order, self.program.widths[0])


def make_task(
    program: Program,
    domain: Domain,
    level: float | None,
    at_once: int | None,
    device: torch.device | str | None,
    dtype: torch.dtype,
    *,
    prune: bool = False,
) -> Task:
    """The task of cutting a program, its outputs less the level, on a domain.

    Raises:
        ValueError: dimensions differ, or a weight is not finite.
    """
    if program.in_dim != domain.dim:
        raise ValueError(
            f"the program takes {program.in_dim} inputs, but the domain has {domain.dim} dimensions"
        )
    if at_once is not None and at_once < 1:
        raise ValueError(f"at_once must be 1 or more, got {at_once}")
    program = program.detach().to(device, dtype)
    for tensor in program.tensors():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(
                f"a weight of shape {tuple(tensor.shape)} holds NaN or infinity: nothing to extract"
            )
    if level is not None:
        program = replace(program, head=Affine(program.head.weight, program.head.bias - level))
    is_open = isinstance(domain, WholeSpace)
    layout = RowLayout(domain.n_walls, program.widths, 0 if level is None else program.out_dim, is_open)
    return Task(
        program,
        domain,
        arrange(layout, program.device),
        has_outputs=level is not None,
        prune=prune,
        at_once=at_once,
        opened=open_start(program, layout) if is_open else None,
    )


def choose_dtype(dtype: torch.dtype, domain: Domain) -> tuple[torch.dtype, tuple[str, ...]]:
    """The type to work in, with a note where it is not the one asked for."""
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"extraction works in dtype float32 or float64, got {dtype}")
    if isinstance(domain, WholeSpace):
        return torch.float64, () if dtype == torch.float64 else ("in float64: the domain is unbounded",)
    n_steps = steps_across(dtype, domain.lower, domain.upper)
    if dtype == torch.float32 and n_steps < FEWEST_STEPS:
        return torch.float64, (f"in float64: float32 has {n_steps:.2g} steps across the domain",)
    return dtype, ()
