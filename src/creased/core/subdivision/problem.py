"""A subdivision problem: a program, a domain and options, checked and completed."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement, arrange
from creased.core.arrangement.signs import RowLayout, clear_rows
from creased.core.arrangement.skeleton import Skeleton
from creased.core.domains.box import MOST_DIMENSIONS
from creased.core.domains.domain import Domain, Start
from creased.core.domains.essential import Essential, divide
from creased.core.domains.infinity import cut_at_infinity, in_users_numbers
from creased.core.exact.decisions import Decisions
from creased.core.exact.exact_signs import ExactRows
from creased.core.numerics.memory import LEAST, Resources, format_bytes
from creased.core.numerics.tolerance import band_of_rounding, steps_across
from creased.core.program.combine import minus_level, negative
from creased.core.program.program import Program
from creased.core.provenance import Completeness, Finding, Method, Note, Provenance

MOST_DECIDED = 1000  # vertices that are decided in rationals unasked, in less than a second mostly
MOST_IN_SINGLE = 50  # in single precision, where some are in doubt by chance
EVERYTHING = 1.0  # the band of doubt that holds all values
FEW_VERTICES = 20_000  # that are decided again in rationals, which may take some milliseconds each
FEWEST_STEPS = 1 << 18  # floating-point numbers across the domain; with fewer, vertices are lost


class Numbers(NamedTuple):
    """Numbers in which signs are decided."""

    dtype: torch.dtype
    band: float | None = None  # smaller values, relative to the largest of their layer, are decided exactly
    notes: tuple[Note, ...] = ()  # why, where it was not asked for

    def because(self, note: Note) -> Numbers:
        """Add a note of why these numbers were taken."""
        return self._replace(notes=(*self.notes, note))


class SubdivisionProblem(NamedTuple):
    """A program, where it is cut, and how."""

    program: Program  # detached, finite; its outputs less the level
    domain: Domain
    rows: Arrangement
    begin: Start  # what is cut
    precise: Program | None  # the program in double precision, in which doubts are decided; None: it is
    has_outputs: bool  # whether the zeros of the outputs cut too
    prune: bool  # whether what cannot meet them is dropped
    zero_sign: int  # -1: zeros of the outputs count as -
    band: float | None  # smaller values, relative to the largest of their layer, are decided exactly
    decisions: Decisions[ExactRows] | None  # decides them, on a network without a grid
    part: Essential | None  # of which program is the one, where directions were divided out
    at_once: int | None  # vertices that are worked on at once; None: what fits
    share: int  # bytes that these may take; on a CPU they take less, to stay in the cache
    provenance: Provenance  # so far

    @property
    def cutting(self) -> Program:
        """The program that cuts: of homogeneous coordinates where the domain is unbounded.

        Zeros count as +; where those of the outputs are to count as - the outputs are negated.
        """
        return self.begin.program if self.zero_sign > 0 else negative(self.begin.program)

    def on(self, domain: Domain) -> SubdivisionProblem:
        """Restate the problem on another domain with as many walls."""
        restated = self._replace(domain=domain, begin=domain.start(self.program, self.rows.layout))
        return restated.deciding(self.band)

    def deciding(self, band: float | None) -> SubdivisionProblem:
        """Decide values in a band of doubt exactly; with None those of some vertices, within rounding."""
        if self.program.grid is not None:
            return self._replace(band=band, decisions=None)
        affine = self.begin.affine if self.precise is None else self.precise
        cutting = affine if self.zero_sign > 0 else negative(affine)
        make = partial(ExactRows, cutting, self.domain.exact_walls(), self.rows.layout)
        if band is None:
            most = MOST_DECIDED if self.precise is None else MOST_IN_SINGLE
            within_rounding = Decisions(make, band_of_rounding(self.program.dtype), most=most)
            return self._replace(band=None, decisions=within_rounding)
        return self._replace(band=band, decisions=Decisions(make, band))

    def exact_rows(self) -> ExactRows:
        """The rows in exact arithmetic, in the user's numbers."""
        if self.decisions is not None and self.begin.order is None and self.zero_sign > 0:
            return self.decisions.exact
        return ExactRows(self.program, self.domain.exact_walls(), self.rows.layout)

    def settle(self, cells: Skeleton, corners: Tensor | None = None) -> tuple[Skeleton, Tensor | None]:
        """Convert cells to the user's row numbers and coordinates."""
        if self.begin.order is not None:
            cells, corners = cut_at_infinity(cells, corners, self.rows)
            cells, corners = in_users_numbers(cells, corners, self.begin.order, self.program.widths[0])
        if self.zero_sign < 0:
            layout = self.rows.layout
            outputs = self.rows.before[-1] & ~self.rows.before[layout.first_output]
            words = cells.words ^ outputs
            for zeros in cells.zero_ids.unbind(1):
                on_output = (zeros >= layout.first_output).nonzero()[:, 0]
                flipped = words[on_output]
                clear_rows(flipped, zeros[on_output].long())
                words[on_output] = flipped
            cells = cells._replace(words=words)
        return cells, corners


def make_problem(
    program: Program,
    domain: Domain,
    level: float | None,
    numbers: Numbers,
    resources: Resources,
    *,
    prune: bool = False,
    zero_sign: int = 1,
) -> SubdivisionProblem:
    """State the problem of cutting a program, its outputs less the level, on a domain.

    Zeros of the outputs count as zero_sign. Directions of the whole space that the program leaves out are
    divided out. With a level of None the outputs do not cut.

    Raises:
        ValueError: dimensions differ, a weight is not finite, or a copy of the network or the corners of a
            box take more memory than allowed.
        LinealityError: there is no start on the whole space.
    """
    _check_shape(program, domain, resources.at_once)
    resources.keep_apart()
    _require_copy(program, numbers.dtype, resources)
    given, program = program, program.detach().to(resources.device, numbers.dtype)
    program.require_finite("extraction")
    program, domain, part = divide(program, domain)
    is_single = numbers.dtype != torch.float64 and program.grid is None
    precise = given.detach().to(resources.device, torch.float64) if is_single else None
    if level is not None:
        program = minus_level(program, level)
        precise = None if precise is None else minus_level(precise, level)
    n_outputs = 0 if level is None else program.out_dim
    layout = RowLayout(
        domain.n_walls,
        program.widths,
        n_outputs,
        at_infinity=not domain.is_bounded,
        on_grid=program.grid is not None,
    )
    _require_start(domain, layout, program.device, resources)
    begin = domain.start(program, layout)
    is_pruned = prune and bool(program.blocks)
    completeness = Completeness.PRUNED if is_pruned else Completeness.SUBDIVIDED
    divided = (Note(Finding.DIVIDED, part.note),) if part else ()
    problem = SubdivisionProblem(
        program=program,
        domain=domain,
        rows=arrange(layout, program.device),
        begin=begin,
        precise=precise,
        has_outputs=level is not None,
        prune=prune,
        zero_sign=zero_sign,
        band=None,
        decisions=None,
        part=part,
        at_once=resources.at_once,
        share=resources.share_on(program.device),
        provenance=Provenance(
            Method.SUBDIVIDE, program.dtype, completeness, notes=(*numbers.notes, *divided)
        ),
    )
    return problem.deciding(numbers.band)


def _check_shape(program: Program, domain: Domain, at_once: int | None) -> None:
    if program.in_dim != domain.dim:
        raise ValueError(
            f"the program takes {program.in_dim} inputs, but the domain has {domain.dim} dimensions"
        )
    if at_once is not None and at_once < 1:
        raise ValueError(f"at_once must be 1 or more, got {at_once}")


def _require_copy(program: Program, dtype: torch.dtype, resources: Resources) -> None:
    allowed = resources.memory_on(torch.device(resources.device or program.device))
    needed = sum(tensor.numel() for tensor in program.tensors()) * dtype.itemsize
    if dtype != program.dtype and allowed is not None and needed > max(allowed, LEAST):
        raise ValueError(
            f"the network takes {format_bytes(needed)} in {str(dtype).removeprefix('torch.')}, and "
            f"{format_bytes(allowed)} are allowed"
        )


def _require_start(domain: Domain, layout: RowLayout, device: torch.device, resources: Resources) -> None:
    dim, allowed = domain.dim, resources.memory_on(device)
    if not domain.is_box or dim > MOST_DIMENSIONS or layout.on_grid or allowed is None:
        return
    a_corner = 2 * 4 * 2**dim + 8 * layout.n_words + 50 * dim + 8 * dim**2  # 2^D regions around it, D edges
    if (needed := 2**dim * a_corner) > max(allowed, LEAST):
        raise ValueError(
            f"a box of {dim} dimensions has {2**dim:,} corners, which take {format_bytes(needed)} before "
            f"it is cut, and {format_bytes(allowed)} are allowed: take a slice (creased.slice_program)"
        )


def choose_numbers(dtype: torch.dtype, domain: Domain, *, exact: bool = False) -> Numbers:
    """Take the floating type asked for, or double where it is too coarse."""
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"extraction works in dtype float32 or float64, got {dtype}")
    if dtype == torch.float64:
        return Numbers(dtype)
    if not domain.is_bounded:
        why = "the domain is unbounded"
    elif exact:
        why = "decisions are exact"
    elif (n_steps := steps_across(dtype, domain.lower, domain.upper)) < FEWEST_STEPS:
        why = f"float32 has {n_steps:.2g} steps across the domain"
    else:
        return Numbers(dtype)
    return Numbers(torch.float64).because(Note(Finding.IN_FLOAT64, f"in float64: {why}"))
