"""Record the operations of a module on a tape while it runs on proxies.

Built on `torch.fx`, whose tracer intercepts modules, parameters, operators and torch functions. Modules are
traced down to functions, so that one table of functions covers them all, with hooks and parametrizations.
Unlike in `torch.fx`, shapes are known during the trace, and control flow may depend on them.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.node import map_aggregate

from creased.networks.lowering.graph.refusals import (
    Refusal,
    is_refused_by_name,
    place_of,
    unsupported_reason,
)
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import Value, find_values, substitute
from creased.networks.lowering.operators.arithmetic import ARITHMETIC
from creased.networks.lowering.operators.behind import (
    Mapped,
    is_monotone,
    record_behind,
    record_last,
)
from creased.networks.lowering.operators.extremes import EXTREMES, Extremes
from creased.networks.lowering.operators.layers import LAYERS
from creased.networks.lowering.operators.piecewise import PIECEWISE
from creased.networks.lowering.operators.pooling import POOLING
from creased.networks.lowering.operators.sorting import SORTING
from creased.networks.lowering.operators.stacked import Stacked, is_put_in_front, put_in_front, record_stacked
from creased.networks.lowering.operators.switches import SWITCHES, Switch, Undecided, record_switched
from creased.networks.lowering.operators.tensor_layout import COLUMN_FUNCTIONS, LINEAR, TENSOR_LAYOUT
from creased.networks.lowering.proxy import Proxy
from creased.networks.models.grid_mlp import GridFeatures, grids_of

OPERATIONS = SWITCHES | ARITHMETIC | TENSOR_LAYOUT | LAYERS | PIECEWISE | EXTREMES | POOLING | SORTING
LOWERING_PATH = str(Path(__file__).parent)
TORCH_PATH = str(Path(torch.__file__).parent)


class Recorder(fx.Tracer):
    """An fx tracer that records on a tape in place of an fx graph."""

    def __init__(self, tape: Tape, module: nn.Module) -> None:
        super().__init__()
        self.tape = tape
        tensors = (*module.named_parameters(), *module.named_buffers())
        self._names = {id(tensor): name for name, tensor in tensors}
        self._thread = threading.get_ident()
        self._grids = grids_of(module)
        self._points: Value | None = None  # the input, where features of grids stand behind it
        self._features: dict[nn.Module, Value] = {}

    def record_points(self, dim: int) -> Value:
        """Record the points; behind them, in the input of the tape, stand the features of all grids."""
        widths = [grid.grid().width - dim for grid in self._grids]
        state = self.tape.record_input(dim + sum(widths))
        if not widths:
            return state
        parts = self.tape.apply(torch.Tensor.split, state, [dim, *widths], dim=1)
        self._points = parts[0]
        self._features = dict(zip(self._grids, parts[1:], strict=True))
        return self._points

    def _encoded(self, grid: GridFeatures, points: Any) -> Proxy:
        if not isinstance(points, Proxy) or points.value is not self._points:
            raise Refusal("features of a grid must be taken at the input of the whole network")
        return Proxy(self.tape.apply(torch.cat, [self._points, self._features[grid]], dim=1), self)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """False: all modules are traced into, torch's own included."""
        return False

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Trace into a module, unless it is refused by name; what other threads call is only called."""
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        assert self.submodule_paths is not None
        if isinstance(m, GridFeatures):
            return self._encoded(m, *args)
        if m not in self.submodule_paths:  # made inside of forward
            return forward(*args, **kwargs)
        return super().call_module(m, partial(_unless_refused, m, forward), args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """Return proxies for the tensors of the module, in the thread that traces."""
        is_traced = id(attr_val) in self._names and threading.get_ident() == self._thread
        return self._proxy_of(attr_val) if is_traced else attr_val

    def _proxy_of(self, tensor: Tensor) -> Proxy:
        return Proxy(self.tape.tensor(self._names[id(tensor)], tensor), self)

    def create_proxy(self, kind: str, target: Any, args: Any, kwargs: Any, *_: Any, **__: Any) -> Any:
        """Record an operation on the tape."""
        if kind == "placeholder":
            return None
        values, options = map_aggregate(args, self._unwrap), dict(map_aggregate(kwargs, self._unwrap))
        if "input" in options:
            values = (options.pop("input"), *values)
        result = self._wrap(self._operate(target, values, options))
        if _is_in_place(target, kwargs) and isinstance(args[0], Proxy):
            args[0].value = result.value
        return result

    def _operate(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        values = find_values((args, kwargs))
        if all(value.is_constant for value in values):
            return _apply_to_constants(self.tape, target, args, kwargs)
        if target is getattr:
            raise Refusal(f"attribute {args[1]} of a tensor is not supported")
        name = _name_of(target)
        if any(isinstance(value, Stacked) for value in values):
            return record_stacked(self._operate, name, args, kwargs)
        if is_put_in_front(name, args, kwargs):
            return put_in_front(self._operate, *args, **kwargs)
        if any(isinstance(value, Mapped) for value in values):
            return record_behind(self.tape, name, _column_function(target, name), args, kwargs)
        if any(isinstance(value, Switch | Undecided) for value in values):
            return record_switched(self.tape, name, args, kwargs)
        if is_monotone(name):
            return record_last(args[0], name, args[1:], kwargs, self._refusal(name))
        if name in LINEAR:
            return self.tape.apply(_column_function(target, name), *args, **kwargs)
        if name not in OPERATIONS:
            raise Refusal(unsupported_reason(name))
        return OPERATIONS[name](self.tape, *args, **kwargs)

    def _unwrap(self, part: Any) -> Any:
        """Replace a proxy or a tensor by its value."""
        if isinstance(part, fx.proxy.Attribute):
            return self.create_proxy("call_function", getattr, (part.root, part.attr), {}).value
        if isinstance(part, Proxy):
            return part.value
        if isinstance(part, Tensor):
            return self._proxy_of(part).value if id(part) in self._names else self.tape.literal(part)
        return part

    def _wrap(self, result: Any) -> Any:
        if isinstance(result, Value):
            return Proxy(result, self)
        if isinstance(result, Extremes):
            return Extremes(self._wrap(result.values))
        if isinstance(result, tuple):
            return tuple(self._wrap(part) for part in result)
        return result

    def _refusal(self, name: str) -> str:
        """Refuse an activation here, should it turn out not to be the last."""
        _, kind = next(reversed(self.module_stack.values()), ("", type(self.root)))
        own = kind.__name__ if kind.__module__.startswith("torch.nn") else name
        return f"lower: {self.place(traceback.extract_stack())}: {unsupported_reason(own)}"

    def place(self, frames: traceback.StackSummary) -> str:
        """Say where frames of a stack are: the innermost module called, and a line of its code."""
        if node := getattr(self.root.module, "node_at_work", ""):
            return str(node)
        path, kind = next(reversed(self.module_stack.values()), ("", type(self.root)))
        line = "" if kind.__module__.startswith("torch.nn") else _line(frames)
        return place_of(type(self.root.module), path.partition(".")[2], kind) + line


def _unless_refused(module: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if is_refused_by_name(module) and not is_monotone(type(module).__name__.lower()):
        raise Refusal(unsupported_reason(type(module).__name__))
    return forward(*args, **kwargs)


def _apply_to_constants(tape: Tape, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Apply any function to constants; results that are no tensors are evaluated now."""
    function = target if callable(target) else getattr(torch.Tensor, target)
    if _is_in_place(target, {}):
        function = getattr(torch.Tensor, _name_of(target))
    samples = substitute((args, kwargs), lambda value: value.sample, 1)
    with torch.no_grad():
        result = function(*samples[0], **samples[1])
    parts = result if isinstance(result, tuple) and result else (result,)
    if not all(isinstance(part, Tensor) for part in parts):
        return result
    return tape.apply(function, *args, **kwargs)


def _name_of(target: Any) -> str:
    """Return one name for a function and for the method and operator that do the same."""
    name: str = target if isinstance(target, str) else target.__name__
    return name.strip("_")


def _column_function(target: Any, name: str) -> Callable[..., Any]:
    """Return the function to apply to columns, never in place."""
    is_method = isinstance(target, str) or target.__name__.endswith("_")
    return COLUMN_FUNCTIONS.get(name, getattr(torch.Tensor, name) if is_method else target)


def _is_in_place(target: Any, kwargs: dict[str, Any]) -> bool:
    name: str = target if isinstance(target, str) else target.__name__
    return kwargs.get("inplace") is True or (name.endswith("_") and not name.endswith("__"))


def _line(frames: traceback.StackSummary) -> str:
    """Return the innermost line of the user's code in frames."""
    own = [frame for frame in frames if not frame.filename.startswith((LOWERING_PATH, TORCH_PATH, "<"))]
    return f", line {own[-1].lineno} of {Path(own[-1].filename).name}" if own else ""
