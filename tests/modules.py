"""Small modules for tests, and the comparison of a module with its program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from creased import Program, lower


class Does(nn.Module):
    """A module that does what a function says, with parameters w and parts to its name."""

    def __init__(self, function: Callable[[Any, Tensor], Tensor], *parts: nn.Module, dim: int = 3) -> None:
        super().__init__()
        self.function = function
        self.parts = nn.ModuleList(parts)
        generator = torch.Generator().manual_seed(1)
        self.w = nn.Parameter(torch.randn(dim, generator=generator))
        self.register_buffer("c", torch.randn(dim, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def asserting(net: nn.Module, x: Tensor) -> Tensor:
    """Assert much, then apply a network; pytest would rewrite assertions of a test file."""
    assert torch.isfinite(x).all()
    assert x.shape[-1] == 3
    assert x.dtype.is_floating_point
    assert not x.requires_grad
    assert not x.isnan().any()
    assert (x.abs() < 1e6).all()
    assert not (x > 1e6).any()
    torch._assert(torch.isfinite(x).all(), "finite")
    if not torch.isfinite(x).all().item():
        raise ValueError("not finite")
    return net(x.cuda() if x.is_cuda else x.contiguous())  # type: ignore[no-any-return]


def points(n: int, *shape: int, seed: int = 3) -> Tensor:
    """Normal points in double precision."""
    return 2 * torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def agreed(module: nn.Module, *shape: int) -> Program:
    """The program of a module in double precision; values and gradients are those of the module."""
    module = module.double().eval()
    program = lower(module, input_shape=shape or (3,))
    x = points(50, *(shape or (3,)))
    expected = module(x).reshape(50, -1)
    torch.testing.assert_close(program(x.flatten(1)), expected, rtol=1e-10, atol=1e-10)
    parameters = [p for p in module.parameters() if p.requires_grad]
    again = lower(module, input_shape=shape or (3,), check=False)(x.flatten(1))
    found, true = (
        torch.autograd.grad(y.sin().sum(), parameters, allow_unused=True) if y.requires_grad else ()
        for y in (again, expected)
    )
    for ours, theirs in zip(found, true, strict=True):
        if theirs is None:
            assert ours is None or not bool(ours.any())
        else:
            torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-9)  # torch has 1.0f / 6.0f
    return program
