"""Sums and products with constants, in all their spellings, and refusals of products of inputs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from creased import UnsupportedModuleError, lower
from tests.modules import Does, agreed

SPELLINGS: dict[str, Callable] = {
    "add": lambda m, x: x + m.w,
    "add a number from the left": lambda m, x: 1 + x,
    "add with a factor": lambda m, x: torch.add(x, m.w, alpha=3),
    "add with a factor to a constant": lambda m, x: torch.add(m.w, x, alpha=-3),
    "add in place": lambda m, x: x.clone().add_(m.w),
    "add what broadcasts": lambda m, x: x[:, None] + m.w[:, None],
    "add of two": lambda m, x: x + 2 * x[:, :1],
    "subtract": lambda m, x: x - m.w,
    "subtract from": lambda m, x: m.w - x,
    "subtract a number": lambda m, x: 1 - x - 0.5,
    "subtract with a factor": lambda m, x: torch.sub(x, m.w, alpha=2),
    "rsub": lambda m, x: torch.rsub(x, m.w),
    "multiply": lambda m, x: m.w * x * 2,
    "multiply by a computed constant": lambda m, x: x * (m.w.exp() + m.c),
    "negate": lambda m, x: -x * -1,
    "divide": lambda m, x: x / m.w / 3,
    "matrix product": lambda m, x: x @ torch.outer(m.w, m.c),
    "matrix product from the left": lambda m, x: torch.outer(m.w, m.c) @ x[:, :, None],
    "einsum": lambda m, x: torch.einsum("bi,ij->bj", x, torch.outer(m.w, m.c)),
    "addmm": lambda m, x: torch.addmm(m.w, x, torch.outer(m.w, m.c), beta=0.5, alpha=2),
    "addmm of inputs": lambda m, x: torch.addmm(x, x, torch.outer(m.w, m.c), beta=0.5),
    "lerp": lambda m, x: torch.lerp(x, m.w, 0.25),
    "a tensor that is no attribute": lambda m, x: x * torch.tensor([1.0, 2.0, 3.0]).to(x.dtype),
    "ones in the likeness of the input": lambda m, x: x + torch.ones_like(x) * m.w,
    "one row a point, all alike": lambda m, x: x + x.new_full((x.shape[0], 3), 2.0),
    "sum of a list": lambda m, x: sum([x, 2 * x, m.w]),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_sums_and_products_are_affine(name: str) -> None:
    assert agreed(Does(SPELLINGS[name])).widths == ()


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda m, x: x * x, "a product of two values that depend on the input"),
        (lambda m, x: x[:, None] @ x[:, :, None], "a matrix product of two values"),
        (lambda m, x: torch.einsum("bi,bi->b", x, x), "a product of two values"),
        (lambda m, x: 1 / x, "a quotient by a value that depends on the input"),
        (lambda m, x: torch.div(x, 2, rounding_mode="floor"), "rounding_mode=floor is not continuous"),
        (lambda m, x: x**2, "pow is not piecewise affine; the nearest supported is abs"),
        (lambda m, x: x // 2, "floordiv is not continuous"),
        (lambda m, x: x + torch.arange(x.shape[0])[:, None], "differs from point to point"),
    ],
)
def test_what_is_not_affine_is_refused_by_place(function: Callable, reason: str) -> None:
    with pytest.raises(
        UnsupportedModuleError, match=r"lower: Does \(Does\), line \d+ of test_arithmetic.py"
    ) as refusal:
        lower(Does(function), input_shape=(3,))
    assert reason in str(refusal.value)
