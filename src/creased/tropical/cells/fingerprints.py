"""Fingerprints of affine maps: coefficients modulo primes decide equality without big numbers.

A float weight is a rational with a power of two below, so it has a residue modulo any odd prime, and a
cell's affine map has the residues that follow. Equal maps have equal residues always; different ones have
equal residues modulo all primes used by accident only (about one in 2^80 for each pair). Products stay below
2^53, so matrix products in float64 are exact.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from creased.core.exact.elimination import RationalMatrix
from creased.core.numerics.tensors import map_tensors
from creased.core.program.program import BATCH, Program

PRIMES = (1048573, 1048571, 1048559, 1048549)  # the largest below 2^20
MOST_TERMS = 1 << 12  # products of residues add up to less than 2^52


def number_maps(program: Program, masks: Tensor) -> Tensor:
    """Number the cells (R,) int64, with equal numbers where the outputs' affine maps are equal.

    Args:
        program: with finite weights.
        masks: activation patterns of R cells, (R, n_neurons), 0 or 1, or bool.

    Raises:
        ValueError: a layer is wider than sums of residues are exact.
    """
    widest = max((t.shape[-1] for t in program.tensors()), default=0)
    if widest > MOST_TERMS:
        raise ValueError(f"number_maps: layers of up to {MOST_TERMS} inputs are supported, got {widest}")
    numbers = torch.zeros(masks.shape[0], dtype=torch.int64)
    for prime in PRIMES:
        modular = map_tensors(program.detach().to("cpu"), partial(_modulo, prime=prime))
        residues = torch.cat([_residues(modular, batch, prime) for batch in masks.cpu().split(BATCH)])
        for column in residues.long().unbind(1):  # refine the numbers by one more residue
            numbers = torch.unique(numbers * prime + column, return_inverse=True)[1]
    return numbers


def _residues(modular: Program, masks: Tensor, prime: int) -> Tensor:
    """Compute the outputs' coefficients on cells modulo a prime: (R, (D + 1) O)."""
    state = torch.eye(modular.in_dim + 1, modular.in_dim, dtype=torch.float64).expand(len(masks), -1, -1)
    patterns = masks.double().split(modular.widths, dim=1) if modular.blocks else ()
    for block, mask in zip(modular.blocks, patterns, strict=True):
        z = _apply(block.affine.weight, block.affine.bias, state, prime)
        hidden = z * mask[:, None]
        if not block.is_plain:
            mix, skip, shift = block.output_matrices()
            hidden = (hidden @ mix.T + _apply(skip, shift, state, prime)).remainder(prime)
        state = hidden
    return _apply(modular.head.weight, modular.head.bias, state, prime).flatten(1)


def _apply(weight: Tensor, bias: Tensor, state: Tensor, prime: int) -> Tensor:
    z = state @ weight.T
    z[:, -1] += bias
    return z.remainder(prime)


def _modulo(tensor: Tensor, prime: int) -> Tensor:
    """Compute the residues of float weights, as float64."""
    (numbers,), scale = RationalMatrix.of([tensor.reshape(-1).tolist()])
    inverse = pow(scale, -1, prime)
    residues = [x % prime * inverse % prime for x in numbers]
    return torch.tensor(residues, dtype=torch.float64).reshape(tensor.shape)
