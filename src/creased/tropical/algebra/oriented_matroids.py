"""The axioms of covectors, checked on a set of sign vectors.

The sign vectors of a central arrangement are the covectors of an oriented matroid; those of affine
hyperplanes in an open convex set are the covectors of a conditional one (COM; Bandelt, Chepoi and Knauer
2018), which has face symmetry and strong elimination. With X o Y = X where X is not 0, and Y elsewhere, the
axioms are

- zero: 0 is a covector;
- symmetry: so is -X;
- composition: so is X o Y;
- face symmetry: so is X o -Y;
- elimination: for each e with X_e = -Y_e != 0 there is a Z with Z_e = 0 that is X o Y where X and Y are not
  opposite (strong elimination).

Composition and face symmetry hold for the cells of any generic complex, whose neurons have all signs around a
common zero. Elimination needs straight creases: those of deep layers bend.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import product
from typing import Any, NamedTuple

from creased.core.formatting import format_signs

Covector = tuple[int, ...]  # signs in {-1, 0, +1}
Sets = tuple[frozenset[int], ...]  # of terms, a set a point: see `pattern_axioms`


class AxiomCheck(NamedTuple):
    """How often an axiom was checked, and how often it failed."""

    n_checked: int
    n_failed: int
    counterexample: tuple[Covector | Sets, ...]  # the X, Y that have no partner; empty: it holds

    def __str__(self) -> str:
        """Format for people."""
        if not self.n_failed:
            return f"holds ({self.n_checked:,} checked)"
        shown = ", ".join(map(_format_case, self.counterexample))
        return f"fails {self.n_failed:,} times of {self.n_checked:,}, at {shown}"


@dataclass(frozen=True)
class CovectorAxioms:
    """The axioms of covectors, each checked for all sign vectors or pairs of them."""

    zero: AxiomCheck
    symmetry: AxiomCheck
    composition: AxiomCheck
    elimination: AxiomCheck
    face_symmetry: AxiomCheck

    @property
    def is_oriented_matroid(self) -> bool:
        """True if the sign vectors are the covectors of an oriented matroid."""
        needed = (self.zero, self.symmetry, self.composition, self.elimination)
        return not any(axiom.n_failed for axiom in needed)

    @property
    def is_conditional(self) -> bool:
        """True if they are those of a conditional oriented matroid."""
        return not (self.face_symmetry.n_failed or self.elimination.n_failed)

    def __str__(self) -> str:
        """Format for people, an axiom a line."""
        return format_checks(self)


def check_axioms(covectors: Iterable[Covector]) -> CovectorAxioms:
    """Check the axioms of covectors on a set of sign vectors; the work is that of all pairs.

    Raises:
        ValueError: there are none, or they differ in length.
    """
    given = sorted(known := set(covectors))
    if len({len(x) for x in given}) != 1:
        raise ValueError("check_axioms: needs sign vectors of one length, and at least one")
    size = len(given[0])

    def check(cases: Iterable[tuple[Covector, ...]], made: Callable[..., Covector]) -> AxiomCheck:
        return count_failures(cases, lambda *case: made(*case) in known)

    def pairs() -> Iterator[tuple[Covector, ...]]:
        return product(given, repeat=2)

    opposite = {x: tuple(-a for a in x) for x in given}
    return CovectorAxioms(
        zero=check([((0,) * size,)], lambda x: x),
        symmetry=check(((x,) for x in given), lambda x: opposite[x]),
        composition=check(pairs(), compose),
        elimination=count_failures(pairs(), _Elimination(given)),
        face_symmetry=check(pairs(), lambda x, y: compose(x, opposite[y])),
    )


def compose(first: Covector, second: Covector) -> Covector:
    """Return X o Y: the first where it is not 0, and the second elsewhere."""
    return tuple(a or b for a, b in zip(first, second, strict=True))


class _Elimination:
    """Tells whether strong elimination holds for a pair, at all places where they are opposite."""

    def __init__(self, covectors: Collection[Covector]) -> None:
        self._covectors = covectors
        self._zeros: dict[tuple[int, ...], dict[Covector, set[int]]] = {}

    def __call__(self, first: Covector, second: Covector) -> bool:
        opposite = tuple(e for e, (a, b) in enumerate(zip(first, second, strict=True)) if a * b < 0)
        if not opposite:
            return True
        common = _without(compose(first, second), opposite)
        return self._zeros_by_rest(opposite).get(common, set()) == set(opposite)

    def _zeros_by_rest(self, places: tuple[int, ...]) -> dict[Covector, set[int]]:
        """Return, for each sign vector outside of some places, those of them where a covector is 0."""
        if places not in self._zeros:
            zeros: dict[Covector, set[int]] = {}
            for z in self._covectors:
                zeros.setdefault(_without(z, places), set()).update(e for e in places if z[e] == 0)
            self._zeros[places] = zeros
        return self._zeros[places]


def _without(covector: Covector, places: Collection[int]) -> Covector:
    return tuple(a for e, a in enumerate(covector) if e not in places)


def count_failures(cases: Iterable[tuple[Any, ...]], holds: Callable[..., bool]) -> AxiomCheck:
    """Check a property for all cases."""
    n_checked = n_failed = 0
    counterexample: tuple[Any, ...] = ()
    for case in cases:
        n_checked += 1
        if not holds(*case):
            n_failed += 1
            counterexample = counterexample or case
    return AxiomCheck(n_checked, n_failed, counterexample)


def format_checks(axioms: Any) -> str:
    """Format a dataclass of checks for people, an axiom a line."""
    names = [field.name for field in fields(axioms)]
    width = max(16, *(len(name) + 2 for name in names))
    return "\n".join(f"{name.replace('_', ' '):{width}}{getattr(axioms, name)}" for name in names)


def _format_case(case: Covector | Sets) -> str:
    """Format a sign vector, ++-0, or sets of terms, 01|2|0."""
    sets = [entry for entry in case if isinstance(entry, frozenset)]
    if sets:
        return "|".join("".join(map(str, sorted(terms))) for terms in sets)
    return format_signs(entry for entry in case if isinstance(entry, int))
