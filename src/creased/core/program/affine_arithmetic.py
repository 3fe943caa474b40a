"""Affine forms: functions on cells as affine functions of the position, plus or minus bounded errors.

On each of R convex cells a form says of S numbers that they are ``maps`` applied to the position, plus K
``symbols`` each times one number in [-1, 1] that all S share, plus or minus ``error`` (affine arithmetic:
Stolfi and de Figueiredo 1997; as bounds of networks: Singh et al. 2018). The positions being of low
dimension, passing a layer costs D + 2 + K products with its weights, however wide the network is.

Rounding is part of the error: every sum adds what it can have lost, by the standard a priori bound from the
same sum over absolute values (Higham 2002, section 3.1), the largest of all cells of a batch.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.program.program import Affine, Block


class AffineForms(NamedTuple):
    """S affine forms on each of R cells."""

    maps: Tensor  # (R, D + 1, S), the constant last
    error: Tensor  # (R, S), >= 0
    symbols: Tensor  # (R, K, S)

    def choose(self, index: Tensor) -> AffineForms:
        """Those on the cells (m,)."""
        return AffineForms(*(part.index_select(0, index) for part in self))


def input_forms(dim: int, dtype: torch.dtype, device: torch.device) -> AffineForms:
    """The position itself, on one cell."""
    maps = torch.eye(dim + 1, dim, dtype=dtype, device=device)[None]
    return AffineForms(maps, maps.new_zeros((1, dim)), maps.new_zeros((1, 0, dim)))


def gamma(dtype: torch.dtype, n_terms: int) -> float:
    """How far a computed sum of products can be off, relative to the sum of absolute values."""
    return 2 * (n_terms + 8) * torch.finfo(dtype).eps


def size_of(forms: AffineForms, reach: Tensor) -> Tensor:
    """Bounds (S,) on the absolute values, and on the sums over absolute values that they are computed by.

    Args:
        forms: of what.
        reach: bounds (D + 1,) on the absolute coordinates of the domain, then 1.
    """
    if forms.error.shape[0] == 0:
        return forms.error.new_zeros(forms.error.shape[1])
    size = reach @ forms.maps.abs().amax(0)
    return size + (forms.error + spread(forms)).amax(0)


def spread(forms: AffineForms) -> Tensor:
    """How far (R, S) the symbols reach in all."""
    return forms.symbols.abs().sum(1)


def apply(affine: Affine, forms: AffineForms, size: Tensor) -> AffineForms:
    """The forms of an affine function of what has these forms, and this size (S,)."""
    lost = gamma(forms.maps.dtype, forms.maps.shape[1] + forms.symbols.shape[1] + affine.weight.shape[1])
    weight = affine.weight.abs()
    maps = forms.maps @ affine.weight.T
    maps[:, -1] += affine.bias
    error = forms.error @ weight.T + lost * (weight @ size + affine.bias.abs())
    return AffineForms(maps, error, forms.symbols @ affine.weight.T)


def scale(forms: AffineForms, slope: Tensor) -> AffineForms:
    """The forms times slopes (R, S) >= 0; changes those given."""
    return AffineForms(
        forms.maps.mul_(slope[:, None]), forms.error.mul_(slope), forms.symbols.mul_(slope[:, None])
    )


def close(block: Block, hidden: AffineForms, state: AffineForms, reach: Tensor) -> AffineForms:
    """The next state, of relu(z) and the state; the first symbols of relu(z) are those of the state."""
    if block.is_plain:
        return hidden
    both = _beside(hidden, state) if block.has_passthrough else hidden
    return apply(block.output_map(), both, size_of(both, reach))


def _beside(hidden: AffineForms, state: AffineForms) -> AffineForms:
    n_new = hidden.symbols.shape[1] - state.symbols.shape[1]
    symbols = torch.nn.functional.pad(state.symbols, (0, 0, 0, n_new))
    both = zip(hidden, state._replace(symbols=symbols), strict=True)
    return AffineForms(*(torch.cat(pair, dim=-1) for pair in both))


def advance_forms(block: Block, state: AffineForms, masks: Tensor, reach: Tensor) -> AffineForms:
    """The next state on cells with activation patterns masks (R, N)."""
    return close(block, scale(apply(block.affine, state, size_of(state, reach)), masks), state, reach)
