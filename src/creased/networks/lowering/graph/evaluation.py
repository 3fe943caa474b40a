"""Evaluate a module in eval mode, then restore its state; find the shape of its input by trial."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

MAX_TRIED_DIM = 16  # input dimensions that are tried, beside those of linear layers


@contextmanager
def in_eval_mode(module: nn.Module) -> Iterator[None]:
    """Put a module in eval mode, then restore all attributes of it and its parts."""
    kept = {part: dict(vars(part)) for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, attributes in kept.items():
            vars(part).clear()
            vars(part).update(attributes)


def find_input_shape(module: nn.Module) -> tuple[int, ...]:
    """Return the only shape (D,) of one point that the module accepts.

    If D = 1 is accepted beside another D, it is by broadcasting, and the other is returned.

    Raises:
        ValueError: the module accepts no D that is tried, or several.
    """
    in_features = {part.in_features for part in module.modules() if isinstance(part, nn.Linear)}
    sizes = sorted({*range(1, MAX_TRIED_DIM + 1), *in_features})
    errors: dict[int, str] = {size: error for size in sizes if (error := evaluation_error(module, (size,)))}
    accepted = [size for size in sizes if size not in errors]
    if len(accepted) > 1 and accepted[0] == 1:
        accepted = accepted[1:]
    if len(accepted) == 1:
        return (accepted[0],)
    name = type(module).__name__
    if accepted:
        raise ValueError(f"lower: {name} accepts points of any size; give one, such as input_shape=(3,)")
    tried = min(in_features, default=3)
    raise ValueError(
        f"lower: the module cannot be evaluated on points of D = 1..{MAX_TRIED_DIM} numbers; if they have "
        f"another shape, give it, such as input_shape=(1, 28, 28). For D = {tried}, {name} says: "
        f"{errors[tried]}"
    )


@torch.no_grad()
def evaluation_error(module: nn.Module, shape: tuple[int, ...]) -> str:
    """Return the first line of the error that a module raises on points of a shape; empty if none."""
    points = torch.zeros((2, *shape), **weight_options(module))
    try:
        with in_eval_mode(module):
            out = module(points)
    except Exception as error:  # a module may raise anything
        return str(error).strip().split("\n")[0] or type(error).__name__
    if isinstance(out, torch.Tensor) and (out.ndim == 0 or out.shape[0] != 2):
        return f"its output for a batch of 2 points has shape {tuple(out.shape)}"
    return ""


def weight_options(module: nn.Module) -> dict[str, Any]:
    """Return dtype and device of a module's first floating tensor; torch's defaults if it has none."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            return {"dtype": tensor.dtype, "device": tensor.device}
    return {"dtype": torch.get_default_dtype(), "device": torch.device("cpu")}
