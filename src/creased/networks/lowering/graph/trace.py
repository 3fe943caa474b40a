"""Runs a module on stand-ins of its input, and records on a tape what it does with them.

Built on `torch.fx`: its tracer lets modules, parameters, operators and torch functions be seen. Modules are
looked into down to functions, so that one table of functions covers them all, with their hooks and
parametrizations. Other than in `torch.fx`, shapes are known while a module is traced, and may decide what it
does.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn

from creased.networks.lowering.graph.eval_mode import in_eval_mode
from creased.networks.lowering.graph.proxy import Proxy
from creased.networks.lowering.graph.refusals import (
    Refusal,
    UnsupportedModuleError,
    is_known,
    reason_against,
    spell,
)
from creased.networks.lowering.graph.slots import BATCH, BatchSize, Slot, fill, find_slots
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.tensor_layout import ARRANGEMENT, AS_THEY_STAND, RENAMED
from creased.networks.lowering.operators.arithmetic import ARITHMETIC
from creased.networks.lowering.operators.extremes import EXTREMES, Extremes
from creased.networks.lowering.operators.layers import LAYERS
from creased.networks.lowering.operators.piecewise import PIECEWISE
from creased.networks.lowering.operators.pooling import POOLING
from creased.networks.lowering.operators.sorting import SORTING

OPERATIONS = ARITHMETIC | ARRANGEMENT | LAYERS | PIECEWISE | EXTREMES | POOLING | SORTING
OURS = str(Path(__file__).parents[1])
TORCHS = str(Path(torch.__file__).parent)


class Recorder(fx.Tracer):
    """A tracer that writes on a tape, not in a graph."""

    def __init__(self, tape: Tape, module: nn.Module) -> None:
        super().__init__()
        self.tape = tape
        tensors = (*module.named_parameters(), *module.named_buffers())
        self._names = {id(tensor): name for name, tensor in tensors}

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """None is: even torch's own are looked into."""
        return False

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Trace through a module, if its very name does not say that it is not supported."""
        assert self.submodule_paths is not None
        if m not in self.submodule_paths:  # made on the fly
            return forward(*args, **kwargs)
        return super().call_module(m, partial(_unless_known, m, forward), args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """Let a module see what stands for its own tensors."""
        return self._seen(attr_val) if id(attr_val) in self._names else attr_val

    def _seen(self, tensor: Tensor) -> Proxy:
        name = self._names[id(tensor)]
        return Proxy(self.tape.tensor(name, tensor), self)

    def create_proxy(self, kind: str, target: Any, args: Any, kwargs: Any, *_: Any, **__: Any) -> Any:
        """Do an operation on the tape."""
        if kind == "placeholder":
            return None
        slots, options = self._unwrap(args), dict(self._unwrap(kwargs))
        if "input" in options:
            slots = (options.pop("input"), *slots)
        result = self._wrap(self._operate(target, slots, options))
        if _is_in_place(target, kwargs) and isinstance(args[0], Proxy):
            args[0].slot = result.slot
        return result

    def _operate(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if all(slot.is_constant for slot in find_slots((args, kwargs))):
            return _on_constants(self.tape, target, args, kwargs)
        if target is getattr:
            raise Refusal(f"its attribute {args[1]} is not supported")
        name = _name_of(target)
        if name in AS_THEY_STAND:
            return self.tape.apply(_function_of(target, name), *args, **kwargs)
        if name not in OPERATIONS:
            raise Refusal(reason_against(name))
        return OPERATIONS[name](self.tape, *args, **kwargs)

    def _unwrap(self, structure: Any) -> Any:
        """Arguments with slots for what stands for tensors, and for tensors."""
        if isinstance(structure, fx.proxy.Attribute):
            return self.create_proxy("call_function", getattr, (structure.root, structure.attr), {}).slot
        if isinstance(structure, Proxy):
            return structure.slot
        if isinstance(structure, Tensor):
            is_own = id(structure) in self._names
            return self._seen(structure).slot if is_own else self.tape.literal(structure)
        if isinstance(structure, list | tuple):
            return (list if isinstance(structure, list) else tuple)(self._unwrap(part) for part in structure)
        if isinstance(structure, dict):
            return {name: self._unwrap(part) for name, part in structure.items()}
        if isinstance(structure, slice):
            return slice(*self._unwrap((structure.start, structure.stop, structure.step)))
        return structure

    def _wrap(self, result: Any) -> Any:
        if isinstance(result, Slot):
            return Proxy(result, self)
        if isinstance(result, Extremes):
            return Extremes(self._wrap(result.values))
        if isinstance(result, tuple):
            return tuple(self._wrap(part) for part in result)
        return result

    def place(self, error: Exception) -> str:
        """Where in the module an error was raised: the innermost module called, and a line of its code."""
        path, kind = next(reversed(self.module_stack.values()), ("", type(self.root)))
        root = type(self.root.module).__name__
        line = "" if kind.__module__.startswith("torch.nn") else _line(error)
        return f"{spell(root, path.partition('.')[2])} ({kind.__name__}){line}"


def _unless_known(module: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if is_known(module):
        raise Refusal(reason_against(type(module).__name__))
    return forward(*args, **kwargs)


def _on_constants(tape: Tape, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Any function of what does not depend on the input; what is no tensor is known once for all."""
    function = target if callable(target) else getattr(torch.Tensor, target)
    if _is_in_place(target, {}):
        function = getattr(torch.Tensor, _name_of(target))
    samples = fill((args, kwargs), lambda slot: slot.sample, 1)
    with torch.no_grad():
        result = function(*samples[0], **samples[1])
    parts = result if isinstance(result, tuple) and result else (result,)
    if not all(isinstance(part, Tensor) for part in parts):
        return result
    return tape.apply(function, *args, **kwargs)


def _name_of(target: Any) -> str:
    """One name for a function, a method and an operator that do the same."""
    name: str = target if isinstance(target, str) else target.__name__
    return name.strip("_")


def _function_of(target: Any, name: str) -> Callable[..., Any]:
    """What to apply to columns; nothing is done in place."""
    if name in RENAMED:
        return RENAMED[name]
    if isinstance(target, str):
        return getattr(torch.Tensor, name)
    function: Callable[..., Any] = getattr(torch.Tensor, name) if target.__name__.endswith("_") else target
    return function


def _is_in_place(target: Any, kwargs: dict[str, Any]) -> bool:
    name: str = target if isinstance(target, str) else target.__name__
    return kwargs.get("inplace") is True or (name.endswith("_") and not name.endswith("__"))


def _line(error: Exception) -> str:
    """The last line of the user's own code on the way to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith((OURS, TORCHS, "<"))]
    return f", line {own[-1].lineno} of {Path(own[-1].filename).name}" if own else ""


class _Root(nn.Module):
    """Calls a module on flattened points, and notes the result."""

    def __init__(self, module: nn.Module, points: Any) -> None:
        super().__init__()
        self.module, self.points, self.result = module, points, None

    def forward(self) -> None:
        self.result = self.module(self.points)


def trace(module: nn.Module, shape: tuple[int, ...], tape: Tape) -> Slot:
    """Record a module, in eval mode, on points of a shape; its flattened output (n, O).

    Raises:
        UnsupportedModuleError: an operation is not supported; the message says which, and where.
    """
    recorder = Recorder(tape, module)
    points = tape.start(math.prod(shape))
    if len(shape) != 1:
        points = tape.apply(torch.Tensor.reshape, points, (-1, *shape))
    root = _Root(module, Proxy(points, recorder))
    try:
        with in_eval_mode(module):
            recorder.trace(root)
            return _flattened(tape, root.result)
    except UnsupportedModuleError:
        raise
    except Exception as error:
        reason = str(error) if isinstance(error, Refusal) else f"can't be traced: {error}"
        raise UnsupportedModuleError(f"lower: {recorder.place(error)}: {reason}") from error


def _flattened(tape: Tape, result: Any) -> Slot:
    if not isinstance(result, Proxy):
        raise Refusal(f"the output must be one tensor, got a {type(result).__name__}")
    if result.slot.is_constant:
        raise Refusal("the output does not depend on the input")
    if len(result.shape) == 2:
        return result.slot
    flat: Slot = tape.apply(torch.Tensor.reshape, result.slot, (BatchSize(BATCH), -1))
    return flat
