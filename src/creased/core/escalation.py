"""Which numbers do: single precision, double, rationals where double leaves doubt, rationals throughout.

Finer ones are taken where coarser ones tear what is extracted, or where a certificate fails.
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

EVERYTHING = 1.0  # the band of doubt that holds all values
FEW_VERTICES = 20_000  # that are decided again in rationals, which may take some milliseconds each

Found = TypeVar("Found", PolyhedralComplex, LevelSet)


class Numbers(NamedTuple):
    """How signs are decided."""

    dtype: torch.dtype
    band: float | None = None  # smaller values, relative to the largest of their layer, are decided exactly
    notes: tuple[str, ...] = ()  # why, in words, where it was not asked for


class Proof(NamedTuple):
    """What certificates are made of, beside what was found."""

    program: Program
    level: float
    zero_sign: int


def find_consistent(
    find: Callable[[Numbers], Found],
    dtype: torch.dtype,
    proof: Proof,
    why_distrusted: Callable[[Found], str | None] | None = None,
) -> Found:
    """What is found with the coarsest numbers, from a type on, whose rounding tears nothing.

    Args:
        find: extracts.
        dtype: of the numbers to begin with.
        proof: for what is decided in rationals.
        why_distrusted: why what single precision found is not to be trusted; if it is torn, by default.
    """
    found = find(Numbers(dtype))
    if dtype == torch.float32 and (why := (why_distrusted or _why_inconsistent)(found)):
        found = find(Numbers(torch.float64, notes=(f"in float64: in float32 {why}",)))
    why = _why_inconsistent(found)
    if why is None:
        return found
    if found.vertices.shape[0] > FEW_VERTICES:
        return replace(found, status=f"{found.status}; exact=True would decide in rationals")
    notes = (f"in rationals: in float64 {why}",)
    return first_certified(lambda numbers: find(numbers._replace(notes=notes)), proof)


def _why_inconsistent(found: PolyhedralComplex | LevelSet) -> str | None:
    return f"rounding left {found.n_inconsistent} faces open" if found.n_inconsistent else None


def first_certified(find: Callable[[Numbers], Found], proof: Proof) -> Found:
    """What is found with the narrowest band of doubt whose signs are proven to be right.

    Vertices that took rationals are placed by them, too.
    """
    try:
        found, is_right = _proven(find(Numbers(torch.float64, doubtful_band(torch.float64))), proof)
    except ArithmeticError:  # a wrong sign outside of the band made a vertex that does not exist
        is_right = False
    return found if is_right else _proven(find(Numbers(torch.float64, EVERYTHING)), proof)[0]


def _proven(found: Found, proof: Proof) -> tuple[Found, bool]:
    if isinstance(found, PolyhedralComplex) and not found.is_whole:
        return found, True
    certificate, placed = prove(found, proof.program, proof.level, zero_sign=proof.zero_sign, count=False)
    return placed, certificate.n_wrong + certificate.n_open == 0


def prove_walked(found: LevelSet, program: Program, *, exact: bool) -> tuple[LevelSet, str]:
    """A level set that was walked, its guarantee saying what is proven; and why it is not right, if so.

    Without ``exact`` nothing is proven; one that is torn is not right, but kept where the network is large.
    """
    if not exact:
        why = None if is_large(program) else _why_inconsistent(found)
        return found, f"subdivided, as {why} of what was walked" if why else ""
    certificate, placed = prove(found, program)
    if certificate.is_certified:
        n, n_rational = certificate.n_signs, certificate.n_rational
        proven = f"{n:,} signs exact, {n_rational:,} of them decided in rationals"
        return replace(placed, guarantee=f"{found.guarantee}; {proven}"), ""
    return found, f"subdivided, as what was walked is not right: {certificate}"
