"""The shape of the points that a module takes, where it is not given: found by trying."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from creased.networks.lowering.graph.eval_mode import in_eval_mode

MOST = 16  # input dimensions that are tried, beside those that linear layers take


def find_input_shape(module: nn.Module) -> tuple[int, ...]:
    """The one dimension (D,) of points that the module takes.

    Where points of one dimension would be broadcast to the others that it takes, it is the other.

    Raises:
        ValueError: it takes none, or several.
    """
    in_features = {part.in_features for part in module.modules() if isinstance(part, nn.Linear)}
    sizes = sorted({*range(1, MOST + 1), *in_features})
    errors: dict[int, str] = {size: error for size in sizes if (error := why_not(module, (size,)))}
    taken = [size for size in sizes if size not in errors]
    if len(taken) > 1 and taken[0] == 1:
        taken = taken[1:]
    if len(taken) == 1:
        return (taken[0],)
    name = type(module).__name__
    if taken:
        raise ValueError(f"lower: {name} takes points of any size; say which, as in input_shape=(3,)")
    tried = min(in_features, default=3)
    raise ValueError(
        f"lower: the module cannot be evaluated on points of D = 1..{MOST} numbers; if they have another "
        f"shape, say so, as in input_shape=(1, 28, 28). For D = {tried}, {name} says: {errors[tried]}"
    )


@torch.no_grad()
def why_not(module: nn.Module, shape: tuple[int, ...]) -> str:
    """What a module says of points of a shape; nothing if it takes them."""
    points = torch.zeros((2, *shape), **weights_of(module))
    try:
        with in_eval_mode(module):
            out = module(points)
    except Exception as error:  # a module may raise anything
        return str(error).strip().split("\n")[0] or type(error).__name__
    if isinstance(out, torch.Tensor) and (out.ndim == 0 or out.shape[0] != 2):
        return f"its output for a batch of 2 points has shape {tuple(out.shape)}"
    return ""


def weights_of(module: nn.Module) -> dict[str, Any]:
    """The type and the device of a module's weights; torch's own defaults if it has none."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            return {"dtype": tensor.dtype, "device": tensor.device}
    return {"dtype": torch.get_default_dtype(), "device": torch.device("cpu")}
