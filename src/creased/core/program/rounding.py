"""Snap values within the rounding error to zero; exact zeros count as +.

Otherwise, where creases coincide, rounding would give the vertices of one face random signs and leave it
inconsistent. Candidates are found by one bound a neuron; only for them is the rounding error of the sum
itself estimated, so that networks in general position pay one comparison a value.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.numerics.memory import selection_pays
from creased.core.numerics.sparse import rows_of
from creased.core.numerics.tensors import map_tensors
from creased.core.numerics.tolerance import rounding_error
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program

SAMPLED = 256  # vertices of a domain between which sizes are sampled


def snap_sums(z: Tensor, affine: Affine, inputs: Tensor, inherited: Tensor | None = None) -> None:
    """Set values (V, N) to zero in place where they are within the rounding error of their sums.

    Args:
        z: the values ``affine(inputs)``.
        affine: the map that they were computed by.
        inputs: its arguments, (V, S).
        inherited: the error (S,) of the inputs, see `inherited_noise`.
    """
    if z.numel() == 0:
        return
    noise_of = rounding_error(z.dtype, inputs.shape[1])
    weight, bias = affine.matrix.abs(), affine.bias.abs()
    least = torch.zeros_like(bias) if inherited is None else weight @ inherited
    most = noise_of * (weight @ torch.maximum(inputs.amax(0), -inputs.amin(0)) + bias) + least
    row, neuron = (z.abs() <= most).nonzero(as_tuple=True)
    if row.numel():
        noise = (
            noise_of * ((inputs[row].abs() * rows_of(weight, neuron)).sum(1) + bias[neuron]) + least[neuron]
        )
        is_noise = z[row, neuron].abs() <= noise
        z[row[is_noise], neuron[is_noise]] = 0


def advance_snapped(
    block: Block, state: Tensor, activation: Tensor, inherited: Tensor | None = None
) -> Tensor:
    """Compute the next state (V, S') from the state (V, S) and relu(z) (V, N), with its sums snapped."""
    following = block.advance(state, activation)
    if block.has_passthrough:
        if inherited is not None:
            inherited = torch.nn.functional.pad(inherited, (block.n_neurons, 0))
        snap_sums(following, block.output_map(), torch.cat([activation, state], dim=1), inherited)
    return following


def inherited_noise(program: Program, vertices: Tensor) -> list[Tensor | None]:
    """Bound the rounding error (S,) that each block's state, and the last one, inherits by passthrough.

    On its crease a neuron is exactly zero. A state that is passed through is interpolated at each new vertex,
    with an error relative to its largest value in the domain.

    Args:
        program: that cuts the domain.
        vertices: of the domain (V, D); sizes are sampled at them and at the midpoints between them, of some
            of them where there are many.
    """
    if not any(block.has_passthrough for block in program.blocks):
        return [None] * (len(program.blocks) + 1)
    vertices = vertices[:: -(-vertices.shape[0] // SAMPLED)]
    state = ((vertices[:, None] + vertices) / 2).flatten(0, 1)
    noise: list[Tensor | None] = [None]
    for block in program.blocks:
        before, after = noise[-1], None
        if block.has_passthrough:
            fresh = rounding_error(state.dtype, 1) * state.abs().amax(0)
            _, skip, _ = block.output_matrices()
            after = skip.abs() @ (fresh if before is None else before + fresh)
        noise.append(after)
        state = block.advance(state, block.affine(state).relu())
    return noise


def snapped_preactivations(program: Program, points: Tensor) -> Tensor:
    """Evaluate all neurons (V, n_neurons) at points (V, D), snapped by the accumulated error.

    An affine map takes an error e to |W| e and adds that of its own sum (Higham 2002, section 3.1). So rows
    that vanish on a whole cell are zero there, however small the points.
    """
    if not (points.shape[0] and selection_pays(points.device)):
        return _snapped(program, points)
    n, size = program.n_neurons, points.abs().amax(0)
    rows, most = program.preactivations(points)[:, :n], torch.cat(errors_on_cells(program, size))[:n]
    in_doubt = (rows.abs() <= most).any(1).nonzero()[:, 0]
    return rows.index_copy(0, in_doubt, _snapped(program, points[in_doubt]))


def _snapped(program: Program, points: Tensor) -> Tensor:
    absolute = map_tensors(program, torch.abs)
    state, error, rows = points, torch.zeros_like(points), [points[:, :0]]
    for block, sizes in zip(program.blocks, absolute.blocks, strict=True):
        z = block.affine(state)
        noise_of = rounding_error(z.dtype, state.shape[1])
        error_of_z = sizes.affine.linear_part()(error) + noise_of * sizes.affine(state.abs())
        z = torch.where(z.abs() > error_of_z, z, 0)
        rows.append(z)
        hidden = z.relu()
        noise_of = rounding_error(z.dtype, state.shape[1] + z.shape[1])
        error = sizes.linear_part().advance(error, error_of_z) + noise_of * sizes.advance(state.abs(), hidden)
        state = block.advance(state, hidden)
    return torch.cat(rows, dim=1)


def error_on_cells(program: Program, size: Tensor) -> Tensor:
    """Bound the error (O,) of outputs interpolated between corners of a cell; see `errors_on_cells`."""
    return errors_on_cells(program, size)[-1]


def errors_on_cells(program: Program, size: Tensor) -> list[Tensor]:
    """Bound the errors (N,) of each block, and of outputs, between corners of a cell where all signs agree.

    The error of a neuron may hide that its sign changes on the cell; then its ReLU is off by as much again.

    Args:
        program: without a grid.
        size: bound (S,) on the absolute values of the first state.
    """
    absolute = map_tensors(program, torch.abs)
    state, error, errors = size, rounding_error(size.dtype, 1) * size, []
    for block in (*absolute.blocks, Block(absolute.head)):
        z = block.affine(state)
        error_of_z = block.affine.linear_part()(error) + rounding_error(z.dtype, len(state)) * z
        errors.append(error_of_z)
        following = block.advance(state, z)
        noise_of = rounding_error(z.dtype, len(state) + len(z))
        error = block.linear_part().advance(error, 2 * error_of_z) + noise_of * following
        state = following
    return [*errors[:-1], error]
