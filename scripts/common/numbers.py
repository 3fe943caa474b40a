"""Write numbers as JSON and as tables in Markdown."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import Any


def write_numbers(path: Path | None, **numbers: Any) -> None:
    """Write numbers as JSON, with the date, if a path was given."""
    if path:
        path.write_text(json.dumps({"date": str(date.today()), **numbers}, indent=2))


def as_table(header: Collection[str], rows: Iterable[Iterable[str]]) -> str:
    """Format a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
