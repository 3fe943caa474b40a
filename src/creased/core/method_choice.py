"""Choose between subdivision and marching for a network, a domain and what is asked for."""

from __future__ import annotations

import math

from creased.core.domains.domain import Domain
from creased.core.marching.completeness import has_compiled_proof
from creased.core.options import ExtractionOptions
from creased.core.program.program import Program
from creased.core.provenance import Finding, Method, Note

MANY_VERTICES = 300_000  # from which on pruning saves more than it costs; C(n, D) tells how many there may be


def is_large(program: Program) -> bool:
    """Tell if the complex is so large that pruning and marching pay."""
    return math.comb(program.n_neurons, program.in_dim) > MANY_VERTICES


def choose_method(program: Program, domain: Domain, options: ExtractionOptions) -> tuple[Method, Note | None]:
    """Choose the method, and note why, where that was left open.

    Raises:
        ValueError: the method that was asked for can't do what else was.
    """
    if options.method == "auto":
        return _chosen(program, domain, options)
    method = Method(options.method)
    if program.grid is not None and method is Method.MARCH:
        raise ValueError("extract_level_set: march walks networks without a grid: subdivide, or auto")
    if not domain.is_bounded and (options.prune or method is Method.MARCH):
        raise ValueError("extract_level_set: pruning and marching need a bounded domain, got WholeSpace")
    if method is Method.MARCH:
        _require_marchable(program, options)
    return method, None


def _require_marchable(program: Program, options: ExtractionOptions) -> None:
    if program.in_dim not in (2, 3):
        raise ValueError(f"extract_level_set: march needs 2 or 3 dimensions, got {program.in_dim}: subdivide")
    if options.treatment.zero_sign < 0:
        raise ValueError("extract_level_set: march takes zeros as +, got zero_sign -1: subdivide")
    if options.treatment.is_exact and options.march.complete:
        raise ValueError(
            "extract_level_set: march proves that it is complete in floating point alone: subdivide for both"
        )


def _chosen(program: Program, domain: Domain, options: ExtractionOptions) -> tuple[Method, Note]:
    n, treatment = program.n_neurons, options.treatment
    if program.grid is not None:
        why = "the network is on a grid"
    elif program.in_dim not in (2, 3):
        why = f"there are not 2 or 3 dimensions but {program.in_dim}"
    elif not domain.is_bounded:
        why = "the domain is unbounded"
    elif treatment.is_exact or treatment.zero_sign < 0:
        why = "exactness was asked for"
    elif not is_large(program):
        why = f"there are only {n} neurons"
    elif options.march.complete and not has_compiled_proof(program):
        why = "completeness was asked for"
    else:
        return Method.MARCH, Note(Finding.CHOSEN, f"marched, as there are {n} neurons")
    return Method.SUBDIVIDE, Note(Finding.CHOSEN, f"subdivided, as {why}")
