"""ONNX operators by torch functions: arithmetic, activations, tensor layout and reductions.

Each takes its inputs, None for an omitted one, and its attributes by name, as in https://onnx.ai/onnx/operators.
Attributes that later versions turned into inputs are accepted as either.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import zip_longest
from typing import Any

import torch
from torch.nn import functional

from creased.networks.lowering.graph.refusals import Refusal

BROADCAST = ("Add", "Div", "Max", "Mean", "Min", "Mul", "Sub", "Sum")
MOST_NUMBERS = 1 << 26  # in one result
Inputs = Sequence[Any]
Attributes = dict[str, Any]
Operator = Callable[[Inputs, Attributes], Any]


def require_few(kind: str, inputs: Inputs) -> None:
    """Refuse a node whose result would be far larger than a network's: before it is computed."""
    shapes = [part.shape for part in inputs if isinstance(part, torch.Tensor)]
    if kind == "Concat":
        n = sum(map(math.prod, shapes))
    elif kind in ("MatMul", "Gemm") and len(shapes) > 1:
        rows, columns = math.prod(shapes[0][:-1]), max(shapes[1], default=1)
        n = rows * columns
    elif kind in BROADCAST:
        n = math.prod(max(sizes) for sizes in zip_longest(*(shape[::-1] for shape in shapes), fillvalue=1))
    else:
        return
    if n > MOST_NUMBERS:
        raise Refusal(f"its result would have {n:,} numbers, and {MOST_NUMBERS:,} are allowed")


def int_list(inputs: Inputs, position: int, attributes: Attributes, name: str) -> list[int] | None:
    """Return a list of integers given as an input or an attribute; None if omitted."""
    given = inputs[position] if len(inputs) > position else None
    if given is not None:
        return [int(n) for n in given.reshape(-1).tolist()]
    return None if attributes.get(name) is None else list(attributes[name])


def _float(inputs: Inputs, position: int, attributes: Attributes, name: str) -> Any:
    """Return a float given as an input or an attribute; None if omitted."""
    given = inputs[position] if len(inputs) > position else None
    return attributes.get(name) if given is None else float(given.detach())


def _gemm(inputs: Inputs, attributes: Attributes) -> Any:
    a, b, c = (*inputs, None)[:3]
    if attributes.get("transA", 0):
        raise Refusal("Gemm with transA=1 transposes the batch axis")
    product = attributes.get("alpha", 1.0) * (a @ (b.T if attributes.get("transB", 0) else b))
    return product if c is None else product + attributes.get("beta", 1.0) * c


def _prelu(inputs: Inputs, attributes: Attributes) -> Any:
    x, slope = inputs
    return torch.relu(x) - slope * torch.relu(-x)


def _clip(inputs: Inputs, attributes: Attributes) -> Any:
    low, high = (_float(inputs, i, attributes, name) for i, name in ((1, "min"), (2, "max")))
    return inputs[0] if low is None and high is None else torch.clamp(inputs[0], low, high)


def _hard_sigmoid(inputs: Inputs, attributes: Attributes) -> Any:
    return torch.clamp(attributes.get("alpha", 0.2) * inputs[0] + attributes.get("beta", 0.5), 0, 1)


def _selu(inputs: Inputs, attributes: Attributes) -> Any:
    if {"alpha", "gamma"} & attributes.keys():
        raise Refusal("Selu with numbers of its own is not supported")
    return torch.selu(inputs[0])


def _batch_norm(inputs: Inputs, attributes: Attributes) -> Any:
    x, scale, bias, mean, variance = inputs[:5]
    if attributes.get("training_mode", 0):
        raise Refusal("BatchNormalization with training_mode=1 is not supported")
    shape = (-1, *[1] * (x.ndim - 2))  # functional.batch_norm has no gradient in mean and variance
    factor = scale * torch.rsqrt(variance + attributes.get("epsilon", 1e-5))
    return (x - mean.reshape(shape)) * factor.reshape(shape) + bias.reshape(shape)


def _dropout(inputs: Inputs, attributes: Attributes) -> Any:
    if len(inputs) > 2 and inputs[2] is not None and bool(inputs[2]):
        raise Refusal("Dropout with training_mode=1 is random")
    return inputs[0]


def _flatten(inputs: Inputs, attributes: Attributes) -> Any:
    x, axis = inputs[0], attributes.get("axis", 1)
    return x.flatten(1) if axis % x.ndim == 1 else x.reshape(math.prod(x.shape[:axis]), -1)


def _reshape(inputs: Inputs, attributes: Attributes) -> Any:
    x, shape = inputs[0], int_list(inputs, 1, attributes, "shape") or []
    if not attributes.get("allowzero", 0):
        shape = [x.shape[i] if n == 0 else n for i, n in enumerate(shape)]
    if shape[:1] == [1]:  # a model exported with a batch of one
        shape[0] = x.shape[0]
    return x.reshape(shape)


def _concat(inputs: Inputs, attributes: Attributes) -> Any:
    axis, n = attributes["axis"], max(part.shape[0] for part in inputs)
    parts = [part if part.shape[0] == n or axis == 0 else part.expand(n, *part.shape[1:]) for part in inputs]
    return torch.cat(parts, axis)


def _transpose(inputs: Inputs, attributes: Attributes) -> Any:
    return inputs[0].permute(attributes.get("perm", list(range(inputs[0].ndim))[::-1]))


def _slice(inputs: Inputs, attributes: Attributes) -> Any:
    x = inputs[0]
    starts, ends, axes, steps = (
        int_list(inputs, i, attributes, name) for i, name in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    assert starts is not None
    assert ends is not None
    axes = axes if axes is not None else list(range(len(starts)))
    for axis, start, end, step in zip(axes, starts, ends, steps or [1] * len(axes), strict=True):
        entries = list(range(x.shape[axis]))[start:end:step]
        x = x.narrow(axis, 0, 0) if not entries else x.index_select(axis, torch.tensor(entries))
    return x


def _split(inputs: Inputs, attributes: Attributes) -> Any:
    x, axis, sizes = inputs[0], attributes.get("axis", 0), int_list(inputs, 1, attributes, "split")
    return x.split(-(-x.shape[axis] // attributes["n_outputs"]) if sizes is None else sizes, axis)


def _squeeze(inputs: Inputs, attributes: Attributes) -> Any:
    axes = int_list(inputs, 1, attributes, "axes")
    if axes is None:
        axes = [i for i, n in enumerate(inputs[0].shape) if n == 1 and i > 0]
    return inputs[0].squeeze(tuple(axes))


def _unsqueeze(inputs: Inputs, attributes: Attributes) -> Any:
    x, axes = inputs[0], int_list(inputs, 1, attributes, "axes") or []
    for axis in sorted(axis % (x.ndim + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x


def _reduction(reduced: Callable[..., Any]) -> Operator:
    def operation(inputs: Inputs, attributes: Attributes) -> Any:
        x, axes = inputs[0], int_list(inputs, 1, attributes, "axes")
        if not axes and attributes.get("noop_with_empty_axes", 0):
            return x
        chosen = tuple(axes) if axes else tuple(range(x.ndim))
        return reduced(x, chosen, keepdim=bool(attributes.get("keepdims", 1)))

    return operation


def _unary(function: Callable[[Any], Any]) -> Operator:
    return lambda inputs, attributes: function(inputs[0])


def _binary(function: Callable[[Any, Any], Any]) -> Operator:
    return lambda inputs, attributes: reduce(function, inputs)


OPERATORS: dict[str, Operator] = {
    "Abs": _unary(torch.abs),
    "Add": _binary(operator.add),
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Concat": _concat,
    "Div": _binary(operator.truediv),
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "HardSigmoid": _hard_sigmoid,
    "Identity": _unary(lambda x: x),
    "Atan": _unary(torch.atan),
    "Elu": lambda inputs, attributes: functional.elu(inputs[0], attributes.get("alpha", 1.0)),
    "Erf": _unary(torch.erf),
    "Exp": _unary(torch.exp),
    "LeakyRelu": lambda inputs, attributes: functional.leaky_relu(inputs[0], attributes.get("alpha", 0.01)),
    "LogSoftmax": lambda inputs, attributes: torch.log_softmax(inputs[0], attributes.get("axis", -1)),
    "MatMul": _binary(operator.matmul),
    "Max": _binary(torch.maximum),
    "Mean": lambda inputs, attributes: reduce(operator.add, inputs) / len(inputs),
    "Min": _binary(torch.minimum),
    "Mul": _binary(operator.mul),
    "Neg": _unary(torch.neg),
    "PRelu": _prelu,
    "ReduceMax": _reduction(torch.amax),
    "ReduceMean": _reduction(torch.mean),
    "ReduceMin": _reduction(torch.amin),
    "ReduceSum": _reduction(torch.sum),
    "Relu": _unary(torch.relu),
    "Reshape": _reshape,
    "Selu": _selu,
    "Sigmoid": _unary(torch.sigmoid),
    "Slice": _slice,
    "Softmax": lambda inputs, attributes: torch.softmax(inputs[0], attributes.get("axis", -1)),
    "Softplus": _unary(functional.softplus),
    "Softsign": _unary(functional.softsign),
    "Split": _split,
    "Squeeze": _squeeze,
    "Sub": _binary(operator.sub),
    "Sum": _binary(operator.add),
    "Tanh": _unary(torch.tanh),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
