"""Axes to draw on, and what was drawn on them."""

from __future__ import annotations

from typing import Any

from matplotlib.collections import Collection
from matplotlib.figure import Figure


def new_axes(projection: str | None = None) -> Any:
    return Figure().add_subplot(projection=projection)


def drawn(axes: Any, kind: type[Collection]) -> list[Any]:
    """The collections of exactly a kind, in the order in which they were drawn."""
    return [found for found in axes.collections if type(found) is kind]
