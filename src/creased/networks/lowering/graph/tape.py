"""Record a traced module as a tape of affine steps and rectifications.

An affine function of m coordinates is held as m + 1 columns: the images of the coordinate axes under its
linear part, and the constant. An operation that is linear in the value is applied to the columns as a batch:
a product, a convolution, a view. The coordinates are chosen later, see `schedule`. While steps are recorded,
random samples of all values give shapes, and test that an operation treats each point of a batch by itself.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor

from creased.core.numerics.tolerance import get_epsilon
from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.values import (
    BATCH,
    CONSTANT,
    Ref,
    Value,
    find_values,
    structural_key,
    substitute,
)

Call = tuple[Callable[..., Any] | None, tuple[Any, ...], dict[str, Any]]  # function, args, kwargs


@dataclass(frozen=True)
class Step:
    """One operation: ``function(*args, **kwargs)``, with references among the arguments."""

    function: Callable[..., Any] | None  # None: the input, a tensor of the module, or a rectification
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[int, ...]  # the steps it refers to
    level: int  # blocks before it; CONSTANT
    size: int  # numbers a point
    shape: tuple[int, ...] | None  # of a point; None for several tensors


@dataclass
class Tape:
    """Steps in the order in which they were recorded, each distinct one once."""

    dtype: torch.dtype
    device: torch.device
    steps: list[Step] = field(default_factory=list)
    tensors: dict[int, str] = field(default_factory=dict)  # tensors of the module, by their dotted names
    rectified: dict[int, int] = field(default_factory=dict)  # from relu(z) to z
    kept: set[int] = field(default_factory=set)  # that are to be part of a state, see `unfold`
    _values: list[Value] = field(default_factory=list)
    _recorded: dict[Any, Any] = field(default_factory=dict)  # results by what was computed

    def __post_init__(self) -> None:
        self._generator = torch.Generator().manual_seed(0)

    def record_input(self, dim: int) -> Value:
        """Record the input: points (BATCH, dim)."""
        return self._record(0, self._draw((BATCH, dim), self.dtype))

    def tensor(self, name: str, tensor: Tensor) -> Value:
        """Record a tensor of the module, to be looked up by its name whenever the trace is run."""
        value: Value = self._once(("tensor", name), lambda: self._record(CONSTANT, tensor.detach()))
        self.tensors[value.index] = name
        return value

    def literal(self, tensor: Tensor) -> Value:
        """Record a tensor that is no tensor of the module, with its present value."""
        return self.apply(_identity, tensor)

    def rectify(self, value: Value) -> Value:
        """Record the positive part of a value: one neuron, one crease, for each of its numbers.

        relu(-z) is recorded as relu(z) - z, so that a value and its negative share their creases.
        """
        if value.index in self.rectified:
            return value
        step = self.steps[value.index]
        if step.function is torch.neg:
            positive = self._values[step.inputs[0]]
            return self.apply(torch.sub, self.rectify(positive), positive)
        found: Value = self._once(
            ("rectify", value.index),
            lambda: self._record(value.level + 1, value.sample.relu(), (value.index,)),
        )
        self.rectified[found.index] = value.index
        return found

    def value_at(self, index: int) -> Value:
        """Return the value that a step made."""
        return self._values[index]

    def value_of(self, part: Any) -> Any:
        """Return the value that a reference in the arguments of a step stands for; others as they are."""
        return self._values[part.index] if isinstance(part, Ref) else part

    def preactivation_of(self, value: Value) -> Value | None:
        """Return z if the value is relu(z), else None."""
        index = self.rectified.get(value.index)
        return None if index is None else self._values[index]

    def apply(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Record a function that is linear in the columns of its values, or any function of constants.

        Raises:
            Refusal: the function does not treat each point by itself.
        """
        key = structural_key((function, args, kwargs))
        if key is None:
            return self._apply(function, args, kwargs)
        return self._once(key, lambda: self._apply(function, args, kwargs))

    def _once(self, key: Any, record: Callable[[], Any]) -> Any:
        """Return the result recorded under a key, or record it now."""
        if key not in self._recorded:
            self._recorded[key] = record()
        return self._recorded[key]

    @torch.no_grad()
    def _apply(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        def call(sample_of: Callable[[Value], Any], count: int) -> Any:
            samples, options = substitute((args, kwargs), sample_of, count)
            return function(*samples, **options)

        values = find_values((args, kwargs))
        level = max((value.level for value in values), default=CONSTANT)
        out = call(attrgetter("sample"), 1 if level == CONSTANT else BATCH)
        if level != CONSTANT:
            try:
                last = call(_last_sample, 1)
            except RuntimeError as error:
                raise Refusal("the operation depends on the number of points") from error
            _require_pointwise(out, last)
            out = self._redraw(out)
        inputs = tuple(dict.fromkeys(value.index for value in values))
        references = substitute((args, kwargs), lambda value: Ref(value.index), None)
        made = self._record(level, out, inputs, (function, *references))
        if isinstance(out, Tensor):
            return made
        return tuple(self.apply(operator.getitem, made, i) for i in range(len(out)))

    def _record(
        self, level: int, sample: Any, inputs: tuple[int, ...] = (), call: Call = (None, (), {})
    ) -> Value:
        value = Value(len(self.steps), level, sample)
        shape = tuple(sample.shape[1:]) if isinstance(sample, Tensor) else None
        size = sum(part.numel() for part in _tensors_of(sample)) // BATCH
        self.steps.append(Step(*call, inputs, level, size, shape))
        self._values.append(value)
        return value

    def _redraw(self, out: Any) -> Any:
        """Draw a normal sample of the same shape: results of deep networks grow or vanish."""
        if isinstance(out, Tensor):
            return self._draw(tuple(out.shape), out.dtype)
        return tuple(self._redraw(part) for part in out)

    def _draw(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.randn(shape, generator=self._generator, dtype=torch.float64).to(self.device, dtype)


def _identity(tensor: Tensor) -> Tensor:
    return tensor


def _last_sample(value: Value) -> Any:
    """Return the last point of a sample as a batch of one; a constant as it is."""
    if value.is_constant:
        return value.sample
    if isinstance(value.sample, Tensor):
        return value.sample[-1:]
    return tuple(part[-1:] for part in value.sample)


def _tensors_of(out: Any) -> list[Tensor]:
    return [out] if isinstance(out, Tensor) else list(out)


def _require_pointwise(out: Any, last: Any) -> None:
    """Refuse operations that mix points: the last point alone must give what it gives in the batch."""
    for whole, alone in zip(_tensors_of(out), _tensors_of(last), strict=True):
        if whole.ndim == 0 or whole.shape[0] != BATCH or alone.shape != whole[-1:].shape:
            raise Refusal("the operation mixes the points of a batch, or depends on their number")
        difference = (whole[-1:] - alone).abs().max() if alone.numel() else 0
        if float(difference) > get_epsilon(whole.dtype) * (1 + float(whole.abs().max())):
            raise Refusal("the operation mixes the points of a batch")
