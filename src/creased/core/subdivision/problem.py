"""What is to be cut, made of what a user asks for, and checked."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement, arrange
from creased.core.arrangement.orthants import corners_of_domain
from creased.core.arrangement.signs import RowLayout, clear_rows
from creased.core.arrangement.skeleton import Skeleton
from creased.core.domains.domain import Domain
from creased.core.domains.essential import Essential, divide
from creased.core.domains.infinity import cut_at_infinity, in_users_numbers
from creased.core.domains.whole_space import OpenStart, WholeSpace, open_start
from creased.core.exact.exact_signs import Decisions, ExactRows
from creased.core.numerics.tolerance import steps_across
from creased.core.program.program import Affine, Program

FEWEST_STEPS = 1 << 18  # floating-point numbers across the domain; with fewer, vertices are lost


class SubdivisionProblem(NamedTuple):
    """What is to be cut, and how."""

    program: Program  # detached, finite; its outputs less the level
    domain: Domain
    rows: Arrangement
    has_outputs: bool  # whether the zeros of the outputs cut too
    prune: bool  # whether what cannot meet them is dropped
    at_once: int | None = None  # vertices that are worked on at once; None: what fits in `working_bytes`
    decisions: Decisions | None = None  # decides signs in doubt, if they are to be exact
    zero_sign: int = 1  # -1: zeros of the outputs count as -
    opened: OpenStart | None = None  # what is cut in the program's place where the domain is the whole space
    part: Essential | None = None  # of which program is the one, where directions were divided out

    @property
    def cutting(self) -> Program:
        """The program that cuts: of homogeneous coordinates where the domain is the whole space.

        Zeros count as +; where those of the outputs are to count as - the outputs are negated.
        """
        program = self.opened.program if self.opened else self.program
        return program if self.zero_sign > 0 else _negated(program)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual about what is cut, in words."""
        return (self.part.note,) if self.part else ()

    def exact_rows(self) -> ExactRows:
        """The rows in rationals, in the user's numbers."""
        if self.decisions is not None and self.opened is None and self.zero_sign > 0:
            return self.decisions.exact
        return ExactRows(self.program, self.domain.exact_walls(), self.rows.layout)

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
        if self.opened:
            cells, corners = cut_at_infinity(cells, corners, self.rows)
            cells, corners = in_users_numbers(cells, corners, self.opened.order, self.program.widths[0])
        if self.zero_sign < 0:
            layout = self.rows.layout
            outputs = self.rows.before[-1] & ~self.rows.before[layout.first_output]
            words = cells.words ^ outputs
            for zeros in cells.zero_ids.unbind(1):
                clear_rows(words, zeros.long())
            cells = cells._replace(words=words)
        return cells, corners


def _negated(program: Program) -> Program:
    return replace(program, head=Affine(-program.head.weight, -program.head.bias))


def make_problem(
    program: Program,
    domain: Domain,
    level: float | None,
    at_once: int | None,
    device: torch.device | str | None,
    dtype: torch.dtype,
    *,
    prune: bool = False,
    band: float | None = None,
    zero_sign: int = 1,
) -> SubdivisionProblem:
    """The problem of cutting a program, its outputs less the level, on a domain.

    With a band, values that are smaller, relative to the largest, have their signs decided exactly. Zeros of
    the outputs count as zero_sign. Directions of the whole space that the program leaves out are divided out.

    Raises:
        ValueError: dimensions differ, or a weight is not finite.
        LinealityError: there is no start on the whole space.
    """
    _check_shape(program, domain, at_once)
    program = program.detach().to(device, dtype)
    _check_weights(program)
    program, domain, part = divide(program, domain)
    if level is not None:
        program = replace(program, head=Affine(program.head.weight, program.head.bias - level))
    is_open = isinstance(domain, WholeSpace)
    layout = RowLayout(domain.n_walls, program.widths, 0 if level is None else program.out_dim, is_open)
    opened = open_start(program, layout) if is_open else None
    decisions = None
    if band is not None:
        cutting = opened.affine if opened else program
        cutting = cutting if zero_sign > 0 else _negated(cutting)
        decisions = Decisions(ExactRows(cutting, domain.exact_walls(), layout), band)
    return SubdivisionProblem(
        program,
        domain,
        arrange(layout, program.device),
        has_outputs=level is not None,
        prune=prune,
        at_once=at_once,
        decisions=decisions,
        zero_sign=zero_sign,
        opened=opened,
        part=part,
    )


def _check_shape(program: Program, domain: Domain, at_once: int | None) -> None:
    if program.in_dim != domain.dim:
        raise ValueError(
            f"the program takes {program.in_dim} inputs, but the domain has {domain.dim} dimensions"
        )
    if at_once is not None and at_once < 1:
        raise ValueError(f"at_once must be 1 or more, got {at_once}")


def _check_weights(program: Program) -> None:
    for tensor in program.tensors():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(
                f"a weight of shape {tuple(tensor.shape)} holds NaN or infinity: nothing to extract"
            )


def choose_dtype(
    dtype: torch.dtype, domain: Domain, *, exact: bool = False
) -> tuple[torch.dtype, tuple[str, ...]]:
    """The type to work in, with a note where it is not the one asked for."""
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"extraction works in dtype float32 or float64, got {dtype}")
    if isinstance(domain, WholeSpace):
        return torch.float64, () if dtype == torch.float64 else ("in float64: the domain is unbounded",)
    if exact:
        return torch.float64, () if dtype == torch.float64 else ("in float64: decisions are exact",)
    n_steps = steps_across(dtype, domain.lower, domain.upper)
    if dtype == torch.float32 and n_steps < FEWEST_STEPS:
        return torch.float64, (f"in float64: float32 has {n_steps:.2g} steps across the domain",)
    return dtype, ()
