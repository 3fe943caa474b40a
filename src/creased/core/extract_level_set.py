"""Extract the level set of one output of a program on a domain; for its completeness see `drivers`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Unpack

import torch

from creased.core.complexes.level_set import LevelSet
from creased.core.degeneracy import treat
from creased.core.domains.domain import Domain
from creased.core.drivers import march_over, subdivide_all
from creased.core.escalation import Reference, find_consistent, first_certified, prove_walked, why_distrusted
from creased.core.flat_cells import with_flat_note
from creased.core.method_choice import choose_method, is_large
from creased.core.numerics.surroundings import as_written
from creased.core.options import LevelSetKeywords, domain_of, options_of, require_level
from creased.core.program.combine import select
from creased.core.program.program import Program
from creased.core.provenance import Method
from creased.core.subdivision.problem import Numbers, SubdivisionProblem, choose_numbers, make_problem


@as_written
def extract_level_set(
    program: Program, domain: Domain | None, level: float = 0.0, **keywords: Unpack[LevelSetKeywords]
) -> LevelSet:
    """Extract the exact set {f = level} of one output on a domain.

    Vertices come with D >= 1, edges with D >= 2; with D = 3 they are put together into oriented polygons,
    with D = 2 into polylines. An empty level set is a result, with a status, not an error; so is one of a
    function that takes the level on whole cells, which small networks are looked through for. On the whole
    space directions that the network leaves out are divided out, as by `extract_complex`.

    Args:
        program: what to extract; detached.
        domain: where; None for the cube of a network on a grid.
        level: the value of the output.
        output: which output.
        degeneracy: what is done where more rows than dimensions meet in a point. "perturb" gives the level
            set of a function moved by nothing, with several vertices in one place; "contract" makes one of
            these; "error" raises.
        zero_sign: the sign, 1 or -1, that the function less the level counts as having where it is zero.
        exact: decide all signs that rounding leaves in doubt in rationals, and prove them; "contract" and
            "error" always do. Otherwise subdivision decides those within rounding at up to some vertices; the
            status counts what is left, and `is_complete` is then false. What was marched has all its signs
            proven after the walk, as with ``complete``, and is subdivided where one is wrong.
        method: "subdivide" cuts the domain, and proves that nothing is missing; its cost follows the volume
            near the level. "march" walks the level set, in two or three dimensions, at the cost of its faces,
            and finds the components that a seed lies on. "auto" takes "march" for larger networks, where
            completeness is not asked for, or kernels prove it; the guarantee says which was taken, and why.
        prune: for "subdivide": drop regions as soon as bounds prove that they do not meet the level; False
            cuts everything. By default where it pays, from some 120 neurons on in three dimensions.
        seeds: for "march": the points an axis of a grid that is searched for changes of sign and for dips,
            points (m, D) near the level, or the level set of a network much like this one.
        complete: for "march": prove that nothing is missing, and walk what was.
        budget: seconds that the proof may take; what is proven by then, the guarantee says, and where that
            cuts the walk of a component short, the status. None: any.
        memory: bytes that the call may take at its peak, and some tens of millions beside, two hundred
            where the first walk of a process loads its compiled kernels; what is free by default. What would
            take more stops before it does, with what was found and a status in numbers.
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
    options = options_of("extract_level_set", keywords)
    require_level("extract_level_set", program, level, options.output)
    domain = domain_of("extract_level_set", program, domain)
    network, program, treatment = program, select(program, options.output), options.treatment
    method, reason = choose_method(program, domain, options)
    numbers = choose_numbers(options.resources.dtype or program.dtype, domain, exact=treatment.is_exact)
    pays = program.grid is not None or (domain.is_bounded and is_large(program))
    prune = pays if options.prune is None else options.prune
    problem_in = partial(
        make_problem, program, domain, level, resources=options.resources, zero_sign=treatment.zero_sign
    )
    if method is Method.MARCH:
        problem = problem_in(numbers._replace(dtype=torch.float64), prune=True)
        found = march_over(problem, level, options, reason)
        found, refused = prove_walked(found, network, exact=treatment.is_exact)
        if refused is None:
            return treated(found, lambda: problem, treatment.degeneracy)
        reason = refused

    def find(numbers: Numbers) -> LevelSet:
        return subdivide_all(
            problem_in(numbers, prune=prune), level, options.output, options.resources, reason
        )

    reference = Reference(network, level, treatment.zero_sign)
    if treatment.is_exact:
        found = first_certified(find, numbers, reference)
    else:
        double = partial(problem_in, Numbers(torch.float64))
        found = find_consistent(find, numbers, reference, lambda found: why_distrusted(found, double()))
    return treated(found, partial(problem_in, numbers), treatment.degeneracy)


def treated(found: LevelSet, state: Callable[[], SubdivisionProblem], degeneracy: str) -> LevelSet:
    """Treat degeneracy as asked for; note a level that is taken on full-dimensional cells.

    The problem is stated where it is needed alone: that takes a copy of the network.
    """
    if degeneracy == "perturb" and not found.is_empty:
        return found
    problem = state()
    if degeneracy != "perturb":
        found = treat(found, problem, degeneracy)
    if problem.domain.is_bounded and (degeneracy == "contract" or found.is_empty):
        return with_flat_note(found, problem.program, problem.domain, problem.zero_sign)
    return found
