"""All tolerances of the package, as functions of the dtype."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from creased.core.numerics.memory import selection_pays


def rounding_error(dtype: torch.dtype, n_terms: int) -> float:
    """Bound the error of a computed sum of n products, relative to the sum of absolute values.

    Subdivision snaps values below it to zero, which counts as +, so that rounding cannot give the vertices of
    one face random signs.
    """
    return 4 * (n_terms + 1) * torch.finfo(dtype).eps


def get_epsilon(dtype: torch.dtype) -> float:
    """Return the relative tolerance for results of a short chain of operations in ``dtype``.

    A thousand units in the last place, what a deep, narrow network loses in practice.
    """
    return 1000 * torch.finfo(dtype).eps


def doubtful_band(dtype: torch.dtype) -> float:
    """Return the band about zero, relative to a layer's largest value, where signs are to be decided exactly.

    It is far wider than the rounding error of all but the worst conditioned vertices, where rows are nearly
    parallel, and rarely entered by chance.
    """
    return float(torch.finfo(dtype).eps ** 0.4)


def band_of_rounding(dtype: torch.dtype) -> float:
    """Return the band about zero, relative to a layer's sums, that holds the rounding of nearly all vertices.

    In single precision it is as narrow as can be, for many values are in it by chance.
    """
    return max(torch.finfo(torch.float64).eps ** 0.5, 16 * torch.finfo(dtype).eps)


def is_power_of_two(number: Any) -> bool:
    """True for numbers, positive or negative, by which products are not rounded."""
    return isinstance(number, int | float) and abs(math.frexp(number)[0]) == 0.5


def steps_across(dtype: torch.dtype, lower: Sequence[float], upper: Sequence[float]) -> float:
    """Count the floating-point numbers across a box, on the axis with the fewest."""
    eps = torch.finfo(dtype).eps
    return min((b - a) / (eps * max(abs(a), abs(b))) for a, b in zip(lower, upper, strict=True))


def coincidence(dtype: torch.dtype) -> float:
    """Return the distance, relative to the reach of coordinates, that may be rounding; on the safe side."""
    return float(4 * torch.finfo(dtype).eps ** 0.5)


def may_coincide(distances: Tensor, reach: float) -> Tensor:
    """Mark distances that may be rounding, for coordinates of that reach; errs on the safe side."""
    return distances.abs() <= coincidence(distances.dtype) * reach


def snap_interpolated(made: Tensor, first: Tensor, second: Tensor, coarse: float) -> None:
    """Set interpolated values (n, N) to zero in place where they are within the rounding error.

    The error is relative to the values (n, N) at the ends; ``coarse`` bounds it for all, to find candidates.
    """
    if not selection_pays(made.device):
        ends = torch.maximum(first.abs(), second.abs())
        made.masked_fill_(made.abs() <= rounding_error(made.dtype, 1) * ends, 0)
        return
    row, column = (made.abs() <= coarse).nonzero(as_tuple=True)
    if row.numel():
        ends = torch.maximum(first[row, column].abs(), second[row, column].abs())
        is_noise = made[row, column].abs() <= rounding_error(made.dtype, 1) * ends
        made[row[is_noise], column[is_noise]] = 0
