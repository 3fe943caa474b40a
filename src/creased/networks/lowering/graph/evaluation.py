"""Evaluate a module in eval mode, then restore its state; find the shape of its input by trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import fx, nn
from torch.overrides import TorchFunctionMode

from creased.networks.lowering.graph.refusals import reason_of

Output = int | str  # index or key of one of several outputs
MAX_TRIED_DIM = 16  # input dimensions that are tried, beside those of linear layers


class OutputError(ValueError):
    """An output that the module does not have, or that is to be chosen."""


class _WithoutAutocast(TorchFunctionMode):
    """Call functions in the precision of their arguments, whatever autocast the module is in or enters."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with torch._C._DisableAutocast():
            return func(*args, **(kwargs or {}))


@contextmanager
def in_eval_mode(module: nn.Module) -> Iterator[None]:
    """Put a module in eval mode, and its autocast aside, then restore all attributes of it and its parts."""
    kept = {part: dict(vars(part)) for part in module.modules()}
    module.eval()
    try:
        with _WithoutAutocast():
            yield
    finally:
        for part, attributes in kept.items():
            vars(part).clear()
            vars(part).update(attributes)


def choose_output(result: Any, output: Output | None) -> Any:
    """Return the output of a key or an index; without one the result itself, or its only entry.

    Raises:
        OutputError: there is no such output, or none is chosen of several.
    """
    if isinstance(result, torch.Tensor | fx.Proxy):
        if output is not None:
            raise OutputError(f"lower: the module has one output alone, and no output {output!r}")
        return result
    fields = getattr(result, "__dataclass_fields__", None) or getattr(result, "_fields", None)
    if fields is not None:
        result = {name: getattr(result, name) for name in fields}
    if isinstance(result, Mapping):
        entries = dict(result.items())
    elif isinstance(result, list | tuple):
        entries = dict(enumerate(result))
    else:
        raise OutputError(f"lower: the output must be a tensor, or several, got a {type(result).__name__}")
    names = list(entries)
    if isinstance(output, int) and output not in entries and 0 <= output < len(names):
        output = names[output]
    if output is None and len(names) == 1:
        output = names[0]
    if output is None or output not in entries:
        what = "choose one" if output is None else f"no output {output!r}: choose one"
        known = ", ".join(map(repr, names))
        raise OutputError(f"lower: the module has {len(names)} outputs, {what} by output=: {known}")
    return choose_output(entries[output], None)


def find_input_shape(module: nn.Module) -> tuple[int, ...]:
    """Return the only shape (D,) of one point that the module accepts, or (1, D) if it takes sets of points.

    If D = 1 is accepted beside another D, it is by broadcasting, and the other is returned.

    Raises:
        ValueError: the module accepts no D that is tried, or several.
    """
    in_features = {part.in_features for part in module.modules() if isinstance(part, nn.Linear)}
    sizes = sorted({*range(1, MAX_TRIED_DIM + 1), *in_features})
    errors: dict[int, str] = {size: error for size in sizes if (error := evaluation_error(module, (size,)))}
    accepted = [size for size in sizes if size not in errors]
    if not accepted:
        in_sets = [size for size in sizes if not evaluation_error(module, (1, size))]
        if len(in_sets) == 1:
            return (1, in_sets[0])
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
        return reason_of(error)
    if isinstance(out, torch.Tensor) and (out.ndim == 0 or out.shape[0] != 2):
        return f"its output for a batch of 2 points has shape {tuple(out.shape)}"
    return ""


def uses_unsupported(module: nn.Module, shape: tuple[int, ...]) -> str:
    """Return the name of a function that the module calls and that samples grids; empty if there is none.

    Where points become the grid, their layout is refused before the function is met.
    """

    class Watch(TorchFunctionMode):
        called = ""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = getattr(func, "__name__", "")
            if name.startswith("grid_sample"):
                self.called = name
            return func(*args, **(kwargs or {}))

    with Watch() as watch:
        evaluation_error(module, shape)
    return watch.called


def weight_options(module: nn.Module) -> dict[str, Any]:
    """Return dtype and device of a module's first floating tensor; torch's defaults if it has none."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            return {"dtype": tensor.dtype, "device": tensor.device}
    return {"dtype": torch.get_default_dtype(), "device": torch.device("cpu")}
