"""Parameters that `pytest -m slow` runs alone: a few of each kind stay in the default suite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def slow(*values: Any) -> Any:
    """Mark the values of one case as slow."""
    return pytest.param(*values, marks=pytest.mark.slow)


def but_few(values: Sequence[Any], n: int) -> list[Any]:
    """Mark all values but the first n as slow."""
    return [*values[:n], *map(slow, values[n:])]
