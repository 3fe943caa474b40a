"""Sums and products with what does not depend on the input, as steps that are linear in columns.

What is added goes to the constant column alone; of two factors one at most may depend on the input.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.slots import BATCH, Slot, find_slots
from creased.networks.lowering.graph.tape import Tape

Number = int | float
Operation = Callable[..., Any]


def depends(value: Any) -> bool:
    """Whether it is a value that depends on the input."""
    return isinstance(value, Slot) and not value.is_constant


def require_one_factor(name: str, *factors: Any) -> None:
    """Refuse products of what depends on the input."""
    if sum(depends(factor) for factor in factors) > 1:
        raise Refusal(f"{name} of two values that depend on the input is not piecewise affine")


def one_row(tape: Tape, constant: Any, ndim: int) -> Any:
    """A constant that was made alike for each point of the batch, as (1, *shape); others as they are."""
    if not isinstance(constant, Slot) or constant.sample.ndim != ndim or constant.sample.shape[0] != BATCH:
        return constant
    if not bool((constant.sample == constant.sample[:1]).all()):
        raise Refusal("a tensor that does not depend on the input differs from point to point")
    return tape.apply(operator.getitem, constant, slice(0, 1))


def shift(columns: Tensor, amount: Tensor | Number, alpha: Number = 1) -> Tensor:
    """Add to the constant column (1, *shape), with the usual broadcasting."""
    moved = torch.add(columns[-1:], amount, alpha=alpha)
    if moved.ndim != columns.ndim or moved.shape[0] != 1:
        raise Refusal("what is added has more dimensions than a point")
    linear = columns[:-1].expand(columns.shape[0] - 1, *moved.shape[1:])
    return torch.cat([linear.to(moved.dtype), moved])


def add(tape: Tape, x: Any, other: Any, *, alpha: Number = 1) -> Any:
    """The sum x + alpha other."""
    if depends(x) and depends(other):
        return tape.apply(torch.add, x, other, alpha=alpha)
    if not depends(x):
        return add(tape, mul(tape, other, alpha), x)
    if isinstance(other, int | float) and other == 0:
        return x
    return tape.apply(shift, x, one_row(tape, other, x.sample.ndim), alpha)


def sub(tape: Tape, x: Any, other: Any, *, alpha: Number = 1) -> Any:
    """The difference x - alpha other."""
    if depends(x) and depends(other):
        return tape.apply(torch.sub, x, other, alpha=alpha)
    return add(tape, x, other, alpha=-alpha)


def mul(tape: Tape, x: Any, other: Any) -> Any:
    """The product, entry by entry."""
    require_one_factor("a product", x, other)
    x, other = (x, other) if depends(x) else (other, x)
    if isinstance(other, int | float) and abs(other) == 1:
        return x if other == 1 else tape.apply(torch.neg, x)
    return tape.apply(torch.mul, x, one_row(tape, other, x.sample.ndim))


def div(tape: Tape, x: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """The quotient x / other."""
    if depends(other):
        raise Refusal("a quotient by what depends on the input is not piecewise affine")
    if rounding_mode is not None:
        raise Refusal(f"div with rounding_mode={rounding_mode} is not continuous")
    return tape.apply(torch.true_divide, x, one_row(tape, other, x.sample.ndim))


def matmul(tape: Tape, x: Any, other: Any) -> Any:
    """Matrix products, of any shapes."""
    require_one_factor("a matrix product", x, other)
    return tape.apply(torch.matmul, x, other)


def einsum(tape: Tape, equation: str, *operands: Any) -> Any:
    """Sums of products."""
    require_one_factor("a product", *find_slots(operands))
    return tape.apply(torch.einsum, equation, *operands)


def addmm(tape: Tape, x: Any, left: Any, right: Any, *, beta: Number = 1, alpha: Number = 1) -> Any:
    """The sum beta x + alpha left right."""
    product = mul(tape, matmul(tape, left, right), alpha)
    if depends(x):
        return add(tape, product, mul(tape, x, beta))
    return add(tape, product, x, alpha=beta)


def lerp(tape: Tape, x: Any, end: Any, weight: Any) -> Any:
    """The point x + weight (end - x)."""
    return add(tape, x, mul(tape, sub(tape, end, x), weight))


def _swapped(operation: Operation) -> Operation:
    def swapped(tape: Tape, x: Any, other: Any, **options: Any) -> Any:
        return operation(tape, other, x, **options)

    return swapped


ARITHMETIC: dict[str, Operation] = {
    "add": add,
    "radd": _swapped(add),
    "sub": sub,
    "subtract": sub,
    "rsub": _swapped(sub),
    "mul": mul,
    "multiply": mul,
    "rmul": _swapped(mul),
    "div": div,
    "divide": div,
    "truediv": div,
    "true_divide": div,
    "matmul": matmul,
    "rmatmul": _swapped(matmul),
    "mm": matmul,
    "bmm": matmul,
    "einsum": einsum,
    "addmm": addmm,
    "baddbmm": addmm,
    "lerp": lerp,
}
