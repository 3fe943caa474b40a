"""Provenance of an extraction: its method, completeness and notes, in one record that stages add to.

Outcomes are enums, which code and tests ask for; the sentences are for people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import NamedTuple

import torch


class Method(Enum):
    """Method of extraction."""

    SUBDIVIDE = "subdivide"
    MARCH = "march"


class Completeness(Enum):
    """What is proven about missing cells; the value is a sentence."""

    SUBDIVIDED = "complete in the domain: every cell was subdivided"
    PRUNED = "complete in the domain: every cell was subdivided, or proven not to meet the level"
    WALKED = "complete in the domain: every cell was walked, or proven not to meet the level"
    SEEDED = "every component that a seed lies on, whole; one without a seed is missed"
    UNDECIDED = "not complete: signs within rounding were not decided"
    INCONSISTENT = "not complete: rounding left faces open"
    STOPPED = "not complete: stopped early"

    @property
    def is_proven(self) -> bool:
        """True if nothing is missing."""
        return self in (Completeness.SUBDIVIDED, Completeness.PRUNED, Completeness.WALKED)


class Finding(Enum):
    """Subject of a note."""

    CHOSEN = auto()  # the method was left open, and chosen
    WALK_REFUSED = auto()  # what was walked is not right, and was subdivided instead
    IN_FLOAT64 = auto()  # single precision was asked for, and does not do
    IN_RATIONALS = auto()  # neither does double
    UNDECIDED = auto()  # signs within rounding were left as computed
    RATIONALS_ADVISED = auto()  # double does not do, and rationals would take long
    DIVIDED = auto()  # by the lineality space of the network
    STOPPED = auto()  # before more memory was taken than allowed
    EMPTY = auto()
    UNBOUNDED = auto()  # some vertices are rays
    CUT_BY_WALLS = auto()
    CONTRACTED = auto()  # vertices in one place became one
    FLAT = auto()  # the level is taken on cells of full dimension


class Note(NamedTuple):
    """A remark with a subject for code and a sentence for people."""

    finding: Finding
    sentence: str  # without a full stop


class WalkCounts(NamedTuple):
    """Counts of a walk."""

    n_seeds: int
    n_cells: int


class CompletenessProof(NamedTuple):
    """Progress of a proof that a walk missed nothing."""

    share: float  # of the domain that was gone through
    n_inconsistent: int  # faces left open in it, and vertices in cells where the walk found nothing
    is_whole: bool  # all of it, without such a face
    n_missed: int  # cells that the walk had missed
    budget: float | None  # seconds that it was allowed; None: any

    def __str__(self) -> str:
        """Describe what is left to prove; empty if nothing is."""
        if self.is_whole:
            return ""
        if self.n_inconsistent:
            return f"; not proven: rounding left {self.n_inconsistent} faces of the proof open"
        spent = "" if self.budget is None else f" within {self.budget:g} s"
        return f"; nothing is missed in {math.floor(100 * self.share)}% of the domain, proven{spent}"


class SignCounts(NamedTuple):
    """Counts of signs proven after a walk."""

    n: int
    n_rational: int  # of these, in rationals


@dataclass(frozen=True)
class Provenance:
    """How a complex or a level set was extracted, and what that proves."""

    method: Method
    dtype: torch.dtype  # that positions were computed in
    completeness: Completeness
    n_inconsistent: int = 0  # faces that rounding left open
    reason: Note | None = None  # why this method, where it was not asked for
    notes: tuple[Note, ...] = ()  # what is unusual, in order
    walk: WalkCounts | None = None
    proof: CompletenessProof | None = None  # of the walk
    signs: SignCounts | None = None  # of the walk

    @property
    def is_complete(self) -> bool:
        """True if it is proven that nothing in the domain is missing."""
        return self.completeness.is_proven

    @property
    def is_whole(self) -> bool:
        """False if the extraction was given up early."""
        return self.completeness is not Completeness.STOPPED

    def has(self, finding: Finding) -> bool:
        """Tell if the reason or a note has that subject."""
        return any(note.finding is finding for note in (*self.notes, *([self.reason] if self.reason else [])))

    def noting(self, *notes: Note) -> Provenance:
        """Add notes."""
        return replace(self, notes=self.notes + notes)

    def stopped(self, sentence: str) -> Provenance:
        """Record that the extraction was given up, and why."""
        noted = self.noting(Note(Finding.STOPPED, sentence))
        return replace(noted, completeness=Completeness.STOPPED)

    def undecided(self, n: int) -> Provenance:
        """Add n vertices of which signs within rounding were left as computed; completeness is not proven."""
        if n == 0:
            return self
        sentence = f"signs at {n:,} vertices are within rounding and were not decided: exact=True would"
        left = Completeness.UNDECIDED if self.is_complete else self.completeness
        return replace(self.noting(Note(Finding.UNDECIDED, sentence)), completeness=left)

    def inconsistent(self, n: int) -> Provenance:
        """Add n open faces; completeness is then no longer proven."""
        if n == 0:
            return self
        left = Completeness.INCONSISTENT if self.is_whole else Completeness.STOPPED
        return replace(self, n_inconsistent=self.n_inconsistent + n, completeness=left)

    @property
    def guarantee(self) -> str:
        """A sentence about what is proven of completeness."""
        words = self.completeness.value
        if not self.is_whole:
            words = f"not complete: {next(n.sentence for n in self.notes if n.finding is Finding.STOPPED)}"
        elif self.completeness is Completeness.INCONSISTENT:
            return f"not complete: rounding left {self.n_inconsistent} faces open"
        elif self.walk is not None:
            words += f": {self.walk.n_seeds:,} seeds, {self.walk.n_cells:,} cells"
            if self.proof is not None:
                found = f", {self.proof.n_missed:,} of them without a seed" if self.proof.n_missed else ""
                words += f"{found}{self.proof}"
        words += f" ({self.reason.sentence})" if self.reason else ""
        if self.signs is not None:
            words += f"; {self.signs.n:,} signs exact, {self.signs.n_rational:,} of them decided in rationals"
        return words

    @property
    def status(self) -> str:
        """A sentence about anything unusual; empty if there is nothing."""
        sentences = [note.sentence for note in self.notes]
        if self.n_inconsistent:
            sentences.append(f"rounding left {self.n_inconsistent} faces open")
        return "; ".join(sentences)

    def __repr__(self) -> str:
        """The guarantee, followed by the status."""
        return "; ".join(filter(None, (self.guarantee, self.status)))
