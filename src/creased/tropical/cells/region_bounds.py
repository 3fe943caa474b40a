"""Bounds on the number of activation cells of plain ReLU networks from their widths, and generic counts.

n0 is the input dimension, n1 ... nL are the hidden widths. Lower bounds speak of the best weights of an
architecture, never of a given network; upper bounds hold for all weights and any domain.

Sources: Zaslavsky 1975 (one layer, attained in general position); Montufar, Pascanu, Cho, Bengio 2014,
theorem 4 (lower); Raghu, Poole, Kleinberg, Ganguli, Sohl-Dickstein 2017, theorem 1 (each layer cuts each
region by Zaslavsky in n0 dimensions); Montufar 2017, proposition 3 (the same in the smallest dimension so
far); Serra, Tjandraatmadja, Ramalingam 2018, theorem 1 (the dimension that active neurons leave);
Hanin and Rolnick 2019 (over random weights the average grows as N^D / D!, however deep: no bound).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import comb, factorial, prod
from typing import NamedTuple

from creased.core.program.program import Program
from creased.networks.as_program import of_networks


class RegionBounds(NamedTuple):
    """Bounds for an architecture."""

    montufar_2014: int  # a lower bound, for the best weights
    serra: int  # an upper bound, like the next two
    montufar_2017: int
    raghu: int
    hanin_rolnick: Fraction  # N^D / D!: the order of the average, for comparison only


def region_bounds(in_dim: int, widths: Sequence[int]) -> RegionBounds:
    """Compute all bounds of an architecture.

    Raises:
        ValueError: a width or the input dimension is not positive.
    """
    return RegionBounds(
        montufar_2014(in_dim, widths),
        serra(in_dim, widths),
        montufar_2017(in_dim, widths),
        raghu(in_dim, widths),
        hanin_rolnick(in_dim, widths),
    )


@of_networks
def bounds_of(program: Program) -> RegionBounds:
    """Compute the bounds of a program's architecture.

    Blocks with a passthrough carry their state on beside the neurons, so it has more dimensions than the
    formulas of plain networks allow for; then only the bound that always holds is given for all three.

    Raises:
        ValueError: the program has no neurons.
    """
    program.require_no_grid("bounds_of")
    bounds = region_bounds(program.in_dim, [width for width in program.widths if width])
    if not any(block.has_passthrough for block in program.blocks):
        return bounds
    return bounds._replace(montufar_2014=1, serra=bounds.raghu, montufar_2017=bounds.raghu)


def zaslavsky(in_dim: int, n_neurons: int) -> int:
    """Count the regions of n hyperplanes in general position, the maximum: sum of C(n, i), i <= D."""
    _check_generic("zaslavsky", n_neurons, in_dim, least=0)
    return sum(comb(n_neurons, i) for i in range(in_dim + 1))


def montufar_2014(in_dim: int, widths: Sequence[int]) -> int:
    """Bound the maximum over all weights from below; 0 where a layer is narrower than n0."""
    _check("montufar_2014", in_dim, widths)
    folds = prod((width // in_dim) ** in_dim for width in widths[:-1])
    return folds * zaslavsky(in_dim, widths[-1])


def raghu(in_dim: int, widths: Sequence[int]) -> int:
    """Multiply Zaslavsky's numbers of all layers in the input's dimension."""
    _check("raghu", in_dim, widths)
    return prod(zaslavsky(in_dim, width) for width in widths)


def montufar_2017(in_dim: int, widths: Sequence[int]) -> int:
    """Multiply Zaslavsky's numbers of all layers, each in the smallest dimension before it."""
    _check("montufar_2017", in_dim, widths)
    smallest = accumulate([in_dim, *widths[:-1]], min)
    return prod(zaslavsky(dim, width) for dim, width in zip(smallest, widths, strict=True))


def serra(in_dim: int, widths: Sequence[int]) -> int:
    """Sum over J the products of C(n_l, j_l), with j_l <= min(n0, n1 - j1, ..., n_l).

    j_l counts inactive neurons, which take dimensions from the layers behind. Computed layer by layer: a
    number for each dimension that is left.
    """
    _check("serra", in_dim, widths)
    n_ways = {in_dim: 1}  # by the smallest dimension so far
    for width in widths:
        further: dict[int, int] = {}
        for dim, ways in n_ways.items():
            for j in range(min(dim, width) + 1):
                left = min(dim, width - j)
                further[left] = further.get(left, 0) + ways * comb(width, j)
        n_ways = further
    return sum(n_ways.values())


def hanin_rolnick(in_dim: int, widths: Sequence[int]) -> Fraction:
    """Return N^D / D! for N neurons: the order of the average over random weights, not a bound."""
    _check("hanin_rolnick", in_dim, widths)
    return Fraction(sum(widths) ** in_dim, factorial(in_dim))


def generic_f_vector(n_hyperplanes: int, dim: int) -> tuple[int, ...]:
    """Count the cells of dimension 0 ... D of hyperplanes in general position (Buck 1943).

    f_k = C(n, D - k) times the regions of n - D + k hyperplanes in k dimensions.
    """
    _check_generic("generic_f_vector", n_hyperplanes, dim)
    n = n_hyperplanes
    return tuple(comb(n, dim - k) * zaslavsky(k, max(n - dim + k, 0)) for k in range(dim + 1))


def bounded_regions(n_hyperplanes: int, dim: int) -> int:
    """Count the bounded regions of hyperplanes in general position: C(n - 1, D)."""
    _check_generic("bounded_regions", n_hyperplanes, dim)
    return comb(n_hyperplanes - 1, dim) if n_hyperplanes else 0


def regions_at_infinity(n_hyperplanes: int, dim: int) -> int:
    """Count the unbounded regions of hyperplanes in general position: 2 sum C(n - 1, i), i < D."""
    _check_generic("regions_at_infinity", n_hyperplanes, dim)
    return 2 * sum(comb(n_hyperplanes - 1, i) for i in range(dim)) if n_hyperplanes else 1


def _check_generic(caller: str, n_hyperplanes: int, dim: int, least: int = 1) -> None:
    if n_hyperplanes < 0 or dim < least:
        raise ValueError(f"{caller}: needs n >= 0 and dim >= {least}, got {n_hyperplanes} and {dim}")


def _check(caller: str, in_dim: int, widths: Sequence[int]) -> None:
    if in_dim < 1 or not widths or min(widths) < 1:
        raise ValueError(
            f"{caller}: needs a positive input dimension and positive widths, got {in_dim} and {list(widths)}"
        )
