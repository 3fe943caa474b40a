"""What the engine makes of certificates: where one fails, it decides more signs exactly, or subdivides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import torch

from creased.core.certify import certify
from creased.core.complex import PolyhedralComplex
from creased.core.level_set import LevelSet
from creased.core.program import Program
from creased.core.tolerance import doubtful_band

EVERYTHING = 1.0  # the band of doubt that holds all values

Found = TypeVar("Found", PolyhedralComplex, LevelSet)


def first_certified(find: Callable[[float], Found], program: Program, level: float, zero_sign: int) -> Found:
    """What is found with the narrowest band of doubt whose signs are proven to be right.

    Args:
        find: extracts, values below a band, relative to the largest of their layer, being decided exactly.
        program: that is extracted from.
        level: of its outputs.
        zero_sign: what their zeros count as.
    """
    try:
        found = find(doubtful_band(torch.float64))
    except ArithmeticError:  # a wrong sign outside of the band made a vertex that does not exist
        return find(EVERYTHING)
    if isinstance(found, PolyhedralComplex) and not found.is_whole:
        return found
    certificate = certify(found, program, level, zero_sign=zero_sign, count=False)
    return found if certificate.n_wrong + certificate.n_open == 0 else find(EVERYTHING)


def prove_walked(found: LevelSet, program: Program) -> tuple[LevelSet, str]:
    """A level set that was walked, its guarantee saying what is proven; and why it is not right, if so."""
    certificate = certify(found, program)
    if certificate.is_certified:
        n, n_rational = certificate.n_signs, certificate.n_rational
        proven = f"{n:,} signs exact, {n_rational:,} of them decided in rationals"
        return replace(found, guarantee=f"{found.guarantee}; {proven}"), ""
    return found, f"subdivided, as what was walked is not right: {certificate}"
