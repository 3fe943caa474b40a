"""Escalate precision: float32, float64, rationals for signs in doubt, rationals throughout.

Finer ones are taken where coarser ones make what is extracted inconsistent, or where a certificate fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeVar

import torch

from creased.core.certificates.certify import prove
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.complexes.level_set import LevelSet
from creased.core.method_choice import is_large
from creased.core.numerics.tolerance import doubtful_band
from creased.core.program.program import Program
from creased.core.provenance import Finding, Note, SignCounts
from creased.core.subdivision.problem import EVERYTHING, FEW_VERTICES, Numbers, SubdivisionProblem

Found = TypeVar("Found", PolyhedralComplex, LevelSet)


class Reference(NamedTuple):
    """The function that certificates compare with."""

    program: Program
    level: float
    zero_sign: int


def find_consistent(
    find: Callable[[Numbers], Found],
    numbers: Numbers,
    reference: Reference,
    why_distrusted: Callable[[Found], str | None] | None = None,
) -> Found:
    """Extract with the coarsest numbers whose rounding leaves no face open.

    Args:
        find: extracts.
        numbers: to begin with.
        reference: for what is decided in rationals.
        why_distrusted: why what single precision found is not to be trusted; open faces, by default.
    """
    found = find(numbers)
    if numbers.dtype == torch.float32 and (why := (why_distrusted or _why_inconsistent)(found)):
        numbers = numbers._replace(dtype=torch.float64)
        found = find(numbers.because(Note(Finding.IN_FLOAT64, f"in float64: in float32 {why}")))
    why = _why_inconsistent(found)
    if why is None:
        return found
    if found.vertices.shape[0] > FEW_VERTICES:
        advice = Note(Finding.RATIONALS_ADVISED, "exact=True would decide in rationals")
        return replace(found, provenance=found.provenance.noting(advice))
    note = Note(Finding.IN_RATIONALS, f"in rationals: in float64 {why}")
    return first_certified(find, numbers.because(note), reference)


def _why_inconsistent(found: PolyhedralComplex | LevelSet) -> str | None:
    return f"rounding left {found.n_inconsistent} faces open" if found.n_inconsistent else None


def why_distrusted(found: LevelSet, exact: SubdivisionProblem) -> str | None:
    """Say why a level set in float32 is not to be trusted; None if it is. The problem is in float64."""
    if found.n_inconsistent or found.is_empty:
        return _why_inconsistent(found) or "no vertex was found"
    height = float(exact.program(exact.begin.skeleton.vertices).abs().max())
    miss = float(exact.program.outputs_at(found.vertices.double()).abs().max())
    is_close = miss <= torch.finfo(found.vertices.dtype).eps ** 0.5 * height
    return None if is_close else f"vertices miss the level by up to {miss:.1g}"


def first_certified(find: Callable[[Numbers], Found], numbers: Numbers, reference: Reference) -> Found:
    """Extract with the narrowest band of doubt whose signs are proven to be right.

    Vertices that took rationals are placed by them, too.
    """
    numbers = numbers._replace(dtype=torch.float64)
    grid = reference.program.grid
    if grid is not None and grid.section is not None:  # of slices nothing is proven, all is decided
        return find(numbers._replace(band=EVERYTHING))
    try:
        narrow = numbers._replace(band=doubtful_band(torch.float64))
        found, is_right = _proven(find(narrow), reference)
    except ArithmeticError:  # a wrong sign outside of the band made a vertex that does not exist
        is_right = False
    return found if is_right else _proven(find(numbers._replace(band=EVERYTHING)), reference)[0]


def _proven(found: Found, reference: Reference) -> tuple[Found, bool]:
    if isinstance(found, PolyhedralComplex) and not found.is_whole:
        return found, True
    certificate, placed = prove(
        found, reference.program, reference.level, zero_sign=reference.zero_sign, count=False
    )
    return placed, certificate.n_wrong + certificate.n_open == 0


def prove_walked(found: LevelSet, program: Program, *, exact: bool) -> tuple[LevelSet, Note | None]:
    """Record what is proven of a level set that was walked; return a note if it is not right.

    Signs are proven with ``exact``, and where nothing is missed. Otherwise one with open faces is not right.
    Of large networks what is not right is kept, without ``exact``, and not complete.
    """
    if not exact and not found.is_complete:
        why = None if is_large(program) else _why_inconsistent(found)
        return found, Note(Finding.WALK_REFUSED, f"subdivided, as {why} of what was walked") if why else None
    certificate, placed = prove(found, program)
    if certificate.is_certified:
        signs = SignCounts(certificate.n_signs, certificate.n_rational)
        return replace(placed, provenance=replace(found.provenance, signs=signs)), None
    if not exact and is_large(program):
        return replace(found, provenance=found.provenance.undecided(certificate.n_wrong)), None
    refused = f"subdivided, as what was walked is not right: {certificate}"
    return found, Note(Finding.WALK_REFUSED, refused)
