"""Choose between subdivision and marching for a network, a domain and what is asked for."""

from __future__ import annotations

import math

from creased.core.program.program import Program

METHODS = ("subdivide", "march", "auto")


MANY_VERTICES = 300_000  # from which on pruning saves more than it costs; C(n, D) tells how many there may be


def is_large(program: Program) -> bool:
    """Whether its complex is so large that it pays to leave out what does not meet the level."""
    return math.comb(program.n_neurons, program.in_dim) > MANY_VERTICES


def choose_method(
    method: str,
    program: Program,
    *,
    complete: bool,
    exact: bool = False,
    zero_sign: int = 1,
    is_bounded: bool = True,
) -> tuple[str, str]:
    """The method to take, and why, where that was left open.

    Raises:
        ValueError: there is no such method, or it can't do these dimensions.
    """
    if method not in METHODS:
        raise ValueError(f"extract_level_set: method must be one of {', '.join(METHODS)}; got {method}")
    if method == "march" and program.in_dim not in (2, 3):
        raise ValueError(f"extract_level_set: march needs 2 or 3 dimensions, got {program.in_dim}: subdivide")
    if method == "march" and zero_sign < 0:
        raise ValueError("extract_level_set: march takes zeros as +, got zero_sign -1: subdivide")
    if method == "march" and exact and complete:
        raise ValueError(
            "extract_level_set: march proves that it is complete in floating point alone: subdivide for both"
        )
    if method != "auto":
        return method, ""
    if program.in_dim not in (2, 3):
        return "subdivide", f"subdivided, as there are not 2 or 3 dimensions but {program.in_dim}"
    if not is_bounded:
        return "subdivide", "subdivided, as the domain is unbounded"
    if complete or exact or zero_sign < 0:
        return "subdivide", f"subdivided, as {'completeness' if complete else 'exactness'} was asked for"
    if is_large(program):
        return "march", f"marched, as there are {program.n_neurons} neurons"
    return "subdivide", f"subdivided, as there are only {program.n_neurons} neurons"
