"""The level set of one output of a program on a domain.

It is complete because every cell of the domain was cut by every row, or, where it was pruned, dropped by a
bound that proves it not to meet the level; one that was walked can be proven complete.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.degeneracy import needs_exact, treat_level_set
from creased.core.domains.domain import Domain
from creased.core.domains.whole_space import WholeSpace
from creased.core.drivers import Asked, march_over, subdivide_all, why_distrusted
from creased.core.escalation import Numbers, Proof, find_consistent, first_certified, prove_walked
from creased.core.flat_cells import with_flat_note
from creased.core.method_choice import choose_method, is_large
from creased.core.program.program import Affine, Program
from creased.core.subdivision.problem import SubdivisionProblem, choose_dtype, make_problem

SEEDS = 32  # points an axis of the grid that looks for a level set to march on


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
    with D = 2 into polylines. An empty level set is a result, with a status, not an error; so is one of a
    function that takes the level on whole cells, which small networks are looked through for. On the whole
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
        at_once: vertices that are cut at once; by default as many as `creased.core.numerics.memory` allows.
        progress: is told in words, now and then, how far it is.
        device: where to work; the program's by default.
        dtype: floating type to work in; the program's by default. Where float32 proves too coarse float64 is
            taken, and rationals where that does, as long as there are few vertices; the status says so.
            Marching always takes float64.

    Raises:
        ValueError: dimensions differ, a weight is not finite, the type or an option is another, or there is
            no such output.
        DegenerateError: more than D rows meet in a point of it, and that was to be an error.
        LinealityError: the whole space has no start, see `creased.core.domains.essential`.
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
    problem_in = partial(
        make_problem, program, domain, level, at_once, device, prune=drops, zero_sign=zero_sign
    )
    asked = Asked(level, output, reason, notes, seeds, complete, budget, memory, progress)
    if method == "march":
        problem = problem_in(torch.float64)._replace(prune=True)
        found, why = prove_walked(march_over(problem, asked), network, exact=exact)
        if not why:
            return _treated(found, problem, degeneracy)
        asked = asked._replace(reason=why)

    def find(numbers: Numbers) -> LevelSet:
        notes = asked.notes + numbers.notes
        return subdivide_all(problem_in(numbers.dtype, band=numbers.band), asked._replace(notes=notes))

    proof = Proof(network, level, zero_sign)
    if exact:
        found = first_certified(find, proof)
    else:
        found = find_consistent(
            find, dtype, proof, lambda found: why_distrusted(found, problem_in(torch.float64))
        )
    return _treated(found, problem_in(dtype), degeneracy)


def _treated(found: LevelSet, problem: SubdivisionProblem, degeneracy: str) -> LevelSet:
    """With degeneracy as it was asked for, and said where the level is taken on more than a surface."""
    if degeneracy != "perturb":
        found = treat_level_set(found, problem, degeneracy)
    is_bounded = not isinstance(problem.domain, WholeSpace)
    if is_bounded and (degeneracy == "contract" or found.is_empty):
        return with_flat_note(found, problem.program, problem.domain, problem.zero_sign)
    return found


def _check(program: Program, level: float, output: int, limits: dict[str, float | None]) -> None:
    if not 0 <= output < program.out_dim:
        raise ValueError(f"extract_level_set: output must be in 0..{program.out_dim - 1}, got {output}")
    if not math.isfinite(level):
        raise ValueError(f"extract_level_set: level must be finite, got {level}")
    for name, limit in limits.items():
        if limit is not None and not limit >= 0:
            raise ValueError(f"extract_level_set: {name} must be 0 or more, got {limit}")
