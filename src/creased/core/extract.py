"""The front doors of the engine: the complex of a program on a domain, and its level set.

Subdivision starts from the domain's own skeleton and cuts it by each block in turn; the outputs, less the
level, are the last block. A level set is complete because every cell of the domain was cut by every row, or,
where it was pruned, dropped by a bound that proves it not to meet the level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from creased.core.collect import collect
from creased.core.complex import PolyhedralComplex
from creased.core.degeneracy import needs_exact, treat_complex, treat_level_set
from creased.core.domain import Domain
from creased.core.escalation import first_certified, prove_walked
from creased.core.level_set import LevelSet
from creased.core.methods import Asked, choose_method, is_large, march_over, subdivide_all, why_distrusted
from creased.core.pieces import Cutter
from creased.core.program import Affine, Program
from creased.core.skeleton import Skeleton
from creased.core.tasks import Task, choose_dtype, make_task
from creased.core.whole_space import WholeSpace

SEEDS = 32  # points an axis of the grid that looks for a level set to march on


def extract_complex(
    program: Program,
    domain: Domain,
    *,
    level: float | None = 0.0,
    degeneracy: str = "perturb",
    zero_sign: int = 1,
    exact: bool = False,
    memory: int | None = None,
    at_once: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> PolyhedralComplex:
    """The complex of a program on a domain, cut by every neuron and by {output = level} for each output.

    A complex that would take more memory than allowed is given up early: what was found of it is returned,
    with a status in numbers. `stream_complex` and `count_cells` do without holding it.

    Directions of the whole space that the network leaves out are divided out: the complex is that of
    ``PolyhedralComplex.part``, of fewer dimensions, and its status says so.

    Args:
        program: what to extract; detached.
        domain: where.
        level: the value of the outputs that cuts; None leaves the outputs out.
        degeneracy: what is done where more rows than dimensions meet in a point. "perturb" moves rows apart
            by nothing, which leaves cells without extent; "contract" finds the true cells too (see
            `PolyhedralComplex.true`); "error" raises.
        zero_sign: the sign, 1 or -1, that an output counts as having where it vanishes on a whole cell.
        exact: decide signs that rounding leaves in doubt in rationals; "contract" and "error" always do.
        memory: bytes that the complex may take; what is free by default.
        at_once: vertices that are cut at once; by default as many as `creased.core.memory` allows.
        device: where to work; the program's by default.
        dtype: floating type to work in; the program's by default. Where float32 proves too coarse float64 is
            taken, with a status.

    Raises:
        ValueError: dimensions differ, a weight is not finite, or the type or an option is another.
        DegenerateError: more than D rows meet in a point, and that was to be an error.
        LinealityError: the whole space has no start, see `creased.core.essential`.
    """
    exact = needs_exact("extract_complex", degeneracy, zero_sign, exact=exact)
    dtype, notes = choose_dtype(dtype or program.dtype, domain, exact=exact)
    task_in = partial(make_task, program, domain, level, at_once, device, zero_sign=zero_sign)
    if exact:
        found = first_certified(
            lambda band: _cut(task_in(dtype, band=band), memory, notes), program, level or 0.0, zero_sign
        )
        is_done = degeneracy == "perturb" or not found.is_whole
        return found if is_done else treat_complex(found, task_in(dtype), degeneracy)
    found = _cut(task_in(dtype), memory, notes)
    if found.n_torn and dtype == torch.float32:
        notes = (f"in float64: in float32 rounding left {found.n_torn} faces open",)
        found = _cut(task_in(torch.float64), memory, notes)
    return found


def _cut(task: Task, memory: int | None, notes: tuple[str, ...]) -> PolyhedralComplex:
    done = collect(task, memory)
    return PolyhedralComplex(
        *done.skeleton,
        layout=task.rows.layout,
        domain=task.domain,
        is_whole=done.is_whole,
        n_torn=done.n_torn,
        status="; ".join(notes + task.notes + done.notes),
        part=task.part,
    )


def stream_complex(
    program: Program,
    domain: Domain,
    *,
    level: float | None = 0.0,
    at_once: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Iterator[PolyhedralComplex]:
    """The complex in pieces, each to be counted or written, and forgotten: it may be larger than memory.

    A cell between two pieces is in both, and the first one's own: see `PolyhedralComplex.is_own_vertex`. The
    arguments are those of `extract_complex`; a piece that rounding tore says so in `n_torn`, and is not cut
    again.
    """
    dtype, notes = choose_dtype(dtype or program.dtype, domain)
    task = make_task(program, domain, level, at_once, device, dtype)
    cutter = Cutter(task)
    while (piece := cutter.next_piece()) is not None:
        cells, corners = task.settle(Skeleton(*(part.clone() for part in piece.skeleton)), piece.corners)
        yield PolyhedralComplex(
            *cells,
            layout=task.rows.layout,
            domain=task.domain,
            corners=None if corners is None else corners.clone(),
            n_torn=piece.n_torn,
            status="; ".join(notes + task.notes),
            part=task.part,
        )


def count_cells(
    program: Program,
    domain: Domain,
    *,
    level: float | None = 0.0,
    at_once: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> tuple[int, ...]:
    """Numbers of cells of dimension 0, 1, ..., D of the complex, which is not held; see `extract_complex`.

    Directions of the whole space that the network leaves out count as dimensions: the first numbers are 0.

    Raises:
        ArithmeticError: rounding left faces open, in float64 too.
    """
    counts, n_torn = [0] * (domain.dim + 1), 0
    for piece in stream_complex(program, domain, level=level, at_once=at_once, device=device, dtype=dtype):
        own = piece.f_vector()
        own = (0,) * (len(counts) - len(own)) + own  # no cell is smaller than what was divided out
        counts = [count + more for count, more in zip(counts, own, strict=True)]
        n_torn += piece.n_torn
    if n_torn and (dtype or program.dtype) == torch.float32:
        in_double = torch.float64
        return count_cells(program, domain, level=level, at_once=at_once, device=device, dtype=in_double)
    if n_torn:
        raise ArithmeticError(f"count_cells: rounding left {n_torn} faces open: counts would not be exact")
    return tuple(counts)


def extract_level_set(
    program: Program,
    domain: Domain,
    level: float = 0.0,
    *,
    output: int = 0,
    degeneracy: str = "perturb",
    zero_sign: int = 1,
    exact: bool = False,
    method: str = "subdivide",
    prune: bool | None = None,
    seeds: int | Tensor | LevelSet = SEEDS,
    complete: bool = False,
    budget: float | None = None,
    memory: int | None = None,
    at_once: int | None = None,
    progress: Callable[[str], None] | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> LevelSet:
    """The exact set {f = level} of one output on a domain.

    Vertices come with D >= 1, edges with D >= 2; with D = 3 they are put together into oriented polygons,
    with D = 2 into polylines. An empty level set is a result, with a status, not an error. On the whole
    space directions that the network leaves out are divided out, as by `extract_complex`.

    Args:
        program: what to extract; detached.
        domain: where.
        level: the value of the output.
        output: which output.
        degeneracy: what is done where more rows than dimensions meet in a point. "perturb" gives the level
            set of a function moved by nothing, with several vertices in one place; "contract" makes one of
            these; "error" raises.
        zero_sign: the sign, 1 or -1, that the function less the level counts as having where it is zero.
        exact: decide signs that rounding leaves in doubt in rationals; "contract" and "error" always do. What
            was marched has all its signs proven after the walk, and is subdivided where one is wrong.
        method: "subdivide" cuts the domain, and proves that nothing is missing; its cost follows the volume
            near the level. "march" walks the level set, in two or three dimensions, at the cost of its faces,
            and finds the components that a seed lies on. "auto" takes "march" for larger networks, where
            completeness is not asked for; the guarantee says which was taken, and why.
        prune: for "subdivide": drop regions as soon as bounds prove that they do not meet the level; False
            cuts everything. By default where it pays, from some 120 neurons on in three dimensions.
        seeds: for "march": the points an axis of a grid that is searched for changes of sign and for dips,
            points (m, D) near the level, or the level set of a network much like this one.
        complete: for "march": prove by certified subdivision that nothing is missing, and walk what was.
        budget: seconds that the proof may take; what is proven by then, the guarantee says. None: any.
        memory: bytes that the level set may take; what is free by default. One that would take more is given
            up early, with what was found of it and a status in numbers.
        at_once: vertices that are cut at once; by default as many as `creased.core.memory` allows.
        progress: is told in words, now and then, how far it is.
        device: where to work; the program's by default.
        dtype: floating type to work in; the program's by default. Where float32 proves too coarse float64 is
            taken, with a status; marching always takes it.

    Raises:
        ValueError: dimensions differ, a weight is not finite, the type or an option is another, or there is
            no such output.
        DegenerateError: more than D rows meet in a point of it, and that was to be an error.
        LinealityError: the whole space has no start, see `creased.core.essential`.
    """
    _check(program, level, output, {"budget": budget, "memory": memory})
    network, chosen = program, slice(output, output + 1)
    program = replace(program, head=Affine(program.head.weight[chosen], program.head.bias[chosen]))
    exact = needs_exact("extract_level_set", degeneracy, zero_sign, exact=exact)
    is_bounded, how = not isinstance(domain, WholeSpace), {"exact": exact, "complete": complete}
    method, reason = choose_method(method, program, **how, zero_sign=zero_sign, is_bounded=is_bounded)
    dtype, notes = choose_dtype(dtype or program.dtype, domain, exact=exact)
    if not is_bounded and (prune or method == "march"):
        raise ValueError("extract_level_set: pruning and marching need a bounded domain, got WholeSpace")
    drops = is_bounded and is_large(program) if prune is None else prune
    task_in = partial(make_task, program, domain, level, at_once, device, prune=drops, zero_sign=zero_sign)
    asked = Asked(level, output, reason, notes, seeds, complete, budget, memory, progress)
    if method == "march":
        task = task_in(torch.float64)._replace(prune=True)
        found = march_over(task, asked)
        why = ""
        if exact:
            found, why = prove_walked(found, network)
        if not why:
            return found if degeneracy == "perturb" else treat_level_set(found, task, degeneracy)
        asked = asked._replace(reason=why)
    if exact:
        found = first_certified(
            lambda band: subdivide_all(task_in(dtype, band=band), asked), network, level, zero_sign
        )
        return found if degeneracy == "perturb" else treat_level_set(found, task_in(dtype), degeneracy)
    return _in_float(task_in, dtype, asked)


def _in_float(task_in: Callable[[torch.dtype], Task], dtype: torch.dtype, asked: Asked) -> LevelSet:
    """By subdivision, in double precision where single proves too coarse."""
    found = subdivide_all(task_in(dtype), asked)
    if dtype == torch.float32 and (why := why_distrusted(found, task_in(torch.float64))):
        asked = asked._replace(notes=(f"in float64: in float32 {why}",))
        found = subdivide_all(task_in(torch.float64), asked)
    return found


def _check(program: Program, level: float, output: int, limits: dict[str, float | None]) -> None:
    if not 0 <= output < program.out_dim:
        raise ValueError(f"extract_level_set: output must be in 0..{program.out_dim - 1}, got {output}")
    if not math.isfinite(level):
        raise ValueError(f"extract_level_set: level must be finite, got {level}")
    for name, limit in limits.items():
        if limit is not None and not limit >= 0:
            raise ValueError(f"extract_level_set: {name} must be 0 or more, got {limit}")
