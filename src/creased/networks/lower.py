"""From a torch module to a `Program`, the canonical form that the engine knows.

The program holds the module's own weights, so it is differentiable in them. What is not piecewise affine is
refused by name, with the nearest thing that is. Before a program is returned it is compared with the module
on random points.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from creased.core.program import Affine, Block, Program
from creased.core.tolerance import get_epsilon

N_CHECKED = 64  # random points on which the program is compared with its module

PASSED_OVER = (nn.Identity, nn.Dropout, nn.AlphaDropout)  # the identity in eval mode

NEAREST = {
    "GELU": "ReLU",
    "SiLU": "ReLU",
    "Mish": "ReLU",
    "ELU": "LeakyReLU",
    "CELU": "LeakyReLU",
    "SELU": "LeakyReLU",
    "Softplus": "ReLU",
    "Sigmoid": "ReLU",
    "Tanh": "ReLU",
    "Softmax": "no activation: the boundaries between classes are those of the logits",
    "LayerNorm": "no normalisation",
}


class UnsupportedModuleError(TypeError):
    """A module, or part of one, that `lower` cannot write as a program."""


def lower(module: nn.Module, *, check: bool = True) -> Program:
    """Write a network as a program of (affine, ReLU, passthrough) blocks.

    Supported: nested `nn.Sequential` (`MLP` is one) of `Linear`, `ReLU`, `LeakyReLU`, and of `Identity` and
    dropout, which are passed over as in eval mode. The program lives on the module's device, in its dtype,
    and shares its weights.

    Args:
        module: the network.
        check: look for NaN and compare the program with the module. Leave it out only where the same module
            was lowered before, as in a training step.

    Raises:
        UnsupportedModuleError: a part is not supported; the message names it, its place and the nearest
            supported one.
        ValueError: the weights hold NaN or infinity, the sizes of layers do not fit, or the program does
            not agree with the module.
    """
    head: Affine | None = None
    blocks: list[Block] = []
    for place, part in _flatten(module, type(module).__name__):
        if isinstance(part, nn.Linear):
            if check:
                _require_finite(part, place)
            head = _compose(head, _affine_of(part), place)
        elif isinstance(part, nn.ReLU | nn.LeakyReLU):
            if head is None:
                raise UnsupportedModuleError(f"lower: {place} has no Linear before it")
            blocks.append(_block_of(head, getattr(part, "negative_slope", 0.0)))
            head = None
        else:
            raise UnsupportedModuleError(_refusal(part, place))
    if head is None:
        raise UnsupportedModuleError(f"lower: {type(module).__name__} must end with a Linear")
    program = Program(tuple(blocks), head)
    if check:
        _compare(program, module)
    return program


def _flatten(module: nn.Module, place: str) -> Iterator[tuple[str, nn.Module]]:
    """The parts of nested Sequentials in order, each with its place in words."""
    if isinstance(module, nn.Sequential):
        for index, child in enumerate(module):  # not named_children, which leaves out what is used twice
            yield from _flatten(child, f"{place}[{index}]")
    elif not isinstance(module, PASSED_OVER):
        yield f"{place} ({type(module).__name__})", module


def _require_finite(linear: nn.Linear, place: str) -> None:
    for name, weights in linear.named_parameters():
        if not bool(torch.isfinite(weights).all()):
            raise ValueError(f"lower: {name} of {place} holds NaN or infinity")


def _affine_of(linear: nn.Linear) -> Affine:
    bias = linear.bias if linear.bias is not None else linear.weight.new_zeros(linear.out_features)
    return Affine(linear.weight, bias)


def _compose(first: Affine | None, second: Affine, place: str) -> Affine:
    """Two linear layers with nothing between them are one."""
    if first is None:
        return second
    if first.bias.shape[0] != second.weight.shape[1]:
        raise ValueError(
            f"lower: {place} takes {second.weight.shape[1]} inputs, but gets {first.bias.shape[0]}"
        )
    return Affine(second.weight @ first.weight, second(first.bias))


def _block_of(affine: Affine, slope: float) -> Block:
    """A layer with activation max(z, slope z) = (1 - slope) relu(z) + slope z."""
    if slope == 0:
        return Block(affine)
    scaled = torch.eye(affine.bias.shape[0], dtype=affine.bias.dtype, device=affine.bias.device)
    return Block(affine, (1 - slope) * scaled, slope * affine.weight, slope * affine.bias)


def _refusal(part: nn.Module, place: str) -> str:
    name = type(part).__name__
    nearest = NEAREST.get(name)
    reason = (
        f"{name} is not piecewise affine; the nearest supported is {nearest}"
        if nearest
        else (f"{name} is not supported; give an nn.Sequential of Linear, ReLU and LeakyReLU layers")
    )
    return f"lower: {place}: {reason}"


@torch.no_grad()
def _compare(program: Program, module: nn.Module) -> None:
    """Compare program and module, in eval mode, on random points."""
    generator = torch.Generator().manual_seed(0)
    points = torch.randn((N_CHECKED, program.in_dim), generator=generator, dtype=program.dtype)
    points = points.to(program.device)
    modes = {part: part.training for part in module.modules()}
    try:
        expected: Tensor = module.eval()(points)
    except RuntimeError as error:
        raise ValueError(f"lower: the module cannot be evaluated: {error}") from error
    finally:
        for part, is_training in modes.items():
            part.training = is_training
    found = program(points)
    tolerance = get_epsilon(program.dtype) * (1 + float(expected.abs().max()))
    if found.shape != expected.shape or float((found - expected).abs().max()) > tolerance:
        raise ValueError("lower: the program does not agree with the module on random points")
