"""Extract the complex of a program on a domain: whole, in pieces, or its numbers of cells.

Subdivision starts from the domain's own skeleton and cuts it by each block in turn; the outputs, less the
level, are the last block.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Unpack

import torch
from torch import Tensor

from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.degeneracy import treat
from creased.core.domains.domain import Domain
from creased.core.escalation import Reference, find_consistent, first_certified
from creased.core.grids.grid_complex import (
    complex_on_grid,
    count_on_grid,
    skeleton_on_grid,
    stream_on_grid,
)
from creased.core.numerics.memory import LEAST, CellLimitError, Resources, format_bytes
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tolerance import doubtful_band
from creased.core.options import ComplexKeywords, PieceKeywords, domain_of, options_of, require_level
from creased.core.program.program import Program
from creased.core.provenance import Provenance
from creased.core.subdivision.footprint import NO_LIMITS, Limits
from creased.core.subdivision.merge import collect
from creased.core.subdivision.pieces import Cutter
from creased.core.subdivision.problem import (
    EVERYTHING,
    FEW_VERTICES,
    Numbers,
    SubdivisionProblem,
    choose_numbers,
    make_problem,
)
from creased.core.subdivision.sub_boxes import Parts


@as_written
def extract_complex(
    program: Program,
    domain: Domain | None = None,
    *,
    level: float | None = 0.0,
    **keywords: Unpack[ComplexKeywords],
) -> PolyhedralComplex:
    """Extract the complex cut by every neuron and by {output = level} for each output.

    A complex that would take more memory than allowed is given up early: what was found of it is returned,
    with a status in numbers. `stream_complex` and `count_cells` do without holding it.

    Directions of the whole space that the network leaves out are divided out: the complex is that of
    ``PolyhedralComplex.part``, of fewer dimensions, and its status says so.

    Args:
        program: what to extract; detached.
        domain: where; None for the cube of a network on a grid.
        level: the value of the outputs that cuts; None leaves the outputs out.
        degeneracy: what is done where more rows than dimensions meet in a point. "perturb" moves rows apart
            by nothing, which leaves cells without extent; "contract" finds the true cells too (see
            `PolyhedralComplex.true`); "error" raises.
        zero_sign: the sign, 1 or -1, that an output counts as having where it vanishes on a whole cell.
        exact: decide all signs that rounding leaves in doubt in rationals, and prove them; "contract" and
            "error" always do. Otherwise those within rounding are decided at up to some vertices, and the
            status counts what is left.
        memory: bytes that the call may take at its peak, and some tens of millions beside; what is free by
            default. What would take more stops before it does.
        at_once: vertices that are cut at once; by default as many as `creased.core.numerics.memory` allows.
        device: where to work; the program's by default.
        dtype: floating type to work in; the program's by default. Where float32 proves too coarse float64 is
            taken, and rationals where that does, as long as there are few vertices; the status says so.

    Raises:
        ValueError: dimensions differ, a weight is not finite, or the type or an option is another.
        DegenerateError: more than D rows meet in a point, and that was to be an error.
        LinealityError: the whole space has no start, see `creased.core.domains.essential`.
    """
    options = options_of("extract_complex", keywords, ComplexKeywords)
    require_level("extract_complex", program, level)
    domain = domain_of("extract_complex", program, domain)
    treatment, resources = options.treatment, options.resources
    numbers = choose_numbers(resources.dtype or program.dtype, domain, exact=treatment.is_exact)
    problem_in = partial(
        make_problem, program, domain, level, resources=resources, zero_sign=treatment.zero_sign
    )

    def find(numbers: Numbers) -> PolyhedralComplex:
        problem = problem_in(numbers)
        if program.grid is not None:
            return complex_on_grid(problem, resources, Parts())
        return complex_of(problem, *collect(problem, resources))

    reference = Reference(program, level or 0.0, treatment.zero_sign)
    if not treatment.is_exact:
        return find_consistent(find, numbers, reference)
    found = first_certified(find, numbers, reference)
    is_done = treatment.degeneracy == "perturb" or not found.is_whole
    return found if is_done else treat(found, problem_in(numbers), treatment.degeneracy)


def extract_skeleton_on_grid(program: Program, domain: Domain, resources: Resources) -> PolyhedralComplex:
    """Extract vertices and edges of the complex of a program on a grid, without outputs, all signs exact.

    Cells of two and more dimensions are not counted; otherwise like `extract_complex` with ``exact=True``.

    Args:
        program: with a grid; detached.
        domain: where.
        resources: what may be used.
    """

    def find(numbers: Numbers) -> PolyhedralComplex:
        return skeleton_on_grid(make_problem(program, domain, None, numbers, resources), resources)

    numbers = choose_numbers(program.dtype, domain, exact=True)
    return first_certified(find, numbers, Reference(program, 0.0, 1))


def complex_of(
    problem: SubdivisionProblem, cells: Skeleton, provenance: Provenance, corners: Tensor | None = None
) -> PolyhedralComplex:
    """Make the complex of a cut skeleton, or, given its corners, of a piece."""
    layout, domain, part = problem.rows.layout, problem.domain, problem.part
    return PolyhedralComplex(*cells, layout, domain, provenance, corners, part=part)


@as_written
def stream_complex(
    program: Program,
    domain: Domain | None = None,
    *,
    level: float | None = 0.0,
    **keywords: Unpack[PieceKeywords],
) -> Iterator[PolyhedralComplex]:
    """Extract a complex in pieces, each to be used and forgotten: it may be larger than memory.

    A cell between two pieces is in both, and belongs to one: see `PolyhedralComplex.is_own_vertex`. The
    arguments are those of `extract_complex`; a piece that rounding tore says so in `n_inconsistent`, and is
    not cut again.

    Raises:
        CellLimitError: a single piece takes more memory than allowed, of which pieces that are kept count as
            none; the message says how much of the domain had been cut.
    """
    resources = options_of("stream_complex", keywords, PieceKeywords).resources
    domain = domain_of("stream_complex", program, domain)
    numbers = choose_numbers(resources.dtype or program.dtype, domain)
    yield from _pieces("stream_complex", make_problem(program, domain, level, numbers, resources), resources)


def _pieces(call: str, problem: SubdivisionProblem, resources: Resources) -> Iterator[PolyhedralComplex]:
    if problem.program.grid is not None:
        yield from stream_on_grid(problem)
        return
    cutter, done, allowed = Cutter(problem), 0.0, resources.memory_on(problem.program.device)
    limits = NO_LIMITS if allowed is None else Limits(max(allowed, LEAST))
    while (piece := cutter.next_piece(limits)) is not None:
        cells, corners = problem.settle(Skeleton(*(part.clone() for part in piece.skeleton)), piece.corners)
        corners = None if corners is None else corners.clone()
        yield complex_of(problem, cells, problem.provenance.inconsistent(piece.n_inconsistent), corners)
        done += piece.share
    if allowed is not None and cutter.n_bytes_needed is not None:
        raise CellLimitError(
            f"{call}: stopped after {done:.1%} of the domain: the next piece takes "
            f"{format_bytes(cutter.n_bytes_needed)} or more, and {format_bytes(allowed)} are allowed"
        )


@as_written
def count_cells(
    program: Program,
    domain: Domain | None = None,
    *,
    level: float | None = 0.0,
    **keywords: Unpack[PieceKeywords],
) -> tuple[int, ...]:
    """Count cells of dimension 0, 1, ..., D of a complex that is not held; see `extract_complex`.

    Directions of the whole space that the network leaves out count as dimensions: the first numbers are 0.
    What rounding tears is counted again in finer numbers: float64, then rationals where there are few cells.

    Raises:
        ArithmeticError: rounding left faces open, in float64 too, of more than some ten thousand vertices.
        CellLimitError: a single piece takes more memory than allowed.
    """
    resources = options_of("count_cells", keywords, PieceKeywords).resources
    domain = domain_of("count_cells", program, domain)
    first = choose_numbers(resources.dtype or program.dtype, domain)
    in_double = Numbers(torch.float64)
    exactly = [in_double._replace(band=band) for band in (doubtful_band(torch.float64), EVERYTHING)]
    for numbers in (Numbers(first.dtype), *[in_double] * (first.dtype == torch.float32), *exactly):
        problem = make_problem(program, domain, level, numbers, resources)
        try:
            counts, n_inconsistent = _count(problem, resources, domain.dim)
        except ArithmeticError:  # a wrong sign outside of the band made a vertex that does not exist
            if numbers.band == EVERYTHING:
                raise
            continue
        if not n_inconsistent:
            return counts
        if numbers == in_double and max(counts) > FEW_VERTICES:
            break
    raise ArithmeticError(
        f"count_cells: rounding left {n_inconsistent} faces open: counts would not be exact; "
        "extract_complex(exact=True) decides in rationals"
    )


def _count(problem: SubdivisionProblem, resources: Resources, dim: int) -> tuple[tuple[int, ...], int]:
    """Count cells, and faces that rounding left open."""
    if problem.program.grid is not None:
        return count_on_grid(problem)
    counts, n_inconsistent = [0] * (dim + 1), 0
    for piece in _pieces("count_cells", problem, resources):
        own = piece.f_vector()
        own = (0,) * (len(counts) - len(own)) + own  # no cell is smaller than what was divided out
        counts = [count + more for count, more in zip(counts, own, strict=True)]
        n_inconsistent += piece.n_inconsistent
    return tuple(counts), n_inconsistent
