"""Proxy tensors for tracing: shape, dtype and device are known; values are known of constants only."""

from __future__ import annotations

import builtins
import dis
import operator
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, fx

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.values import BatchSize, Value


class Proxy(fx.Proxy):
    """A tensor of a module that is traced."""

    def __init__(self, value: Value, tracer: fx.Tracer) -> None:
        super().__init__(cast(fx.Node, None), tracer)
        self.value = value

    @property
    def shape(self) -> torch.Size:
        """Shape, in which the number of points is a `BatchSize`."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """Number of axes, the batch included."""
        return self.value.sample.ndim

    @property
    def dtype(self) -> torch.dtype:
        """Data type."""
        return self.value.sample.dtype

    @property
    def device(self) -> torch.device:
        """Device."""
        return self.value.sample.device

    @property
    def data(self) -> Any:
        """The tensor, detached."""
        return self.detach()

    @property
    def mT(self) -> Any:  # noqa: N802 - torch's name
        """The last two axes swapped."""
        return self.transpose(-2, -1)

    @property
    def T(self) -> Any:  # noqa: N802 - torch's name
        """A matrix transposed."""
        return self.transpose(0, 1)

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or one entry of it."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """Return the number of axes, the batch included."""
        return self.ndim

    def numel(self) -> int:
        """Count the entries of the sample."""
        return self.value.sample.numel()

    def is_floating_point(self) -> bool:
        """True for floating dtypes."""
        return self.value.sample.is_floating_point()

    def is_contiguous(self) -> bool:
        """True: copies are no part of the function."""
        return True

    @property
    def requires_grad(self) -> bool:
        """False: what is differentiated is no part of the function."""
        return False

    @property
    def is_cuda(self) -> bool:
        """True on a device of CUDA."""
        return self.value.sample.is_cuda

    def nelement(self) -> int:
        """Count the entries of the sample."""
        return self.numel()

    def item(self) -> Any:
        """Return the number that a constant holds."""
        return self._constant().item()

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self.shape[0], BatchSize):
            raise Refusal("iteration over the points of a batch is not supported")
        return (operator.getitem(self, i) for i in range(len(self)))

    def __bool__(self) -> bool:
        if not self.value.is_constant and (asserted := _asserted()) is not None:
            return asserted
        return bool(self._constant())

    def __int__(self) -> int:
        return int(self._constant())

    def __float__(self) -> float:
        return float(self._constant())

    def _constant(self) -> Tensor:
        if not self.value.is_constant:
            raise Refusal("control flow depends on the values of the input")
        return self.value.sample


@contextmanager
def batch_size_as_len() -> Iterator[None]:
    """Let len(x) of a proxy be its `BatchSize`: Python's own makes a plain int of it."""

    def length(x: Any, /) -> int:
        return x.shape[0] if isinstance(x, Proxy) else own(x)

    own = builtins.len
    builtins.len = length
    try:
        yield
    finally:
        builtins.len = own


def _asserted() -> bool | None:
    """Return the answer that an assertion expects, if one asks two frames up; None elsewhere."""
    frame = sys._getframe(2)
    code = [each for each in dis.get_instructions(frame.f_code) if each.offset >= frame.f_lasti]
    jump = next((i for i, each in enumerate(code) if "JUMP" in each.opname), None)
    if jump is None or jump + 1 >= len(code) or code[jump + 1].opname != "LOAD_ASSERTION_ERROR":
        return None
    return "TRUE" in code[jump].opname
