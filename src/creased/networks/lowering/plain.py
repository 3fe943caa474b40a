"""Lower nested Sequentials of Linear, ReLU and LeakyReLU without a trace, as in every step of training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import nn

from creased.core.program.program import Affine, Block, Program
from creased.networks.models.grid_mlp import GridMLP

IDENTITIES = (nn.Identity, nn.Dropout, nn.AlphaDropout)  # in eval mode


def lower_plain(module: nn.Module) -> Program | None:
    """Return the program of nested Sequentials of Linear, ReLU and LeakyReLU, or of a GridMLP; else None.

    Raises:
        ValueError: consecutive Linear layers have different sizes.
    """
    if type(module) is GridMLP:
        inner = lower_plain(module.mlp)
        return None if inner is None else replace(inner, grid=module.grid.grid())
    head: Affine | None = None
    blocks: list[Block] = []
    for part in _flatten(module):
        if type(part) is nn.Linear and not (part._forward_pre_hooks or part._forward_hooks):
            head = _compose(head, _affine_of(part))
        elif type(part) in (nn.ReLU, nn.LeakyReLU) and head is not None:
            blocks.append(_block_of(head, getattr(part, "negative_slope", 0.0)))
            head = None
        else:
            return None
    return None if head is None else Program(tuple(blocks), head)


def _flatten(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the parts of nested Sequentials in order."""
    if type(module).forward is nn.Sequential.forward:
        for child in module._modules.values():  # children() would skip a module used twice
            assert child is not None
            yield from _flatten(child)
    elif type(module) not in IDENTITIES:
        yield module


def _affine_of(linear: nn.Linear) -> Affine:
    bias = linear.bias if linear.bias is not None else linear.weight.new_zeros(linear.out_features)
    return Affine(linear.weight, bias)


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
