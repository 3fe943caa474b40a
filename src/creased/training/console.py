"""Print to terminals of any width and encoding, and to the log of the run."""

from __future__ import annotations

import logging
import sys
from io import StringIO, TextIOWrapper
from logging.handlers import MemoryHandler
from typing import Any, TextIO

WIDTH = 120  # characters of tables in log files


class StandardOutput(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stdout` is at the time: a progress bar replaces it, to print above itself."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The standard output."""
        return sys.stdout


def tolerate_encodings() -> None:
    """Replace characters that the terminal cannot show, in place of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(*parts: Any) -> None:
    """Print parts, which Rich may format, to the terminal, and as text to the log files."""
    from rich.console import Console

    text = StringIO()
    file, console = Console(file=text, width=WIDTH), Console()
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str), markup=False, highlight=False)
        file.print(part, soft_wrap=isinstance(part, str), markup=False, highlight=False)
    record = logging.makeLogRecord({"msg": text.getvalue().rstrip("\n"), "levelno": logging.INFO})
    for handler in logging.getLogger().handlers:
        if isinstance(handler, MemoryHandler | logging.FileHandler):
            handler.handle(record)
