"""What stands for a tensor while a module is traced: it knows its shape and its type, but not its values."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, fx

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.slots import BatchSize, Slot


class Proxy(fx.Proxy):
    """What stands for a tensor while a module is traced."""

    def __init__(self, slot: Slot, tracer: fx.Tracer) -> None:
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

    @property
    def mT(self) -> Any:  # noqa: N802 - torch's name
        """The last two axes swapped."""
        return self.transpose(-2, -1)

    @property
    def T(self) -> Any:  # noqa: N802 - torch's name
        """A matrix transposed."""
        return self.transpose(0, 1)

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
        return (operator.getitem(self, i) for i in range(len(self)))

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
