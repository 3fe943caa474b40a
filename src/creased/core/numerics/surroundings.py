"""Compute in the numbers and on the devices that are written down, whatever surrounds a call.

Autocast would multiply in half precision what is stated in single; a default device would hold indices that
are meant for the CPU. Both are put aside while a function runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, ParamSpec, TypeVar, cast

import torch

Arguments = ParamSpec("Arguments")
Found = TypeVar("Found")


def as_written(call: Callable[Arguments, Found]) -> Callable[Arguments, Found]:
    """Extend a function, or a generator, to put autocast and the default device aside."""
    if isgeneratorfunction(call):
        return cast(Callable[Arguments, Found], _as_written_step_by_step(call))

    @wraps(call)
    def alone(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Found:
        with aside():
            return call(*args, **kwargs)

    return alone


def _as_written_step_by_step(call: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Extend a generator, with its surroundings as they were between its steps."""

    @wraps(call)
    def alone(*args: Any, **kwargs: Any) -> Iterator[Any]:
        steps, end = call(*args, **kwargs), object()
        while True:
            with aside():
                made = next(steps, end)
            if made is end:
                return
            yield made

    return alone


def aside() -> ExitStack:
    """Return a context without autocast, and with the CPU as the default device."""
    stack = ExitStack()
    accelerator = torch.accelerator.current_accelerator()
    for kind in {"cpu", "cpu" if accelerator is None else accelerator.type}:
        if torch.is_autocast_enabled(kind):
            stack.enter_context(torch.autocast(kind, enabled=False))
    if torch.get_default_device().type != "cpu":
        stack.enter_context(torch.device("cpu"))
    return stack
