"""The one place where tolerances live, keyed by dtype."""

from collections.abc import Sequence

import torch
from torch import Tensor


def rounding_error(dtype: torch.dtype, n_terms: int) -> float:
    """Relative error of a computed sum of n products, with room to spare; relative to the absolute sum.

    Values below it are noise about zero: subdivision takes them as exact zeros, all of which count as +, so
    that noise cannot give vertices of one face signs at random.
    """
    return 4 * (n_terms + 1) * torch.finfo(dtype).eps


def get_epsilon(dtype: torch.dtype) -> float:
    """Relative tolerance for comparing results of a short chain of operations in ``dtype``.

    It is a thousand units in the last place: what a deep, narrow network loses in practice.
    """
    return 1000 * torch.finfo(dtype).eps


def doubtful_band(dtype: torch.dtype) -> float:
    """Values below this, relative to the largest of their layer, have their signs decided exactly on request.

    It is far more than rounding makes of well conditioned vertices, and still hardly ever met by chance.
    """
    return float(torch.finfo(dtype).eps ** 0.5)


def steps_across(dtype: torch.dtype, lower: Sequence[float], upper: Sequence[float]) -> float:
    """Numbers of a type between the bounds of a box, on the axis where they are fewest."""
    eps = torch.finfo(dtype).eps
    return min((b - a) / (eps * max(abs(a), abs(b))) for a, b in zip(lower, upper, strict=True))


def may_coincide(distances: Tensor, reach: float) -> Tensor:
    """Where distances are so small, for coordinates of that reach, that rounding might have made them.

    It is a first look, which errs on the safe side.
    """
    return distances.abs() <= 4 * torch.finfo(distances.dtype).eps ** 0.5 * reach


def snap_interpolated(made: Tensor, first: Tensor, second: Tensor, coarse: float) -> None:
    """Set to zero the values (n, N) that are no more than noise of the interpolation that made them.

    It is relative to the values (n, N) at the ends; ``coarse``, relative to the largest of all, finds
    candidates.
    """
    row, column = (made.abs() <= coarse).nonzero(as_tuple=True)
    if row.numel():
        ends = torch.maximum(first[row, column].abs(), second[row, column].abs())
        is_noise = made[row, column].abs() <= rounding_error(made.dtype, 1) * ends
        made[row[is_noise], column[is_noise]] = 0
