"""An accelerator that is not there: tensors in the memory of the CPU that refuse to meet those of the CPU.

    with pretended() as device:                    # device.device is torch.device("meta")
        surface = extract_level_set(program.to(device.device), box)
    device.launches, device.reads                  # counts, by operation and by line of creased

A tensor here says that it is on the device ``meta``, and holds one of the CPU. Operations that mix the two
are refused as on a real device, where only tensors of no dimension, and indices into a tensor of the device,
may be on the CPU; so are products of integer matrices, which CUDA does not have. What is counted: launches
(operations that are neither views nor allocations) and waits of the host, which reads a number or a size, or
copies from or to the device.
"""

from __future__ import annotations

import linecache
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

import creased

DEVICE = torch.device("meta")
SOURCE = f"{Path(creased.__file__).parent}/"
READS = (  # operations of which the host needs the result, or its size
    "_local_scalar_dense",
    "equal",
    "nonzero",
    "masked_select",
    "_unique",
    "_unique2",
    "unique_dim",
    "unique_consecutive",
    "unique_dim_consecutive",
    "bincount",
    "_linalg_check_errors",
)
PRODUCTS = ("mm", "bmm", "mv", "dot", "addmm", "baddbmm", "addmv")
INDEXING = frozenset(("index", "index_put", "index_put_", "_index_put_impl_"))
COPIES = frozenset(("_to_copy", "copy_"))
FROM_DATA = (torch.tensor, torch.as_tensor, Tensor.new_tensor)  # constructors that C++ hides from dispatch


class MixedDevicesError(RuntimeError):
    """Tensors of the device and of the CPU meet in one operation."""


class OnDevice(Tensor):
    """A tensor that says that it is on the device."""

    held: Tensor  # on the CPU

    @staticmethod
    def __new__(cls: type[OnDevice], held: Tensor) -> OnDevice:
        """Wrap a tensor of the CPU."""
        found = Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
            requires_grad=held.requires_grad,
        )
        found.held = held
        return found

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise MixedDevicesError(f"{func} outside of `pretended`")

    def __repr__(self) -> str:
        return f"OnDevice({self.held})"


class Operation(NamedTuple):
    """What is known of an operation."""

    name: str
    is_view: bool  # or an allocation: nothing is launched
    changes: int | None  # the position of the argument that it changes and returns
    changes_named: str  # its name


@cache
def operation_of(func: Any) -> Operation:
    """Look an operation up."""
    name, schema = func.overloadpacket.__name__, func._schema
    is_view = func.is_view or name.startswith(("empty", "new_empty", "_unsafe_view", "detach", "alias"))
    for position, argument in enumerate(schema.arguments if len(schema.returns) == 1 else ()):
        if argument.alias_info is not None and argument.alias_info.is_write:
            return Operation(name, is_view, position, argument.name)
    return Operation(name, is_view, None, "")


class Pretended(TorchDispatchMode):
    """Runs operations of the device on the CPU, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.device = DEVICE
        self.launches: Counter[str] = Counter()  # by operation
        self.views: Counter[str] = Counter()
        self.reads: Counter[str] = Counter()  # by line of creased
        self.uploads: Counter[str] = Counter()  # likewise

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors: list[Tensor] = []
        held_args = _held(args, tensors)
        held_kwargs = {name: _held(part, tensors) for name, part in kwargs.items()}
        is_ours = any(isinstance(part, OnDevice) for part in tensors)
        asked = kwargs.get("device")
        is_wanted = is_ours if asked is None else torch.device(asked) == DEVICE
        if not is_ours and not is_wanted:
            return func(*args, **kwargs)
        operation = operation_of(func)
        if operation.name == "copy_":
            is_wanted, is_ours = (isinstance(part, OnDevice) for part in args[:2])
        self._count(operation, tensors, args, kwargs, is_ours=is_ours, is_wanted=is_wanted)
        if asked is not None:
            held_kwargs["device"] = torch.device("cpu")
        result = func(*held_args, **held_kwargs)
        if operation.changes is not None:
            is_named = operation.changes_named in kwargs
            return kwargs[operation.changes_named] if is_named else args[operation.changes]
        return _wrapped(result) if is_wanted else result

    def _count(
        self,
        operation: Operation,
        tensors: Sequence[Tensor],
        args: Any,
        kwargs: Any,
        *,
        is_ours: bool,
        is_wanted: bool,
    ) -> None:
        name = operation.name
        (self.views if operation.is_view else self.launches)[name] += 1
        if name in COPIES:
            if is_ours != is_wanted:
                (self.uploads if is_wanted else self.reads)[_where()] += 1
            return
        uploaded = _uploaded_indices(name, args)
        for tensor in tensors:
            if not isinstance(tensor, OnDevice) and tensor.dim() and not any(tensor is u for u in uploaded):
                raise MixedDevicesError(
                    f"Expected all tensors to be on the same device: {name} at {_where()}"
                )
        if name in PRODUCTS and not tensors[0].is_floating_point():
            raise NotImplementedError(f"{name} of {tensors[0].dtype} at {_where()}")
        if uploaded:
            self.uploads[_where()] += len(uploaded)
        is_unsized = name == "repeat_interleave" and len(args) == 1 and kwargs.get("output_size") is None
        if name in READS or is_unsized or (name in INDEXING and _has_mask(args[1])):
            self.reads[_where()] += 1


class _FromData(TorchFunctionMode):
    """Makes tensors of Python numbers on the CPU, and moves them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in FROM_DATA:
            like = args[0] if func is Tensor.new_tensor else None
            device = kwargs.pop("device", None) or (like.device if like is not None else None)
            if device is not None and torch.device(device) == DEVICE:
                if like is not None:
                    args, kwargs["dtype"] = args[1:], kwargs.get("dtype") or like.dtype
                made = torch.as_tensor if func is torch.as_tensor else torch.tensor
                return made(*args, **kwargs).to(DEVICE)
            kwargs |= {} if device is None else {"device": device}
        if func in (Tensor.__getitem__, Tensor.__setitem__) and isinstance(args[0], OnDevice):
            args = (args[0], tree_map_only(list, torch.tensor, args[1], is_leaf=_is_list), *args[2:])
        if func is Tensor.tolist and isinstance(args[0], OnDevice):
            return args[0].cpu().tolist()
        return func(*args, **kwargs)


@contextmanager
def pretended() -> Iterator[Pretended]:
    """Have the device ``meta`` hold values, and count what is done there."""
    overwrites = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(
        True
    )  # parameters of modules cannot change type
    try:
        with Pretended() as counts, _FromData(), mock.patch.object(torch._C, "_InferenceMode", _no_gradients):
            yield counts
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(overwrites)


def _no_gradients(is_wanted: bool) -> Any:
    """Stand in for inference mode, which takes no tensors that are wrapped."""
    return torch.no_grad() if is_wanted else nullcontext()


def _is_list(part: Any) -> bool:
    return isinstance(part, list)


def _held(part: Any, tensors: list[Tensor]) -> Any:
    """Replace tensors of the device, also in lists and tuples, by those that they hold; list all tensors."""
    if isinstance(part, Tensor):
        tensors.append(part)
        return part.held if isinstance(part, OnDevice) else part
    return type(part)(_held(each, tensors) for each in part) if type(part) in (list, tuple) else part


def _wrapped(part: Any) -> Any:
    if isinstance(part, Tensor):
        return OnDevice(part)
    return type(part)(map(_wrapped, part)) if type(part) in (list, tuple) else part


def _uploaded_indices(name: str, args: Sequence[Any]) -> list[Tensor]:
    """Indices on the CPU into a tensor on the device, which are copied to it."""
    if name not in INDEXING or not isinstance(args[0], OnDevice):
        return []
    return [index for index in args[1] if index is not None and not isinstance(index, OnDevice)]


def _has_mask(indices: Sequence[Tensor | None]) -> bool:
    return any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in indices)


def _where() -> str:
    """The line of creased that is being run."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not frame.f_code.co_filename.startswith(SOURCE):
        frame = frame.f_back
    if frame is None:
        return "elsewhere"
    name, number = frame.f_code.co_filename, frame.f_lineno
    return f"{name.removeprefix(SOURCE)}:{number} {linecache.getline(name, number).strip()}"
