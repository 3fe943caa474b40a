"""Find a level set by subdivision or by marching, and record what each of them proves.

Subdivision is complete because every cell of the domain was cut by every row or, where it was pruned, dropped
by a bound that proves it not to meet the level. Marching proves the components whole that it was seeded on;
that there are no others is proven apart, where that is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from operator import index

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.link import ProgramMaps
from creased.core.complexes.surface import Surface, link_surface, notes_of
from creased.core.grids.grid_surface import surface_on_grid
from creased.core.marching.completeness import prove_complete
from creased.core.marching.seeds import grid_seeds, level_set_seeds, project
from creased.core.marching.surface_of_walk import surface_of_walk
from creased.core.marching.walkers import start_walk
from creased.core.numerics.memory import Resources
from creased.core.numerics.sparse import entries_of
from creased.core.numerics.tensors import map_tensors
from creased.core.options import ExtractionOptions
from creased.core.program.program import Program
from creased.core.provenance import Completeness, Method, Note, Provenance, WalkCounts
from creased.core.subdivision.merge import Extraction, collect
from creased.core.subdivision.problem import SubdivisionProblem
from creased.core.subdivision.sub_boxes import Parts, collect_in_parts

EXTREME = 1e-100  # smaller weights, and slopes as large as its inverse, are not squared safely


def subdivide_all(
    problem: SubdivisionProblem,
    level: float,
    output: int,
    resources: Resources,
    reason: Note | None = None,
    parts: Parts | None = None,
) -> LevelSet:
    """Cut all of the domain that is not proven to miss the level; in parts, where these are given."""
    if problem.program.grid is not None:
        surface, provenance = surface_on_grid(problem, resources, parts or Parts())
        return _level_set(problem, surface, level, output, replace(provenance, reason=reason))
    row = problem.rows.layout.first_output
    if parts is None:
        done = collect(problem, resources, row)
    else:
        done = collect_in_parts(problem, parts, level_row=row, memory=resources.memory)
    done = done._replace(provenance=replace(done.provenance, reason=reason))
    return level_set_of(problem, done, level, output)


def level_set_of(problem: SubdivisionProblem, done: Extraction, level: float, output: int) -> LevelSet:
    """Make the level set of a cut skeleton, as far as it is whole."""
    skeleton = done.skeleton._replace(edges=done.skeleton.edges.long())
    is_whole = done.provenance.is_whole
    surface = link_surface(_maps_of(problem), skeleton, problem.rows, is_whole=is_whole)
    return _level_set(problem, surface, level, output, done.provenance)


def _maps_of(problem: SubdivisionProblem) -> ProgramMaps:
    return ProgramMaps(problem.program, problem.domain, problem.rows.layout)


def march_over(
    problem: SubdivisionProblem, level: float, options: ExtractionOptions, reason: Note | None
) -> LevelSet:
    """Walk the level set from seeds.

    Raises:
        ValueError: weights are so large or small that squares of slopes leave the range of the numbers.
    """
    _refuse_extremes(problem.program)
    walker, march = start_walk(problem, options.resources), options.march
    seeds = seeds_of(problem, march.seeds)
    walker.walk_from(seeds)
    proof = prove_complete(problem, walker, march.budget, options.resources) if march.complete else None
    walk = walker.finish()
    options.resources.report(f"putting {len(walk.n_sides):,} faces together")
    surface = surface_of_walk(walk, problem.rows, _maps_of(problem))
    is_proven = proof is not None and proof.is_whole
    provenance = replace(
        problem.provenance,
        method=Method.MARCH,
        completeness=Completeness.WALKED if is_proven else Completeness.SEEDED,
        reason=reason,
        walk=WalkCounts(seeds.shape[0], walk.n_sides.shape[0]),
        proof=proof,
    )
    if walker.why_stopped:
        provenance = provenance.stopped(walker.why_stopped)
    return _level_set(problem, surface, level, options.output, provenance)


def _level_set(
    problem: SubdivisionProblem,
    surface: Surface,
    level: float,
    output: int,
    provenance: Provenance,
) -> LevelSet:
    skeleton, layout = surface.skeleton, problem.rows.layout
    n_lost = int((~skeleton.vertices.isfinite().all(1)).sum())
    notes = notes_of(surface, layout, level, provenance)
    provenance = provenance.noting(*notes).inconsistent(surface.n_inconsistent + n_lost)
    return LevelSet(
        *skeleton,
        polygons=surface.polygons,
        polygon_words=surface.polygon_words,
        polylines=surface.polylines,
        function=map_tensors(problem.program, Tensor.clone),
        layout=layout,
        domain=problem.domain,
        level=level,
        output=output,
        provenance=provenance,
        part=problem.part,
    )


def _refuse_extremes(program: Program) -> None:
    sizes = torch.cat([entries_of(tensor).abs().reshape(-1) for tensor in program.tensors()])
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


@torch.no_grad()
def seeds_of(problem: SubdivisionProblem, seeds: int | Tensor | LevelSet) -> Tensor:
    """Find seeds (m, D) of a walk, from what `extract_level_set` takes as such.

    Raises:
        ValueError: they are of another kind or shape.
    """
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
