"""Bounds on what files from strangers may unpack to, and their names made safe to print."""

from __future__ import annotations

import zipfile
from pathlib import Path

MOST_BYTES = 1 << 30  # that an archive may unpack to


def bytes_unpacked(path: Path) -> int:
    """Sum the sizes that the directory of a ZIP archive states; 0 for other files. Nothing is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return 0


def why_too_large(path: Path) -> str | None:
    """Say why an archive is not unpacked; None if it is small, or not much smaller than its content.

    A file as large as its content is no trap: whoever has it has the room.
    """
    unpacked = bytes_unpacked(path)
    if unpacked <= max(MOST_BYTES, 2 * path.stat().st_size):
        return None
    return f"{path} of {path.stat().st_size:,} bytes would unpack to {unpacked:,}: not read"


def printable(text: str) -> str:
    """Replace control characters, which a terminal would obey, by their escapes; line ends stay."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
