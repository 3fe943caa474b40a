"""Write files atomically."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside a path, which is synced and renamed to it at the end; folders are created.

    Raises:
        OSError: it cannot be written; an old file of that name is unchanged.
    """
    require_place(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.umask(mask := os.umask(0))
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes) -> None:
    """Write a file as `replacing` does.

    Raises:
        OSError: it cannot be written; an old file of that name is unchanged.
    """
    with replacing(path) as file:
        file.write(content)


def require_place(path: Path) -> None:
    """Refuse a path where no file can be written, which may be asked before long work.

    Raises:
        OSError: it is a folder, or is to be in a file, or in a folder without permission.
    """
    if path.is_dir():
        raise IsADirectoryError(f"cannot write {path}: it is a folder")
    there = next(folder for folder in path.absolute().parents if folder.exists())
    if not there.is_dir():
        raise NotADirectoryError(f"cannot write {path}: {there} is a file")
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write {path}: no permission to write in {there}")
