"""How a level set is found: by subdivision or by marching, and what each of them proves.

Subdivision is complete because every cell of the domain was cut by every row or, where it was pruned, dropped
by a bound that proves it not to meet the level. Marching proves the components whole that it was seeded on;
that there are no others is proven apart, where that is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import index
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.surface import Origin, link_surface, make_level_set
from creased.core.marching.completeness import Proof, prove_complete
from creased.core.marching.march import Walker
from creased.core.marching.seeds import grid_seeds, level_set_seeds, project
from creased.core.marching.surface_of_walk import surface_of_walk
from creased.core.numerics.memory import free_bytes
from creased.core.numerics.tensors import map_tensors
from creased.core.program.program import Program
from creased.core.subdivision.merge import Extraction, collect
from creased.core.subdivision.problem import SubdivisionProblem

COMPLETE = "complete in the domain: every cell was subdivided"


CERTIFIED = "complete in the domain: every cell was subdivided, or proven not to meet the level"


WALKED = "every component that a seed lies on, whole; one without a seed is missed"


PROVEN = "complete in the domain: every cell was walked, or proven not to meet the level"


EXTREME = 1e-100  # smaller weights, and slopes as large as its inverse, are not squared safely


class Asked(NamedTuple):
    """What was asked for, beside the problem; see `creased.core.extract_level_set.extract_level_set`."""

    level: float
    output: int
    reason: str  # why this method was taken; empty if it was asked for
    notes: tuple[str, ...]
    seeds: int | Tensor | LevelSet
    complete: bool
    budget: float | None
    memory: int | None
    progress: Callable[[str], None] | None


def subdivide_all(problem: SubdivisionProblem, asked: Asked) -> LevelSet:
    """The level set by cutting all of the domain that is not proven to miss it."""
    done = collect(problem, asked.memory, problem.rows.layout.first_output, asked.progress)
    return level_set_of(problem, done, asked)


def level_set_of(problem: SubdivisionProblem, done: Extraction, asked: Asked) -> LevelSet:
    """The level set of a skeleton that is completely cut, as far as that goes."""
    guarantee = CERTIFIED if problem.prune and problem.program.blocks else COMPLETE
    if not done.is_whole:
        guarantee = f"not complete: {done.notes[-1]}"
    skeleton = done.skeleton._replace(edges=done.skeleton.edges.long())
    surface = link_surface(problem.program, problem.domain, skeleton, problem.rows, is_whole=done.is_whole)
    origin = _origin(asked, guarantee, problem, done.notes, done.n_inconsistent, is_complete=done.is_whole)
    return make_level_set(problem.program, surface, problem.rows.layout, problem.domain, origin)


def march_over(problem: SubdivisionProblem, asked: Asked) -> LevelSet:
    """The level set by walking it from seeds.

    Raises:
        ValueError: weights are so large or small that squares of slopes leave the range of the numbers.
    """
    _refuse_extremes(problem.program)
    device = problem.program.device
    memory = free_bytes(device) if asked.memory is None else asked.memory
    walker = Walker(problem.program, problem.domain, problem.rows, memory, asked.progress)
    seeds = _seeds(problem, asked.seeds)
    walker.walk_from(seeds)
    proof = prove_complete(problem, walker, asked.budget, asked.progress) if asked.complete else None
    walk = walker.finish()
    surface = surface_of_walk(walk, problem.rows, problem.program, problem.domain)
    is_proven = proof is not None and proof.is_whole
    n_cells = walk.n_sides.shape[0]
    guarantee = (
        f"not complete: {walker.note}" if walker.note else _guarantee(n_cells, seeds.shape[0], proof, asked)
    )
    notes = (walker.note,) if walker.note else ()
    origin = _origin(asked, guarantee, problem, notes, is_complete=is_proven)
    return make_level_set(problem.program, surface, problem.rows.layout, problem.domain, origin)


def _refuse_extremes(program: Program) -> None:
    sizes = torch.cat([tensor.abs().reshape(-1) for tensor in program.tensors()])
    sizes = sizes[sizes > 0]
    absolute = map_tensors(program.linear_part(), torch.abs)
    ones = torch.ones((1, program.in_dim), dtype=program.dtype, device=program.device)
    slopes = absolute.preactivations_on(ones, ones.new_ones((1, program.n_neurons)))
    largest, least = float(slopes.max()), float(sizes.min()) if sizes.numel() else 1.0
    if not (largest < 1 / EXTREME and least > EXTREME):
        raise ValueError(
            f"extract_level_set: march needs weights above {EXTREME:g} and slopes below {1 / EXTREME:g}, got "
            f"{least:g} and {largest:g}: scale the network, or subdivide"
        )


@torch.inference_mode()
def _seeds(problem: SubdivisionProblem, seeds: int | Tensor | LevelSet) -> Tensor:
    dim = problem.domain.dim
    if isinstance(seeds, LevelSet):
        if seeds.dim != dim:
            raise ValueError(f"seeds: the level set has {seeds.dim} dimensions, the domain {dim}")
        return level_set_seeds(problem.program, problem.domain, seeds.to(problem.program.device))
    if isinstance(seeds, Tensor):
        if seeds.dim() != 2 or seeds.shape[1] != dim:
            raise ValueError(f"seeds: points have shape (m, {dim}), got {tuple(seeds.shape)}")
        return project(problem.program, problem.domain, seeds)
    try:
        return grid_seeds(problem.program, problem.domain, index(seeds))
    except TypeError as error:
        kinds = "a number of points an axis, points (m, D) as a tensor, or a level set"
        raise ValueError(f"seeds: give {kinds}, got {type(seeds).__name__}") from error


def _guarantee(n_cells: int, n_seeds: int, proof: Proof | None, asked: Asked) -> str:
    counts = f"{n_seeds:,} seeds, {n_cells:,} cells"
    if proof is None:
        return f"{WALKED}: {counts}"
    if proof.n_missed:
        counts += f", {proof.n_missed:,} of them without a seed"
    if proof.is_whole:
        return f"{PROVEN}: {counts}"
    if proof.n_inconsistent:
        return f"{WALKED}: {counts}; not proven: rounding left {proof.n_inconsistent} faces of the proof open"
    spent = "" if asked.budget is None else f" within {asked.budget:g} s"
    percent = math.floor(100 * proof.share)
    return f"{WALKED}: {counts}; nothing is missed in {percent}% of the domain, proven{spent}"


def _origin(
    asked: Asked,
    guarantee: str,
    problem: SubdivisionProblem,
    notes: tuple[str, ...],
    n_inconsistent: int = 0,
    *,
    is_complete: bool,
) -> Origin:
    if asked.reason:
        guarantee = f"{guarantee} ({asked.reason})"
    all_notes = asked.notes + problem.notes + notes
    return Origin(asked.level, asked.output, guarantee, all_notes, n_inconsistent, is_complete, problem.part)


def why_distrusted(found: LevelSet, exact: SubdivisionProblem) -> str | None:
    """In which way a level set in float32 is not to be trusted, if it is not; the problem is in float64."""
    if found.n_inconsistent:
        return f"rounding left {found.n_inconsistent} faces open"
    if found.is_empty:
        return "no vertex was found"
    corners = exact.start()[0].vertices
    height = float(exact.program(corners).abs().max())
    miss = float(exact.program.outputs_at(found.vertices.double()).abs().max())
    is_close = miss <= torch.finfo(found.vertices.dtype).eps ** 0.5 * height
    return None if is_close else f"vertices miss the level by up to {miss:.1g}"
