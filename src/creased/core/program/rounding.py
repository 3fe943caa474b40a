"""Values that are no more than rounding noise about zero are made exact zeros, all of which count as +.

Without that, noise would give the vertices of one face signs at random where creases coincide, and tear it.
Candidates are found by a bound that is the same for all values of a neuron; only for them the noise of the
sum itself is estimated, so that networks in general position pay a comparison a value.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.numerics.tensors import map_tensors
from creased.core.numerics.tolerance import rounding_error
from creased.core.program.program import Affine, Block, Program


def snap_sums(z: Tensor, affine: Affine, inputs: Tensor, inherited: Tensor | None = None) -> None:
    """Set to zero the values (V, N) that are no more than rounding noise of the sums they come from.

    Args:
        z: the values, changed in place.
        affine: how they are summed.
        inputs: from what, (V, S).
        inherited: the noise (S,) that the inputs have already, see `inherited_noise`.
    """
    if z.numel() == 0:
        return
    noise_of = rounding_error(z.dtype, inputs.shape[1])
    weight, bias = affine.weight.abs(), affine.bias.abs()
    least = torch.zeros_like(bias) if inherited is None else weight @ inherited
    most = noise_of * (weight @ inputs.abs().amax(0) + bias) + least
    row, neuron = (z.abs() <= most).nonzero(as_tuple=True)
    if row.numel():
        noise = noise_of * ((inputs[row].abs() * weight[neuron]).sum(1) + bias[neuron]) + least[neuron]
        is_noise = z[row, neuron].abs() <= noise
        z[row[is_noise], neuron[is_noise]] = 0


def advance_snapped(
    block: Block, state: Tensor, activation: Tensor, inherited: Tensor | None = None
) -> Tensor:
    """The next state (V, S') from the state (V, S) and relu(z) (V, N), where sums that cancel are zero."""
    following = block.advance(state, activation)
    if block.has_passthrough:
        if inherited is not None:
            inherited = torch.nn.functional.pad(inherited, (block.n_neurons, 0))
        snap_sums(following, block.output_map(), torch.cat([activation, state], dim=1), inherited)
    return following


def inherited_noise(program: Program, vertices: Tensor) -> list[Tensor | None]:
    """The rounding noise (S,) of the state of each block, and of the last one, as far as it was passed on.

    What a neuron gives is zero on its crease without any noise. What passes it by is interpolated at each new
    vertex, and keeps an error that is relative to how large it gets in the domain, not to what it is there.

    Args:
        program: what cuts the domain.
        vertices: those of the domain (V, D); between them sizes are looked at too.
    """
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
    """All rows (V, n_neurons + O) at points (V, D), with zeros for what may be rounding from the input on.

    Errors are carried along: an affine map takes an error e to |W| e and adds that of its own sum (Higham
    2002, section 3.1). So rows that cancel to zero on a whole cell are zero there, however small the points.
    """
    absolute = map_tensors(program, torch.abs)
    state, error, rows = points, torch.zeros_like(points), []
    for block, sizes in zip(
        (*program.blocks, Block(program.head)), (*absolute.blocks, Block(absolute.head)), strict=True
    ):
        z = block.affine(state)
        noise_of = rounding_error(z.dtype, state.shape[1])
        lost = sizes.affine.linear_part()(error) + noise_of * sizes.affine(state.abs())
        z = torch.where(z.abs() > lost, z, 0)
        rows.append(z)
        hidden = z.relu()
        noise_of = rounding_error(z.dtype, state.shape[1] + z.shape[1])
        error = sizes.linear_part().advance(error, lost) + noise_of * sizes.advance(state.abs(), hidden)
        state = block.advance(state, hidden)
    return torch.cat(rows, dim=1)
