"""Trace a module: run it on proxies of its input, then take what stands behind the last layer off."""

from __future__ import annotations

import math
import threading
import traceback
from typing import Any

import torch
from torch import nn

from creased.networks.lowering.graph.evaluation import (
    Output,
    OutputError,
    choose_output,
    in_eval_mode,
    uses_unsupported,
)
from creased.networks.lowering.graph.refusals import (
    Refusal,
    UnsupportedModuleError,
    reason_of,
    unsupported_reason,
)
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import BATCH, BatchSize, Value
from creased.networks.lowering.last_activation import LastActivation
from creased.networks.lowering.operators.behind import Mapped, increasing, record_behind
from creased.networks.lowering.operators.stacked import REFUSAL, Stacked
from creased.networks.lowering.operators.switches import Switch, Undecided
from creased.networks.lowering.proxy import Proxy, batch_size_as_len
from creased.networks.lowering.recorder import Recorder

TRACING = threading.RLock()  # while a trace changes the class of all modules (torch.fx) and len


class _Root(nn.Module):
    """Call a module on points; keep the result."""

    def __init__(self, module: nn.Module, points: Any) -> None:
        super().__init__()
        self.module, self.points, self.result = module, points, None

    def forward(self) -> None:
        self.result = self.module(self.points)


def trace(
    module: nn.Module, shape: tuple[int, ...], tape: Tape, output: Output | None = None
) -> tuple[Value, LastActivation | None]:
    """Record a module, in eval mode, on points of a shape.

    Returns:
        Its flattened output (n, O), without a last activation that is monotone, and that activation.

    Raises:
        UnsupportedModuleError: an operation is not supported; the message names it and its place.
    """
    recorder = Recorder(tape, module)
    points = recorder.record_points(math.prod(shape))
    if len(shape) != 1:
        points = tape.apply(torch.Tensor.reshape, points, (-1, *shape))
    root = _Root(module, Proxy(points, recorder))
    try:
        with TRACING, in_eval_mode(module), batch_size_as_len():
            recorder.trace(root)
            return _without_last(tape, choose_output(root.result, output))
    except (UnsupportedModuleError, OutputError):
        raise
    except Exception as error:
        reason = str(error) if isinstance(error, Refusal) else f"cannot be traced: {reason_of(error)}"
        if isinstance(error, Refusal) and (called := uses_unsupported(module, shape)):
            reason = unsupported_reason(called)
        place = recorder.place(traceback.extract_tb(error.__traceback__))
        raise UnsupportedModuleError(f"lower: {place}: {reason}") from error


def _without_last(tape: Tape, result: Any) -> tuple[Value, LastActivation | None]:
    """Flatten an output to (n, O), and take a last activation off."""
    value = result.value if isinstance(result, Proxy) else None
    if value is None or value.is_constant:
        raise Refusal("the output does not depend on the input")
    if isinstance(value, Stacked):
        raise Refusal(REFUSAL.format("the output"))
    if isinstance(value, Switch | Undecided):
        raise Refusal(unsupported_reason(value.name if isinstance(value, Switch) else "gt"))
    if len(result.shape) != 2:
        arguments = (value, (BatchSize(BATCH), -1))
        if isinstance(value, Mapped):
            value = record_behind(tape, "reshape", torch.Tensor.reshape, arguments, {})
        else:
            value = tape.apply(torch.Tensor.reshape, *arguments)
    return increasing(tape, value) if isinstance(value, Mapped) else (value, None)
