"""Tropical rational maps: a network as the difference F - G of two tropical polynomials.

F and G are affine on every activation cell of the lifted network (`lifts`), and their maps there are the
essential monomials on the domain; no convex hull is computed. Hence

    linear_regions <= essential monomials of F . G <= activation_cells .
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from creased.core.domains.box import Box
from creased.core.formatting import Number, as_display
from creased.core.program.combine import select
from creased.core.program.program import BATCH, Program
from creased.networks.as_program import of_networks
from creased.tropical.algebra.epigraphs import Point
from creased.tropical.algebra.lifts import lift
from creased.tropical.algebra.polynomials import TropicalPolynomial
from creased.tropical.cells.cells import MOST_CELLS, cells
from creased.tropical.cells.engine_cells import engine_cells
from creased.tropical.cells.fingerprints import number_maps


@dataclass(frozen=True)
class TropicalRational:
    """The function F - G on a domain."""

    numerator: TropicalPolynomial  # F
    denominator: TropicalPolynomial  # G
    domain: Box | None = None  # None: everywhere
    is_exact: bool = True  # False: coefficients and cells are those of float64

    @staticmethod
    @of_networks
    def from_program(
        program: Program,
        domain: Box | None = None,
        *,
        index: int | None = None,
        exact: bool = True,
        most: int = MOST_CELLS,
    ) -> TropicalRational:
        """Find the monomials of F and G that are essential on the domain, for one output of a program.

        Args:
            program: with finite weights.
            domain: a box, or None for all of space.
            index: which output; may be left out if there is one only.
            exact: in integers; else the engine's cells, with coefficients rounded to float64 (boxes only).
            most: cells that exact enumeration may find.

        Raises:
            ValueError: there are several outputs and no index, a weight is not finite, or float64 is asked
                for without a box.
            CellLimitError: there are more cells than allowed.
        """
        program.require_finite("TropicalRational.from_program")
        program = one_output(program, index, "TropicalRational.from_program")
        if not exact:
            return _in_float(program, domain)
        pairs = [cell.outputs.fractions() for cell in cells(lift(program), domain, most)]
        numerator, denominator = ({pair[side] for pair in pairs} for side in range(2))
        return TropicalRational(_polynomial(numerator), _polynomial(denominator), domain)

    def __call__(self, points: Tensor) -> Tensor:
        """Evaluate at points (..., D), in their floating type."""
        return self.numerator(points) - self.denominator(points)

    def value_at(self, point: tuple[Number, ...]) -> Fraction:
        """Evaluate exactly at a point (D,)."""
        return self.numerator.value_at(point) - self.denominator.value_at(point)

    def oplus(self, other: TropicalRational) -> TropicalRational:
        """Return the tropical sum (F1 G2 + F2 G1) / (G1 G2), the maximum of both, pruned."""
        crossed = self.numerator.odot(other.denominator), other.numerator.odot(self.denominator)
        return self._with(other, crossed[0].oplus(crossed[1]), self.denominator.odot(other.denominator))

    def odot(self, other: TropicalRational) -> TropicalRational:
        """Return the tropical product, the sum of both, pruned."""
        numerator = self.numerator.odot(other.numerator)
        return self._with(other, numerator, self.denominator.odot(other.denominator))

    def power(self, exponent: Number) -> TropicalRational:
        """Multiply the function by ``exponent``; a negative one swaps numerator and denominator."""
        first, second = self.numerator, self.denominator
        if exponent < 0:
            first, second, exponent = second, first, -exponent
        return TropicalRational(first.power(exponent), second.power(exponent), self.domain, self.is_exact)

    def require_exact_on(self, domain: Box | None, caller: str) -> None:
        """Refuse rounded coefficients, and a domain on which the map is not known.

        Raises:
            ValueError: one of these.
        """
        if not self.is_exact:
            raise ValueError(f"{caller}: needs an exact map, got coefficients rounded to float64")
        if self.domain not in (None, domain):
            raise ValueError(f"{caller}: asked on {domain}, but the map is known on {self.domain} only")

    def _with(
        self, other: TropicalRational, numerator: TropicalPolynomial, denominator: TropicalPolynomial
    ) -> TropicalRational:
        if self.domain != other.domain:
            raise ValueError(f"TropicalRational: both need one domain, got {self.domain} and {other.domain}")
        is_exact = self.is_exact and other.is_exact
        pruned = numerator.essential(self.domain), denominator.essential(self.domain)
        return TropicalRational(pruned[0], pruned[1], self.domain, is_exact)

    def __repr__(self) -> str:
        where = "" if self.domain is None else f" in {self.domain}"
        return f"{self.numerator} - {self.denominator}{where}{', rounded' * (not self.is_exact)}"

    def _repr_latex_(self) -> str:
        return as_display(f"{self.numerator.format_latex()} - {self.denominator.format_latex()}")


def one_output(program: Program, index: int | None, caller: str) -> Program:
    """Select one output of a program.

    Raises:
        ValueError: there are several and none is named, or there is none of that number.
    """
    n = program.out_dim
    if index is None and n != 1:
        raise ValueError(f"{caller}: the program has {n} outputs: say which by index=")
    index = index or 0
    if not 0 <= index < n:
        raise ValueError(f"{caller}: index must be from 0 to {n - 1}, got {index}")
    return select(program, index)


def _polynomial(monomials: Collection[Point]) -> TropicalPolynomial:
    return TropicalPolynomial([m[:-1] for m in monomials], [m[-1] for m in monomials])


def _in_float(program: Program, box: Box | None) -> TropicalRational:
    """Find F and G on the engine's cells; `fingerprints` match equal maps, coefficients are float64."""
    if box is None:
        raise ValueError("TropicalRational.from_program: exact=False needs a Box, got None")
    found = engine_cells(program, box)
    masks = found.masks[found.is_cell]
    lifted = lift(program.to("cpu", torch.float64))
    maps = torch.cat([lifted.maps_on(batch.double())[:, :, -2:] for batch in masks.split(BATCH)])
    both = []
    for output in range(2):
        numbers = number_maps(one_output(lifted, output, "from_program"), masks)
        n_maps = int(numbers.max()) + 1
        first = torch.full((n_maps,), len(masks)).scatter_reduce(0, numbers, torch.arange(len(masks)), "amin")
        both.append(TropicalPolynomial(maps[first, :-1, output], maps[first, -1, output]))
    return TropicalRational(both[0], both[1], box, is_exact=False)
