"""While one thread traces a module, others may call, lower and read modules, the same one too."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor, nn

from creased import MLP, GridMLP, lower
from tests.modules import Does

SECONDS = 30.0


def test_other_threads_call_modules_while_one_traces() -> None:
    inside, go = threading.Event(), threading.Event()

    def slow(module: Any, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor):  # a proxy: it is traced
            inside.set()
            assert go.wait(SECONDS)
        return module.parts[0](x)

    inner = nn.Linear(3, 1)
    module, grid, x = Does(slow, inner), GridMLP(3, (2,), 2, 4), torch.rand(5, 3)
    expected, expected_inner = grid(x), inner(x)
    with ThreadPoolExecutor(2) as threads:
        traced = threads.submit(lower, module)
        assert inside.wait(SECONDS)
        torch.testing.assert_close(grid(x), expected)
        torch.testing.assert_close(inner(x), expected_inner)
        other = threads.submit(lower, MLP(3, 4, 1))
        go.set()
        torch.testing.assert_close(traced.result(SECONDS)(x), expected_inner)
        assert other.result(SECONDS).n_neurons == 4
    assert nn.Module.__call__ is CALL


CALL = nn.Module.__call__
