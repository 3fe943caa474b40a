"""Looking at a module, and leaving it as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def in_eval_mode(module: nn.Module) -> Iterator[None]:
    """The module in eval mode; what it notes down on itself meanwhile, as hooks do, is forgotten."""
    kept = {part: dict(vars(part)) for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, attributes in kept.items():
            vars(part).clear()
            vars(part).update(attributes)
