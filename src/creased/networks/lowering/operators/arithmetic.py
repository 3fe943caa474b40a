"""Sums and products with constants, as steps that are linear in columns.

A constant is added to the constant column only; at most one factor of a product may depend on the input.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import BATCH, Value, find_values

Number = int | float
Operation = Callable[..., Any]


def by_name(*operations: Operation) -> dict[str, Operation]:
    """Tabulate operations under their own names."""
    return {operation.__name__: operation for operation in operations}


def depends_on_input(value: Any) -> bool:
    """True for a value that depends on the input."""
    return isinstance(value, Value) and not value.is_constant


def require_one_factor(name: str, *factors: Any) -> None:
    """Refuse a product of several values that depend on the input."""
    if sum(depends_on_input(factor) for factor in factors) > 1:
        raise Refusal(f"{name} of two values that depend on the input is not piecewise affine")


def one_row(tape: Tape, constant: Any, ndim: int) -> Any:
    """Reduce a constant (BATCH, *shape) with equal rows to (1, *shape); return others as they are."""
    if not isinstance(constant, Value) or constant.sample.ndim != ndim or constant.sample.shape[0] != BATCH:
        return constant
    if not bool((constant.sample == constant.sample[:1]).all()):
        raise Refusal("a constant tensor differs from point to point of the batch")
    return tape.apply(operator.getitem, constant, slice(0, 1))


def shift(columns: Tensor, amount: Tensor | Number, alpha: Number = 1) -> Tensor:
    """Add ``alpha * amount`` to the constant column, with broadcasting."""
    constant = torch.add(columns[-1:], amount, alpha=alpha)
    if constant.ndim != columns.ndim or constant.shape[0] != 1:
        raise Refusal("an added constant has more dimensions than a point")
    linear = columns[:-1].expand(columns.shape[0] - 1, *constant.shape[1:])
    return torch.cat([linear.to(constant.dtype), constant])


def add(tape: Tape, x: Any, other: Any, *, alpha: Number = 1) -> Any:
    """Record x + alpha other."""
    if depends_on_input(x) and depends_on_input(other):
        return tape.apply(torch.add, x, other, alpha=alpha)
    if not depends_on_input(x):
        return add(tape, mul(tape, other, alpha), x)
    if isinstance(other, int | float) and other == 0:
        return x
    return tape.apply(shift, x, one_row(tape, other, x.sample.ndim), alpha)


def sub(tape: Tape, x: Any, other: Any, *, alpha: Number = 1) -> Any:
    """Record x - alpha other."""
    if depends_on_input(x) and depends_on_input(other):
        return tape.apply(torch.sub, x, other, alpha=alpha)
    return add(tape, x, other, alpha=-alpha)


def mul(tape: Tape, x: Any, other: Any) -> Any:
    """Record the elementwise product."""
    require_one_factor("a product", x, other)
    x, other = (x, other) if depends_on_input(x) else (other, x)
    if isinstance(other, int | float) and abs(other) == 1:
        return x if other == 1 else tape.apply(torch.neg, x)
    return tape.apply(torch.mul, x, one_row(tape, other, x.sample.ndim))


def div(tape: Tape, x: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """Record x / other."""
    if depends_on_input(other):
        raise Refusal("a quotient by a value that depends on the input is not piecewise affine")
    if rounding_mode is not None:
        raise Refusal(f"div with rounding_mode={rounding_mode} is not continuous")
    return tape.apply(torch.true_divide, x, one_row(tape, other, x.sample.ndim))


def matmul(tape: Tape, x: Any, other: Any) -> Any:
    """Record a matrix product of any shapes."""
    require_one_factor("a matrix product", x, other)
    return tape.apply(torch.matmul, x, other)


def einsum(tape: Tape, equation: str, *operands: Any) -> Any:
    """Record a sum of products."""
    require_one_factor("a product", *find_values(operands))
    return tape.apply(torch.einsum, equation, *operands)


def addmm(tape: Tape, x: Any, left: Any, right: Any, *, beta: Number = 1, alpha: Number = 1) -> Any:
    """Record beta x + alpha left right."""
    product = mul(tape, matmul(tape, left, right), alpha)
    if depends_on_input(x):
        return add(tape, product, mul(tape, x, beta))
    return add(tape, product, x, alpha=beta)


def lerp(tape: Tape, x: Any, end: Any, weight: Any) -> Any:
    """Record x + weight (end - x)."""
    return add(tape, x, mul(tape, sub(tape, end, x), weight))


def _swapped(operation: Operation) -> Operation:
    def swapped(tape: Tape, x: Any, other: Any, **options: Any) -> Any:
        return operation(tape, other, x, **options)

    return swapped


ARITHMETIC: dict[str, Operation] = {
    **by_name(add, sub, mul, div, matmul, einsum, addmm, lerp),
    **{f"r{operation.__name__}": _swapped(operation) for operation in (add, sub, mul, matmul)},
    **dict.fromkeys(("divide", "truediv", "true_divide"), div),
    **dict.fromkeys(("mm", "bmm"), matmul),
    "subtract": sub,
    "multiply": mul,
    "baddbmm": addmm,
}
