"""A trace: what a module computes, as a list of affine steps and rectifications.

A value is known by its columns: as an affine function of m coordinates it is a batch of m + 1 tensors, the
images of the coordinate axes under the linear part, and last the constant. A linear operation on the value
is then the operation itself on the batch, whatever it is: a product, a convolution, a view. Which coordinates
these are is settled later, see `plan`. Here steps are recorded, with samples of all values, which tell shapes
and show whether an operation treats each point of a batch by itself.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from creased.core.numerics.tolerance import get_epsilon
from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.slots import BATCH, CONSTANT, Ref, Slot, fill, find_slots, key_of


@dataclass(frozen=True)
class Step:
    """One operation: ``function(*args, **kwargs)``, with references among the arguments."""

    function: Callable[..., Any] | None  # None: the input, a tensor of the module, or a rectification
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[int, ...]  # the steps it refers to
    level: int  # blocks that come before it; CONSTANT
    size: int  # numbers a point
    shape: tuple[int, ...] | None  # of a point; None for several tensors


@dataclass
class Tape:
    """Steps in the order in which they were recorded."""

    dtype: torch.dtype
    device: torch.device
    steps: list[Step] = field(default_factory=list)
    tensors: dict[int, str] = field(default_factory=dict)  # of the module, by their dotted names
    rectified: dict[int, int] = field(default_factory=dict)  # from relu(z) to z
    _slots: list[Slot] = field(default_factory=list)
    _known: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._generator = torch.Generator().manual_seed(0)

    def start(self, dim: int) -> Slot:
        """The input: points (BATCH, dim)."""
        return self._record(None, (), {}, (), 0, self._draw((BATCH, dim), self.dtype))

    def tensor(self, name: str, value: Tensor) -> Slot:
        """A tensor of the module, which is looked up by its name whenever the trace is run."""
        key = ("tensor", name)
        if key not in self._known:
            self._known[key] = self._record(None, (), {}, (), CONSTANT, value.detach())
            self.tensors[self._known[key].index] = name
        slot: Slot = self._known[key]
        return slot

    def literal(self, value: Tensor) -> Slot:
        """A tensor that is what it is."""
        slot: Slot = self.apply(_itself, value)
        return slot

    def rectify(self, slot: Slot) -> Slot:
        """The positive part of a value: one neuron, one crease, for each of its numbers.

        relu(-z) is relu(z) - z, so that a value and its negative have their creases in common.
        """
        if slot.index in self.rectified:
            return slot
        step = self.steps[slot.index]
        if step.function is torch.neg:
            positive = self._slots[step.inputs[0]]
            mirrored: Slot = self.apply(torch.sub, self.rectify(positive), positive)
            return mirrored
        key = ("rectify", slot.index)
        if key not in self._known:
            made = self._record(None, (), {}, (slot.index,), slot.level + 1, slot.sample.relu())
            self.rectified[made.index] = slot.index
            self._known[key] = made
        found: Slot = self._known[key]
        return found

    def source_of(self, slot: Slot) -> Slot | None:
        """The value z if this is relu(z)."""
        index = self.rectified.get(slot.index)
        return None if index is None else self._slots[index]

    def apply(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The result of a function that is linear in the columns of its values, or any of constants.

        Raises:
            Refusal: the function does not treat each point by itself.
        """
        key = key_of((function, args, kwargs))
        if key is None:
            return self._apply(function, args, kwargs)
        if key not in self._known:
            self._known[key] = self._apply(function, args, kwargs)
        return self._known[key]

    @torch.no_grad()
    def _apply(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        slots = find_slots((args, kwargs))
        level = max((slot.level for slot in slots), default=CONSTANT)
        count = 1 if level == CONSTANT else BATCH
        out = function(*fill(args, _sample, count), **fill(kwargs, _sample, count))
        if level != CONSTANT:
            try:
                last = function(*fill(args, _last_sample, 1), **fill(kwargs, _last_sample, 1))
            except RuntimeError as error:
                raise Refusal("it depends on the number of points") from error
            _require_one_by_one(out, last)
            out = self._redrawn(out)
        inputs = tuple(dict.fromkeys(slot.index for slot in slots))
        args, kwargs = fill((args, kwargs), lambda slot: Ref(slot.index), None)
        made = self._record(function, args, kwargs, inputs, level, out)
        if isinstance(out, Tensor):
            return made
        return tuple(self.apply(operator.getitem, made, i) for i in range(len(out)))

    def _record(
        self,
        function: Callable[..., Any] | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        inputs: tuple[int, ...],
        level: int,
        sample: Any,
    ) -> Slot:
        slot = Slot(len(self.steps), level, sample)
        shape = tuple(sample.shape[1:]) if isinstance(sample, Tensor) else None
        size = sum(part.numel() for part in _parts(sample)) // BATCH
        self.steps.append(Step(function, args, kwargs, inputs, level, size, shape))
        self._slots.append(slot)
        return slot

    def _redrawn(self, out: Any) -> Any:
        """A sample of the same shape and of size one: results of deep networks grow or vanish."""
        if isinstance(out, Tensor):
            return self._draw(tuple(out.shape), out.dtype)
        return tuple(self._redrawn(part) for part in out)

    def _draw(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        drawn = torch.randn(shape, generator=self._generator, dtype=torch.float64)
        return drawn.to(self.device, dtype)


def _itself(value: Tensor) -> Tensor:
    return value


def _sample(slot: Slot) -> Any:
    return slot.sample


def _last_sample(slot: Slot) -> Any:
    """The last point of a sample alone; of a constant all of it."""
    if slot.is_constant:
        return slot.sample
    if isinstance(slot.sample, Tensor):
        return slot.sample[-1:]
    return tuple(part[-1:] for part in slot.sample)


def _parts(out: Any) -> list[Tensor]:
    return [out] if isinstance(out, Tensor) else list(out)


def _require_one_by_one(out: Any, last: Any) -> None:
    """Refuse what mixes points: the last one alone must give what it gives among others."""
    for whole, alone in zip(_parts(out), _parts(last), strict=True):
        if whole.ndim == 0 or whole.shape[0] != BATCH or alone.shape != whole[-1:].shape:
            raise Refusal("it works across the points of a batch, or on the number of them")
        difference = (whole[-1:] - alone).abs().max() if alone.numel() else 0
        if float(difference) > get_epsilon(whole.dtype) * (1 + float(whole.abs().max())):
            raise Refusal("it mixes the points of a batch")
