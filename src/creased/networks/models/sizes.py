"""Sizes that users give."""

from __future__ import annotations


def require_positive(call: str, **sizes: int) -> None:
    """Refuse sizes below 1.

    Raises:
        ValueError: one is.
    """
    if min(sizes.values()) < 1:
        given = ", ".join(f"{name}={size}" for name, size in sizes.items())
        raise ValueError(f"{call}: all sizes must be positive, got {given}")
