"""Lower nested Sequentials of Linear, ReLU and LeakyReLU without a trace, as in every step of training."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from creased.core.numerics.tolerance import is_power_of_two
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program
from creased.networks.models.grid_mlp import GridMLP

IDENTITIES = (nn.Identity, nn.Dropout, nn.AlphaDropout)  # in eval mode


def lower_plain(module: nn.Module, dtype: torch.dtype | None = None) -> Program | None:
    """Return the program of nested Sequentials of Linear, ReLU and LeakyReLU, or of a GridMLP; else None.

    Args:
        module: the network.
        dtype: floating type of the program; None for the module's own.

    Raises:
        ValueError: consecutive Linear layers have different sizes.
    """
    if type(module) is GridMLP:
        inner = lower_plain(module.mlp, dtype)
        return None if inner is None else inner.on_grid(module.grid.grid())
    head: Affine | None = None
    own: Affine | None = None  # the last factor of the head
    blocks: list[Block] = []
    unfolded: list[Block] = []
    for part in _flatten(module):
        if type(part) is nn.Linear and not (part._forward_pre_hooks or part._forward_hooks):
            if own is not None:
                unfolded.append(Block.without_neurons(own))
            own = _affine_of(part, dtype)
            head = _compose(head, own)
        elif type(part) in (nn.ReLU, nn.LeakyReLU) and head is not None and own is not None:
            slope = getattr(part, "negative_slope", 0.0)
            blocks.append(_block_of(head, slope))
            unfolded += _unfolded_blocks(own, slope)
            head = own = None
        else:
            return None
    if head is None or own is None:
        return None
    if len(unfolded) == len(blocks):
        return Program(tuple(blocks), head)
    return Program(tuple(blocks), head).with_unfolded(Program(tuple(unfolded), own))


def _flatten(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the parts of nested Sequentials in order."""
    if type(module).forward is nn.Sequential.forward:
        for child in module._modules.values():  # children() would skip a module used twice
            assert child is not None
            yield from _flatten(child)
    elif type(module) not in IDENTITIES:
        yield module


def _affine_of(linear: nn.Linear, dtype: torch.dtype | None) -> Affine:
    bias = linear.bias if linear.bias is not None else linear.weight.new_zeros(linear.out_features)
    return Affine(linear.weight.to(dtype), bias.to(dtype))


def _compose(first: Affine | None, second: Affine) -> Affine:
    """Compose two consecutive linear layers."""
    if first is None:
        return second
    if first.bias.shape[0] != second.weight.shape[1]:
        raise ValueError(
            f"lower: a Linear takes {second.weight.shape[1]} inputs, but gets {first.bias.shape[0]}"
        )
    return Affine(second.weight @ first.weight, second(first.bias))


def _block_of(affine: Affine, slope: float) -> Block:
    """Write a layer with activation leaky(z) = (1 - slope) relu(z) + slope z."""
    if slope == 0:
        return Block(affine)
    identity = torch.eye(affine.bias.shape[0], dtype=affine.bias.dtype, device=affine.bias.device)
    return Block(affine, (1 - slope) * identity, slope * affine.weight, slope * affine.bias)


def _unfolded_blocks(affine: Affine, slope: float) -> list[Block]:
    """Write a layer with leaky(z) = relu(z) + slope min(z, 0), with both as a state where products round."""
    if slope == 0 or is_power_of_two(slope):
        return [_block_of(affine, slope)]
    weight, bias = affine.weight, affine.bias
    identity = torch.eye(bias.shape[0], dtype=bias.dtype, device=bias.device)
    skip, shift = torch.cat([torch.zeros_like(weight), weight]), torch.cat([torch.zeros_like(bias), bias])
    both = Block(affine, torch.cat([identity, -identity]), skip, shift)
    summed = Affine(torch.cat([identity, slope * identity], dim=1), torch.zeros_like(bias))
    return [both, Block.without_neurons(summed)]
