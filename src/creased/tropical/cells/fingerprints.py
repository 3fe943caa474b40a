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

from creased.core.numerics.sparse import dense
from creased.core.numerics.tensors import map_tensors
from creased.core.program.kuhn_grid import KuhnGrid
from creased.core.program.program import BATCH, Program
from creased.core.program.simplices import corners_of, distinct_vertices

PRIMES = (1048573, 1048571, 1048559, 1048549)  # the largest below 2^20
MOST_TERMS = 1 << 12  # products of residues add up to less than 2^52


def number_maps(program: Program, masks: Tensor, simplices: Tensor | None = None) -> Tensor:
    """Number the cells (R,) int64, with equal numbers where the outputs' affine maps are equal.

    Args:
        program: with finite weights.
        masks: activation patterns of R cells, (R, n_neurons), 0 or 1, or bool.
        simplices: on a grid, those (R,) that the cells lie in.

    Raises:
        ValueError: a layer is wider than sums of residues are exact.
    """
    widest = max((t.shape[-1] for t in program.tensors()), default=0)
    if widest > MOST_TERMS:
        raise ValueError(f"number_maps: layers of up to {MOST_TERMS} inputs are supported, got {widest}")
    return number_rows(map_residues(program, masks, simplices))


def map_residues(program: Program, masks: Tensor, simplices: Tensor | None = None) -> Tensor:
    """Compute the outputs' affine maps on cells modulo all primes: (R, n) int32; see `number_maps`."""
    columns, exact = [], map_tensors(program.exact.detach().to("cpu"), dense)
    for prime in PRIMES:
        modular = map_tensors(exact, partial(_modulo, prime=prime))
        batches = [masks.cpu().split(BATCH)]
        if program.grid is not None and simplices is not None:
            batches.append(simplices.cpu().split(BATCH))
        columns.append(torch.cat([_residues(modular, prime, *batch) for batch in zip(*batches, strict=True)]))
    return torch.cat(columns, dim=1).int()


def number_rows(table: Tensor) -> Tensor:
    """Number the rows (R,) of a table (R, n) of residues, with equal numbers where they are equal."""
    numbers = torch.zeros(len(table), dtype=torch.int64)
    for column in table.unbind(1):  # refine the numbers by one more residue
        numbers = torch.unique(numbers * max(PRIMES) + column, return_inverse=True)[1]
    return numbers


def _residues(modular: Program, prime: int, masks: Tensor, simplices: Tensor | None = None) -> Tensor:
    """Compute the outputs' coefficients on cells modulo a prime: (R, (D + 1) O)."""
    state = torch.eye(modular.in_dim + 1, modular.in_dim, dtype=torch.float64).expand(len(masks), -1, -1)
    if simplices is not None:
        assert modular.grid is not None
        state = _encoder(modular.grid, simplices, prime)
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


def _encoder(grid: KuhnGrid, simplices: Tensor, prime: int) -> Tensor:
    """Compute the encoder's affine maps on simplices modulo a prime: (R, D + 1, S), the constant last.

    Args:
        grid: with residues in its tables, and in its section.
        simplices: (R,) int64.
        prime: less than any power of two of a denominator.
    """
    n, dim = grid.finest, grid.dim
    corners = corners_of(simplices, dim, n)
    strides = [
        n // level for level, t in zip(grid.levels, grid.tables, strict=True) for _ in range(t.shape[1])
    ]
    # Interpolants of integers below 2^20 are fractions over the strides, and known without rounding.
    vertices, place = distinct_vertices(corners, n)
    features = grid.at_vertices(vertices)[:, dim:]
    inverses = torch.tensor([pow(stride, -1, prime) for stride in strides])
    features = ((features * torch.tensor(strides)).round().long() * inverses % prime)[place]
    (half,) = _modulo(torch.tensor([grid.half_width]), prime).long().tolist()
    places = (2 * corners * pow(n, -1, prime) - 1) % prime * half % prime
    state = torch.cat([places, features], dim=2)
    axes = corners.diff(dim=1).argmax(2)[:, :, None].expand(-1, -1, state.shape[2])
    steps = state.diff(dim=1) * (n * pow(2 * half, -1, prime) % prime) % prime
    slopes = torch.empty_like(steps).scatter(1, axes, steps)
    origin = (state[:, :1] - (places[:, 0, :, None] * slopes).sum(1, keepdim=True)) % prime
    if grid.section is not None:
        start, basis = (x.long() for x in grid.section)
        origin = (origin + (start[:, None] * slopes).sum(1, keepdim=True)) % prime
        slopes = (basis.T[:, :, None] * slopes[:, None]).sum(2) % prime
    return torch.cat([slopes, origin], dim=1).double()


def _modulo(tensor: Tensor, prime: int) -> Tensor:
    """Compute the residues of float weights, as float64."""
    mantissa, exponent = torch.frexp(tensor.double())
    kinds, place = exponent.unique(return_inverse=True)
    powers = torch.tensor([pow(2, kind - 53, prime) for kind in kinds.tolist()], dtype=torch.int64)
    return ((mantissa * 2**53).long() % prime * powers[place] % prime).double()
