"""ONNX operators by torch functions: arithmetic, activations, comparisons and reductions.

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
from creased.networks.onnx.nodes import Attributes, require_size

BROADCAST = (
    *("Add", "Div", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean", "Min", "Mul", "PRelu"),
    *("Sub", "Sum", "Where"),
)
FLOATING = {
    1: torch.float32,
    10: torch.float16,
    11: torch.float64,
    16: torch.bfloat16,
}  # by number of the type
Inputs = Sequence[Any]
Operator = Callable[[Inputs, Attributes], Any]


def require_few(kind: str, inputs: Inputs, attributes: Attributes) -> None:
    """Refuse a node whose result would be far larger than a network's: before it is computed."""
    shapes = [tuple(part.shape) for part in inputs if hasattr(part, "shape")]
    if kind in ("MatMul", "Gemm") and len(shapes) > 1:
        a, b, *others = shapes
        is_turned = kind == "Gemm" and attributes.get("transB", 0)
        columns = b[-2 if is_turned else -1 :][:1] if len(b) > 1 else ()
        product = (*_broadcast(a[:-2], b[:-2]), *a[-2:-1], *columns)
        n = math.prod(_broadcast(product, *others))
    elif kind in BROADCAST:
        n = math.prod(_broadcast(*shapes))
    else:
        return
    require_size(n)


def _broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that others have together."""
    columns = zip_longest(*(shape[::-1] for shape in shapes), fillvalue=1)
    return tuple(max(sizes) for sizes in columns)[::-1]


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
    require_size(math.prod(_broadcast(x.shape[:2], scale.shape)) * math.prod(x.shape[2:]))
    shape = (-1, *[1] * (x.ndim - 2))  # functional.batch_norm has no gradient in mean and variance
    factor = scale * torch.rsqrt(variance + attributes.get("epsilon", 1e-5))
    return (x - mean.reshape(shape)) * factor.reshape(shape) + bias.reshape(shape)


def _dropout(inputs: Inputs, attributes: Attributes) -> Any:
    if len(inputs) > 2 and inputs[2] is not None and bool(inputs[2]):
        raise Refusal("Dropout with training_mode=1 is random")
    return inputs[0]


def _reduction(reduced: Callable[..., Any]) -> Operator:
    def operation(inputs: Inputs, attributes: Attributes) -> Any:
        x, axes = inputs[0], int_list(inputs, 1, attributes, "axes")
        if not axes and attributes.get("noop_with_empty_axes", 0):
            return x
        chosen = tuple(axes) if axes else tuple(range(x.ndim))
        return reduced(x, chosen, keepdim=bool(attributes.get("keepdims", 1)))

    return operation


def _cast(inputs: Inputs, attributes: Attributes) -> Any:
    """Convert to another type; what is piecewise affine is not to be rounded to integers."""
    kind = FLOATING.get(attributes.get("to", 1))
    if kind is None:
        raise Refusal("a cast to integers or truth values is not continuous; the nearest supported is none")
    return inputs[0].to(kind)


def _einsum(inputs: Inputs, attributes: Attributes) -> Any:
    equation = attributes["equation"].decode().replace(" ", "")
    terms = equation.partition("->")[0].split(",")
    sizes = {
        letter: n
        for term, x in zip(terms, inputs, strict=True)
        for letter, n in zip(term, x.shape, strict=False)
        if letter.isalpha()
    }
    require_size(math.prod(sizes.values()))
    return torch.einsum(equation, *inputs)


def _thresholded(inputs: Inputs, attributes: Attributes) -> Any:
    if attributes.get("alpha", 1.0) != 0:
        raise Refusal(
            "ThresholdedRelu is not continuous unless its alpha is 0; the nearest supported is Relu"
        )
    return torch.relu(inputs[0])


def _shrink(inputs: Inputs, attributes: Attributes) -> Any:
    size, bias = attributes.get("lambd", 0.5), attributes.get("bias", 0.0)
    if size != bias:
        raise Refusal("Shrink is not continuous unless its bias is its lambd")
    return functional.softshrink(inputs[0], size)


def _cumsum(inputs: Inputs, attributes: Attributes) -> Any:
    x, axis = inputs[0], int(inputs[1])
    if attributes.get("exclusive", 0):
        raise Refusal("CumSum with exclusive=1 is not supported")
    if not attributes.get("reverse", 0):
        return torch.cumsum(x, axis)
    return torch.flip(torch.cumsum(torch.flip(x, (axis,)), axis), (axis,))


def _unary(function: Callable[[Any], Any]) -> Operator:
    return lambda inputs, attributes: function(inputs[0])


def _binary(function: Callable[[Any, Any], Any]) -> Operator:
    return lambda inputs, attributes: reduce(function, inputs)


OPERATORS: dict[str, Operator] = {
    "Abs": _unary(torch.abs),
    "Add": _binary(operator.add),
    "Atan": _unary(torch.atan),
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Celu": lambda inputs, attributes: functional.celu(inputs[0], attributes.get("alpha", 1.0)),
    "Clip": _clip,
    "CumSum": _cumsum,
    "Div": _binary(operator.truediv),
    "Dropout": _dropout,
    "Einsum": _einsum,
    "Elu": lambda inputs, attributes: functional.elu(inputs[0], attributes.get("alpha", 1.0)),
    "Erf": _unary(torch.erf),
    "Exp": _unary(torch.exp),
    "Gemm": _gemm,
    "Greater": _binary(torch.gt),
    "GreaterOrEqual": _binary(torch.ge),
    "HardSigmoid": _hard_sigmoid,
    "LeakyRelu": lambda inputs, attributes: functional.leaky_relu(inputs[0], attributes.get("alpha", 0.01)),
    "Less": _binary(torch.lt),
    "LessOrEqual": _binary(torch.le),
    "LogSoftmax": lambda inputs, attributes: torch.log_softmax(inputs[0], attributes.get("axis", -1)),
    "MatMul": _binary(operator.matmul),
    "Max": _binary(torch.maximum),
    "Mean": lambda inputs, attributes: reduce(operator.add, inputs) / len(inputs),
    "Min": _binary(torch.minimum),
    "Mul": _binary(operator.mul),
    "Neg": _unary(torch.neg),
    "Not": _unary(torch.logical_not),
    "PRelu": _prelu,
    "ReduceL1": _reduction(lambda x, axes, keepdim: torch.sum(torch.abs(x), axes, keepdim)),
    "ReduceMax": _reduction(torch.amax),
    "ReduceMean": _reduction(torch.mean),
    "ReduceMin": _reduction(torch.amin),
    "ReduceSum": _reduction(torch.sum),
    "Relu": _unary(torch.relu),
    "Selu": _selu,
    "Shrink": _shrink,
    "Sigmoid": _unary(torch.sigmoid),
    "Softmax": lambda inputs, attributes: torch.softmax(inputs[0], attributes.get("axis", -1)),
    "Softplus": _unary(functional.softplus),
    "Softsign": _unary(functional.softsign),
    "Sub": _binary(operator.sub),
    "Sum": _binary(operator.add),
    "Tanh": _unary(torch.tanh),
    "ThresholdedRelu": _thresholded,
    "Where": lambda inputs, attributes: torch.where(*inputs),
}
