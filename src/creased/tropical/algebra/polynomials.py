"""Tropical polynomials with real exponents: maxima of finitely many affine functions, in exact fractions.

Max-plus throughout: the tropical sum is the maximum, the product is the sum, the k-th power is k times. A
monomial is essential on a domain if it alone attains the maximum on an open part of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import torch
from torch import Tensor

from creased.core.domains.box import Box
from creased.core.formatting import Number, as_display, cut_list, format_affine
from creased.tropical.algebra.epigraphs import Point, epigraph, inner

MOST_MONOMIALS = 20_000


class MonomialBudgetError(ValueError):
    """A product with more monomials than allowed."""


@dataclass(frozen=True, init=False)
class TropicalPolynomial:
    """The function max_i (slopes_i x + coefficients_i). Of equal slopes the largest coefficient is kept.

    Raises:
        ValueError: there is no monomial, slopes differ in length, or a number is NaN or infinite.
    """

    slopes: tuple[Point, ...]  # (m, D), ascending
    coefficients: tuple[Fraction, ...]  # (m,)

    def __init__(
        self, slopes: Iterable[Sequence[Number]] | Tensor, coefficients: Iterable[Number] | Tensor
    ) -> None:
        exact = [tuple(map(_exact, slope)) for slope in listed(slopes)]
        constants = [_exact(c) for c in listed(coefficients)]
        if not exact or len(exact) != len(constants) or len({len(slope) for slope in exact}) != 1:
            raise ValueError(
                "TropicalPolynomial: needs one coefficient a slope, slopes of one length and at least one "
                f"monomial, got {len(exact)} slopes of lengths {sorted({len(s) for s in exact})} and "
                f"{len(constants)} coefficients"
            )
        largest: dict[Point, Fraction] = {}
        for slope, constant in zip(exact, constants, strict=True):
            largest[slope] = max(constant, largest.get(slope, constant))
        object.__setattr__(self, "slopes", tuple(sorted(largest)))
        object.__setattr__(self, "coefficients", tuple(largest[slope] for slope in sorted(largest)))

    @property
    def n(self) -> int:
        """Number of monomials."""
        return len(self.slopes)

    @property
    def dim(self) -> int:
        """Number of variables, D."""
        return len(self.slopes[0])

    def __call__(self, points: Tensor) -> Tensor:
        """Evaluate at points (..., D), in their floating type."""
        _require_dim("TropicalPolynomial", self.dim, points.shape[-1])
        exact = [[float(x) for x in slope] for slope in self.slopes], [float(c) for c in self.coefficients]
        slopes, constants = (torch.tensor(part, dtype=torch.float64).to(points) for part in exact)
        return (points @ slopes.T + constants).amax(-1)

    def value_at(self, point: Sequence[Number]) -> Fraction:
        """Evaluate exactly at a point (D,).

        Raises:
            ValueError: the point has another dimension, or is not finite.
        """
        _require_dim("value_at", self.dim, len(point))
        exact = tuple(map(_exact, point))
        return max(c + inner(slope, exact) for slope, c in zip(self.slopes, self.coefficients, strict=True))

    def oplus(self, other: TropicalPolynomial) -> TropicalPolynomial:
        """Return the tropical sum, the maximum of both."""
        _require_dim("oplus", self.dim, other.dim)
        return TropicalPolynomial((*self.slopes, *other.slopes), (*self.coefficients, *other.coefficients))

    def odot(self, other: TropicalPolynomial, most: int = MOST_MONOMIALS) -> TropicalPolynomial:
        """Return the tropical product, the sum of both, with redundant monomials; see `essential`.

        Raises:
            MonomialBudgetError: it would have more monomials than allowed.
        """
        _require_dim("odot", self.dim, other.dim)
        if self.n * other.n > most:
            raise MonomialBudgetError(
                f"odot: a product of {self.n} and {other.n} monomials has up to {self.n * other.n}, "
                f"more than {most}: prune both by `essential`, or raise `most`"
            )
        pairs = list(product(range(self.n), range(other.n)))
        slopes = [
            tuple(a + b for a, b in zip(self.slopes[i], other.slopes[j], strict=True)) for i, j in pairs
        ]
        return TropicalPolynomial(slopes, [self.coefficients[i] + other.coefficients[j] for i, j in pairs])

    def power(self, exponent: Number) -> TropicalPolynomial:
        """Return the tropical power, ``exponent`` times the function, for any real exponent >= 0.

        Raises:
            ValueError: the exponent is negative, so that the result would not be a polynomial.
        """
        factor = _exact(exponent)
        if factor < 0:
            raise ValueError(
                f"power: needs an exponent >= 0, got {exponent}: a negative power is no polynomial, "
                "but a TropicalRational"
            )
        slopes = [tuple(factor * x for x in slope) for slope in self.slopes]
        return TropicalPolynomial(slopes, [factor * c for c in self.coefficients])

    def essential(self, domain: Box | None = None) -> TropicalPolynomial:
        """Drop the monomials that are not essential on a box, or everywhere.

        Raises:
            ValueError: the box has another dimension.
        """
        if domain is not None:
            _require_dim("essential", self.dim, domain.dim)
        above = epigraph(self.slopes, self.coefficients, domain)
        kept = above.essential()
        return TropicalPolynomial([self.slopes[i] for i in kept], [self.coefficients[i] for i in kept])

    def __repr__(self) -> str:
        return f"max({cut_list(self.format_monomials())})"

    def _repr_latex_(self) -> str:
        return as_display(self.format_latex())

    def format_latex(self) -> str:
        """Format the polynomial as LaTeX."""
        terms = cut_list(self.format_monomials(latex=True), joint=r",\, ", latex=True)
        return rf"\max\left({terms}\right)"

    def format_monomials(self, *, latex: bool = False) -> list[str]:
        """Format each monomial as an affine function, such as 3x + 2y + 1."""
        pairs = zip(self.slopes, self.coefficients, strict=True)
        return [format_affine(slope, constant, latex=latex) for slope, constant in pairs]


def _exact(number: Number) -> Fraction:
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError(f"TropicalPolynomial: numbers must be finite, got {number}")
    return Fraction(number)


def listed(numbers: Iterable[Any] | Tensor) -> list[Any]:
    """Convert a tensor, an array or an iterable to a list."""
    return numbers.tolist() if hasattr(numbers, "tolist") else list(numbers)


def _require_dim(caller: str, dim: int, given: int) -> None:
    if given != dim:
        raise ValueError(f"{caller}: the polynomial has {dim} variables, got {given}")
