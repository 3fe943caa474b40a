"""Properties of activation patterns, after the axioms of tropical oriented matroids (Ardila, Develin 2009).

A pattern A gives each data point p the set A_p of the terms that are largest there, a bipartite graph of
points and terms. Types of arrangements of tropical hyperplanes are such graphs, too, of terms with a common
slope. Here each term has its own, so that half of the axioms change. The patterns of all parameters have

- boundary: for each term there is a pattern with that term alone at all points (raise its constant);
- relabelling: terms may be exchanged;
- surrounding: for each ordered partition of the terms, A_p may be cut down to its terms in the first part
  that it meets, at all p (raise constants a little, those of earlier parts more);
- composition: for A and B there is a C with C_p = A_p & B_p where that is not empty, and C_p within A_p
  elsewhere (A's parameters plus epsilon times B's);
- elimination: for A, B and a point p where they have no common term there is a C with a term of A_p and
  another that is not in A_p at p, and C_q = A_q & B_q where that is not empty (the last place on the
  segment between the parameters at which a term of A_p is largest at p);
- comparability: for terms l and m, an affine function is positive at all p with l in A_p and m in B_p,
  negative where m is in A_p and l in B_p, and 0 where A_p and B_p have both (the change of l from B to A,
  minus that of m).

Comparability asks for a covector of the points, and says nothing of three terms in a cycle. Types have

- tropical elimination: for A, B and a point p there is a C with C_p = A_p | B_p, and C_q one of A_q, B_q
  and A_q | B_q elsewhere;
- tropical comparability: no cycle of terms with an edge from l to m for each l in A_p and m in B_p, unless
  all of its edges join terms that A_p and B_p both have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product

from creased.tropical.algebra.covectors import TiedPattern, classification_covectors
from creased.tropical.algebra.fans import Points
from creased.tropical.algebra.oriented_matroids import AxiomCheck, count_failures, format_checks

Partition = tuple[frozenset[int], ...]


@dataclass(frozen=True)
class PatternAxioms:
    """Properties of activation patterns, each checked for all or all pairs; the last two are of types."""

    boundary: AxiomCheck
    relabelling: AxiomCheck
    surrounding: AxiomCheck
    composition: AxiomCheck
    elimination: AxiomCheck
    comparability: AxiomCheck
    tropical_elimination: AxiomCheck
    tropical_comparability: AxiomCheck

    @property
    def hold(self) -> bool:
        """True if all hold that the patterns of all parameters have."""
        constants = (self.boundary, self.relabelling, self.surrounding)
        pairs = (self.composition, self.elimination, self.comparability)
        return not any(axiom.n_failed for axiom in (*constants, *pairs))

    @property
    def is_tropical_oriented_matroid(self) -> bool:
        """True if the patterns are the types of a tropical oriented matroid."""
        shared = (self.boundary, self.surrounding, self.tropical_elimination, self.tropical_comparability)
        return not any(axiom.n_failed for axiom in shared)

    def __str__(self) -> str:
        """Format for people, a property a line."""
        return format_checks(self)


def check_pattern_axioms(patterns: Iterable[TiedPattern], n_terms: int, points: Points) -> PatternAxioms:
    """Check the properties of activation patterns of k terms on points (M, D), ties included.

    The work is that of all pairs, and of all orders of the terms.

    Raises:
        ValueError: there are no patterns, they have not M sets, or a set is empty or names none of the terms.
    """
    known = set(patterns)
    given = sorted(known, key=lambda pattern: [sorted(top) for top in pattern])
    terms = range(n_terms)
    if not given or any(len(pattern) != len(points) for pattern in given):
        raise ValueError(f"check_pattern_axioms: needs patterns of {len(points)} points, and at least one")
    if not all(top and top <= set(terms) for pattern in given for top in pattern):
        raise ValueError(f"check_pattern_axioms: needs sets of terms 0 to {n_terms - 1} that are not empty")
    pairs = list(product(given, repeat=2))
    constant = [((frozenset({term}),) * len(points),) for term in terms]
    exchanged = product(given, permutations([frozenset({term}) for term in terms]))
    parted = product(given, _ordered_partitions(frozenset(terms)))
    return PatternAxioms(
        boundary=count_failures(constant, known.__contains__),
        relabelling=count_failures(exchanged, lambda a, names: _renamed(a, names) in known),
        surrounding=count_failures(parted, lambda a, parts: _refined(a, parts) in known),
        composition=count_failures(pairs, lambda a, b: _has_any(known, map(_common_or_part, a, b))),
        elimination=count_failures(pairs, _Elimination(given)),
        comparability=count_failures(pairs, _Comparability(points, n_terms)),
        tropical_elimination=count_failures(pairs, lambda a, b: _eliminates(known, a, b)),
        tropical_comparability=count_failures(pairs, _has_no_cycle),
    )


class _Elimination:
    """Tells whether elimination holds for a pair, at all points where they have no common term."""

    def __init__(self, patterns: Sequence[TiedPattern]) -> None:
        self._patterns = patterns
        self._tops: dict[tuple[int, ...], dict[TiedPattern, list[TiedPattern]]] = {}

    def __call__(self, first: TiedPattern, second: TiedPattern) -> bool:
        common = [a & b for a, b in zip(first, second, strict=True)]
        apart = tuple(p for p, terms in enumerate(common) if not terms)
        rest = tuple(terms for terms in common if terms)
        candidates = self._by_rest(apart).get(rest, []) if apart else []
        return all(any(_is_between(c[p], first[p]) for c in candidates) for p in apart)

    def _by_rest(self, apart: tuple[int, ...]) -> dict[TiedPattern, list[TiedPattern]]:
        """Group the patterns by what they are outside of some points."""
        if apart not in self._tops:
            groups: dict[TiedPattern, list[TiedPattern]] = {}
            for pattern in self._patterns:
                rest = tuple(top for p, top in enumerate(pattern) if p not in apart)
                groups.setdefault(rest, []).append(pattern)
            self._tops[apart] = groups
        return self._tops[apart]


class _Comparability:
    """Tells whether a pair is comparable, by the covectors of the points."""

    def __init__(self, points: Points, n_terms: int) -> None:
        self._covectors = classification_covectors(points, 1, 1)
        self._pairs = list(combinations(range(n_terms), 2))
        self._known: dict[tuple[int | None, ...], bool] = {}

    def __call__(self, first: TiedPattern, second: TiedPattern) -> bool:
        return all(self._has_hyperplane(_sides(first, second, *pair)) for pair in self._pairs)

    def _has_hyperplane(self, sides: tuple[int | None, ...]) -> bool:
        """Tell whether a covector has these signs; None is any sign."""
        if sides not in self._known:
            self._known[sides] = any(
                all(side in (None, sign) for side, sign in zip(sides, covector, strict=True))
                for covector in self._covectors
            )
        return self._known[sides]


def _sides(first: TiedPattern, second: TiedPattern, one: int, other: int) -> tuple[int | None, ...]:
    """Return the sign of the change of one term minus that of another, None where it is not known."""
    signs: list[int | None] = []
    for a, b in zip(first, second, strict=True):
        grows, falls = one in a and other in b, other in a and one in b
        signs.append(grows - falls if grows or falls else None)
    return tuple(signs)


def _has_no_cycle(first: TiedPattern, second: TiedPattern) -> bool:
    """Tell whether the comparability graph of a pair has no cycle with a directed edge."""
    edges, directed = set(), set()
    for a, b in zip(first, second, strict=True):
        edges |= set(product(a, b))
        directed |= {(m, n) for m, n in product(a, b) if not {m, n} <= a & b}
    ahead = {end: {end} for edge in edges for end in edge}
    for _ in ahead:
        for m, n in edges:
            ahead[m] |= ahead[n]
    return not any(m in ahead[n] for m, n in directed)


def _eliminates(known: Collection[TiedPattern], first: TiedPattern, second: TiedPattern) -> bool:
    """Tell whether tropical elimination holds for a pair, at all points."""
    either = [{a, b, a | b} for a, b in zip(first, second, strict=True)]
    joined = [a | b for a, b in zip(first, second, strict=True)]
    return all(_has_any(known, (*either[:p], {joined[p]}, *either[p + 1 :])) for p in range(len(first)))


def _has_any(known: Collection[TiedPattern], tops: Iterable[Collection[frozenset[int]]]) -> bool:
    """Tell whether a pattern is known that has one of some tops at each point."""
    return any(pattern in known for pattern in product(*tops))


def _is_between(top: frozenset[int], first: frozenset[int]) -> bool:
    return bool(top & first) and not top <= first


def _common_or_part(first: frozenset[int], second: frozenset[int]) -> list[frozenset[int]]:
    """Return the common terms, or all parts of the first set where there are none."""
    if first & second:
        return [first & second]
    sizes = range(1, len(first) + 1)
    return [frozenset(part) for size in sizes for part in combinations(sorted(first), size)]


def _renamed(pattern: TiedPattern, names: Partition) -> TiedPattern:
    return tuple(frozenset[int]().union(*(names[term] for term in top)) for top in pattern)


def _refined(pattern: TiedPattern, parts: Partition) -> TiedPattern:
    """Cut the terms at each point down to those in the first part that they meet."""
    return tuple(next(top & part for part in parts if top & part) for top in pattern)


def _ordered_partitions(terms: frozenset[int]) -> Iterator[Partition]:
    """Enumerate the partitions of a set into a sequence of parts."""
    if not terms:
        yield ()
    for size in range(1, len(terms) + 1):
        for chosen in combinations(sorted(terms), size):
            part = frozenset(chosen)
            yield from ((part, *rest) for rest in _ordered_partitions(terms - part))
