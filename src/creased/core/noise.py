"""Values that are no more than rounding noise about zero are made exact zeros, all of which count as +.

Without that, noise would give the vertices of one face signs at random where creases coincide, and tear it.
Candidates are found by a bound that is the same for all values of a neuron; only for them the noise of the
sum itself is estimated, so that networks in general position pay a comparison a value.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.program import Affine
from creased.core.tolerance import rounding_error


def silence_sums(z: Tensor, affine: Affine, inputs: Tensor) -> None:
    """Set to zero the values (V, N) that are no more than rounding noise of the sums they come from."""
    if z.numel() == 0:
        return
    noise_of = rounding_error(z.dtype, inputs.shape[1])
    weight, bias = affine.weight.abs(), affine.bias.abs()
    most = noise_of * (weight @ inputs.abs().amax(0) + bias)
    row, neuron = (z.abs() <= most).nonzero(as_tuple=True)
    if row.numel():
        noise = noise_of * ((inputs[row].abs() * weight[neuron]).sum(1) + bias[neuron])
        is_noise = z[row, neuron].abs() <= noise
        z[row[is_noise], neuron[is_noise]] = 0


def silence_interpolated(made: Tensor, first: Tensor, second: Tensor, coarse: float) -> None:
    """Set to zero the values (n, N) that are no more than noise of the interpolation that made them.

    It is relative to the values (n, N) at the ends; ``coarse``, relative to the largest of all, finds
    candidates.
    """
    row, column = (made.abs() <= coarse).nonzero(as_tuple=True)
    if row.numel():
        ends = torch.maximum(first[row, column].abs(), second[row, column].abs())
        is_noise = made[row, column].abs() <= rounding_error(made.dtype, 1) * ends
        made[row[is_noise], column[is_noise]] = 0
