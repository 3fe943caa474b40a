"""Runs a module on stand-ins of its input, and records on a tape what it does with them.

Built on `torch.fx`: its tracer lets modules, parameters, operators and torch functions be seen. Modules are
looked into down to functions, so that one table of functions covers them all, with their hooks and
parametrizations. Other than in `torch.fx`, shapes are known while a module is traced, and may decide what it
does.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, fx, nn

from creased.networks.affine_ops import AFFINE, AS_THEY_STAND, RENAMED
from creased.networks.extremes import EXTREMES
from creased.networks.piecewise_ops import PIECEWISE
from creased.networks.refusals import Refusal, UnsupportedModuleError, is_known, reason_against, spell
from creased.networks.tape import BATCH, BatchSize, Slot, Tape, fill, find_slots

OPERATIONS = AFFINE | PIECEWISE | EXTREMES
OURS = str(Path(__file__).parent)
TORCHS = str(Path(torch.__file__).parent)


class Traced(fx.Proxy):
    """What stands for a tensor while a module is traced."""

    def __init__(self, slot: Slot, tracer: Recorder) -> None:
        super().__init__(cast(fx.Node, None), tracer)
        self.slot = slot

    @property
    def shape(self) -> torch.Size:
        """Of the batch; its length is a `BatchSize`."""
        shape = self.slot.sample.shape
        return shape if self.slot.is_constant else torch.Size((BatchSize(shape[0]), *shape[1:]))

    @property
    def ndim(self) -> int:
        """Number of axes, that of the batch included."""
        return self.slot.sample.ndim

    @property
    def dtype(self) -> torch.dtype:
        """Floating type."""
        return self.slot.sample.dtype

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.slot.sample.device

    @property
    def data(self) -> Any:
        """The same, detached."""
        return self.detach()

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one entry of it."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """Number of axes, that of the batch included."""
        return self.ndim

    def numel(self) -> int:
        """Numbers in all."""
        return self.slot.sample.numel()

    def is_floating_point(self) -> bool:
        """Whether it holds floating numbers."""
        return self.slot.sample.is_floating_point()

    def item(self) -> Any:
        """The value of a constant."""
        return self._value().item()

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.slot.is_constant:
            raise Refusal("a loop over the points of a batch")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self._value())

    def __int__(self) -> int:
        return int(self._value())

    def __float__(self) -> float:
        return float(self._value())

    def _value(self) -> Tensor:
        if not self.slot.is_constant:
            raise Refusal("what is done depends on the values of the input")
        value: Tensor = self.slot.sample
        return value


class Recorder(fx.Tracer):
    """A tracer that writes on a tape, not in a graph."""

    def __init__(self, tape: Tape, module: nn.Module) -> None:
        super().__init__(autowrap_modules=())
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

    def _seen(self, tensor: Tensor) -> Traced:
        name = self._names[id(tensor)]
        return Traced(self.tape.tensor(name, tensor), self)

    def create_proxy(self, kind: str, target: Any, args: Any, kwargs: Any, *_: Any, **__: Any) -> Any:
        """Do an operation on the tape."""
        if kind == "placeholder":
            return None
        slots, options = self._unwrap(args), dict(self._unwrap(kwargs))
        if "input" in options:
            slots = (options.pop("input"), *slots)
        result = self._wrap(self._operate(target, slots, options))
        if _is_in_place(target, kwargs) and isinstance(args[0], Traced):
            args[0].slot = result.slot
        return result

    def _operate(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if all(slot.is_constant for slot in find_slots((args, kwargs))):
            return _on_constants(self.tape, target, args, kwargs)
        if target is getattr:
            target, args = args[1], args[:1]
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
        if isinstance(structure, Traced):
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
            return Traced(result, self)
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
    name = type(module).__name__
    if type(module).__module__.startswith("torch.nn") and is_known(name):
        raise Refusal(reason_against(name))
    return forward(*args, **kwargs)


def _on_constants(tape: Tape, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Any function of what does not depend on the input; what is no tensor is known once for all."""
    function = getattr(torch.Tensor, target) if isinstance(target, str) else target
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
        return attrgetter(name) if name == "mT" else getattr(torch.Tensor, name)
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
    root = _Root(module, Traced(points, recorder))
    try:
        with in_eval_mode(module), left_as_it_was(module):
            recorder.trace(root)
            return _flattened(tape, root.result)
    except Exception as error:
        reason = str(error) if isinstance(error, Refusal) else f"can't be traced: {error}"
        raise UnsupportedModuleError(f"lower: {recorder.place(error)}: {reason}") from error


def _flattened(tape: Tape, result: Any) -> Slot:
    if not isinstance(result, Traced):
        raise Refusal(f"the output must be one tensor, got a {type(result).__name__}")
    if result.slot.is_constant:
        raise Refusal("the output does not depend on the input")
    flat: Slot = tape.apply(torch.Tensor.reshape, result.slot, (BatchSize(BATCH), -1))
    return flat


@contextmanager
def in_eval_mode(module: nn.Module) -> Iterator[None]:
    """The module in eval mode, and afterwards in the modes that its parts were in."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, is_training in modes.items():
            part.training = is_training


@contextmanager
def left_as_it_was(module: nn.Module) -> Iterator[None]:
    """What a module notes down on itself while it runs, as hooks do, is forgotten."""
    kept = {part: dict(vars(part)) for part in module.modules()}
    try:
        yield
    finally:
        for part, attributes in kept.items():
            vars(part).clear()
            vars(part).update(attributes)
