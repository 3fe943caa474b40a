"""Affine arithmetic: enclose functions on cells by affine functions of the position with bounded errors.

On each of R convex cells an affine form encloses S numbers by ``maps`` applied to the position, plus K noise
``symbols``, each times a number in [-1, 1] that all S share, plus or minus ``error`` (Stolfi and de
Figueiredo 1997; as bounds of networks: Singh et al. 2018). Positions have few dimensions, so passing a layer
costs D + 2 + K products with its weights, however wide the network is.

Rounding is part of the error: every sum adds its a priori rounding bound, from the same sum over absolute
values (Higham 2002, section 3.1), the largest over all cells of a batch.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.numerics.sparse import apply_rows
from creased.core.program.layers import Affine, Block


class AffineForms(NamedTuple):
    """S affine forms on each of R cells."""

    maps: Tensor  # (R, D + 1, S), the constant last
    error: Tensor  # (R, S), >= 0
    symbols: Tensor  # (R, K, S)

    def choose(self, index: Tensor) -> AffineForms:
        """Select the forms on cells (m,) int64."""
        return AffineForms(*(part.index_select(0, index) for part in self))


def input_forms(dim: int, dtype: torch.dtype, device: torch.device) -> AffineForms:
    """Make the forms of the position itself, on one cell."""
    maps = torch.eye(dim + 1, dim, dtype=dtype, device=device)[None]
    return AffineForms(maps, maps.new_zeros((1, dim)), maps.new_zeros((1, 0, dim)))


def gamma(dtype: torch.dtype, n_terms: int) -> float:
    """Bound the error of a computed sum of products, relative to the sum of absolute values."""
    return 2 * (n_terms + 8) * torch.finfo(dtype).eps


def size_of(forms: AffineForms, reach: Tensor) -> Tensor:
    """Bound the absolute values (S,), and the sums over absolute values that they are computed by.

    Args:
        forms: on any number of cells; the bounds hold on all of them.
        reach: bounds (D + 1,) on the absolute coordinates of the domain, then 1.
    """
    if forms.error.shape[0] == 0:
        return forms.error.new_zeros(forms.error.shape[1])
    size = reach @ forms.maps.abs().amax(0)
    return size + (forms.error + spread(forms)).amax(0)


def spread(forms: AffineForms) -> Tensor:
    """Sum the absolute symbols: the radii (R, S) of what they contribute; (1, S) where there are none."""
    return forms.symbols.abs().sum(1) if forms.symbols.shape[1] else torch.zeros_like(forms.error[:1])


def apply(affine: Affine, forms: AffineForms, size: Tensor) -> AffineForms:
    """Apply an affine map to forms; ``size`` (S,) bounds their absolute values."""
    relative = gamma(forms.maps.dtype, forms.maps.shape[1] + forms.symbols.shape[1] + affine.matrix.shape[1])
    weight = affine.matrix.abs()
    maps = apply_rows(affine.matrix, forms.maps)
    maps[:, -1] += affine.bias
    error = apply_rows(weight, forms.error) + relative * (weight @ size + affine.bias.abs())
    return AffineForms(maps, error, apply_rows(affine.matrix, forms.symbols))


def scale(forms: AffineForms, slope: Tensor) -> AffineForms:
    """Multiply forms by slopes (R, S) >= 0, in place."""
    return AffineForms(
        forms.maps.mul_(slope[:, None]), forms.error.mul_(slope), forms.symbols.mul_(slope[:, None])
    )


def close(block: Block, hidden: AffineForms, state: AffineForms, reach: Tensor) -> AffineForms:
    """Apply a block's output map to relu(z) and the state; the state's symbols come first in relu(z)."""
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
    """Compute the next state on cells with activation patterns ``masks`` (R, N)."""
    return close(block, scale(apply(block.affine, state, size_of(state, reach)), masks), state, reach)
