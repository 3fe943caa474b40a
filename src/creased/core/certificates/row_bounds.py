"""Bound values, slopes and rounding of all rows, in all cells of a domain or in given ones.

Rounding of an evaluation is bounded by gamma times the same network with absolute weights, as in Higham,
Accuracy and Stability, section 3.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.numerics.tensors import map_tensors
from creased.core.numerics.tolerance import rounding_error
from creased.core.program.program import Program


class Bounds(NamedTuple):
    """Bounds on all rows, in all cells, on a domain."""

    rounding: Tensor  # (n_rows,): of a value
    slope: Tensor  # (n_rows,): sum of absolute derivatives
    passing: Tensor  # (n_rows,): what changes of 1 in all earlier neurons can do
    slope_rounding: Tensor  # (n_rows,): of a derivative


class Sizes(NamedTuple):
    """Bounds on absolute values of frames."""

    place: Tensor  # (k,)
    state: Tensor  # (S,)
    place_axis: Tensor  # (k,): of axes, in sum
    state_axis: Tensor  # (S,)


def rounding_rate(program: Program, n_more: int = 0) -> float:
    """Return gamma of an evaluation of a program, with these more roundings before it."""
    n_terms = sum(sum(b.affine.matrix.shape) + 4 for b in program.blocks)
    n_terms += sum(program.head.matrix.shape) + 2 * program.in_dim + 1 + n_more
    return rounding_error(torch.float64, n_terms)


def bound_rows(
    program: Program,
    walls: tuple[Tensor, Tensor],
    n_rows: int,
    sizes: Sizes,
    rate: float,
    masks: Tensor | None = None,
) -> Bounds:
    """Bound all rows, given bounds of frames.

    Args:
        program: float64.
        walls: their normals (k, M) and constants (M,).
        n_rows: of the program, from the first on.
        sizes: of frames; (n, ...) with masks.
        rate: gamma; see `rounding_rate`.
        masks: activation patterns (n, n_neurons), to bound rows in each of these cells; None: in all cells.
    """
    absolute, (normals, constants) = map_tensors(program, torch.abs), (part.abs() for part in walls)
    active = sizes.state.new_ones(program.n_neurons) if masks is None else masks
    size = absolute.preactivations_on(sizes.state, active)[..., :n_rows]
    slope = absolute.linear_part().preactivations_on(sizes.state_axis, active)[..., :n_rows]
    slopes = torch.cat([sizes.place_axis @ normals, slope], dim=-1)
    return Bounds(
        rounding=rate * torch.cat([sizes.place @ normals + constants, size], dim=-1),
        slope=slopes,
        passing=torch.cat([torch.zeros_like(constants), _passing(absolute)[:n_rows]]),
        slope_rounding=rate * slopes,
    )


def _passing(absolute: Program) -> Tensor:
    """Bound the effect on each row (n_rows,) of changes of 1 in every ReLU, given absolute weights."""
    linear, rows = absolute.linear_part(), []
    state = absolute.head.bias.new_zeros((1, absolute.in_dim))
    for block in linear.blocks:
        z = block.affine(state)
        rows.append(z[0])
        state = block.advance(state, z + 1)
    return torch.cat([*rows, linear.head(state)[0]])
