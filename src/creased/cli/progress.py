"""Show progress on one line of standard error."""

from __future__ import annotations

import sys

WIDTH = 100


def show_progress(progress: str) -> None:
    """Print on a line that the next message overwrites."""
    print(f"\r{progress:<{WIDTH}}", end="", file=sys.stderr, flush=True)


def clear_progress() -> None:
    """Clear that line."""
    print(f"\r{'':<{WIDTH}}\r", end="", file=sys.stderr, flush=True)
