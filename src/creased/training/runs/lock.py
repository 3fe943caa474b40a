"""Keep other processes out of a run folder while a run writes to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from creased.training.runs.folders import ResumeError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; the operating system releases it with the process, however that ends.

    Raises:
        ResumeError: another run holds it.
    """
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ResumeError(
            f"{folder} is in use by another run: wait for its end, or choose another folder"
        ) from None
    try:
        yield
    finally:
        lock.release()
        if [path.name for path in folder.iterdir()] == [".lock"]:  # of a run that was refused
            (folder / ".lock").unlink()
