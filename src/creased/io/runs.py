"""Find run folders by when they began, and the checkpoints in them that can be read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from creased.io.checkpoint import CheckpointError, read_record

LAST = Path("checkpoints") / "last.ckpt"
BEST = LAST.with_name("best.ckpt")
EPOCHS = "epochs"  # folder of a run: the function of each epoch
TIME = "%Y-%m-%d_%H-%M-%S"  # of a run's start, at the front of its folder's name
# A folder's name: a time or the number of a job, the shape, and a counter within a second.
NAME = re.compile(r"(?:(?P<stamp>\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d|\d+)_)?.+?(?:~(?P<count>\d+))?", re.DOTALL)


def newest_first(folder: Path) -> list[tuple[str, Path]]:
    """List stamps and folders of the runs in a folder by when they began.

    That is told by their names alone: copies and clocks of file servers change the times of files. Times come
    before numbers of jobs, and these before a name with neither.
    """
    found = [(NAME.fullmatch(path.name), path) for path in folder.glob("*")]
    runs = [(match["stamp"] or "", int(match["count"] or 1), path) for match, path in found if match]
    runs.sort(key=lambda run: (len(run[0]), *run), reverse=True)
    return [(stamp, path) for stamp, _, path in runs]


def last_run() -> Path:
    """Find the run that began last, of those with a checkpoint under CREASED_ROOT, or here.

    Raises:
        CheckpointError: there is none.
    """
    logs = Path(os.environ.get("CREASED_ROOT", ".")) / "logs"
    runs = [
        run for folder in logs.glob("*/runs") for run in newest_first(folder) if (run[1] / LAST).is_file()
    ]
    if not runs:
        raise CheckpointError(f"last: no run under {logs} has a checkpoint yet")
    return max(runs, key=lambda run: (len(run[0]), *run))[1]


def named(path: Path) -> Path:
    """Return the path that a user names: "last" is the newest run, unless there is a file of that name."""
    return last_run() if str(path) == "last" and not path.exists() else as_named(path)


def as_named(path: str | Path) -> Path:
    """Return the path of a name: ``~`` is the home folder, unless that is the name of a file."""
    path = Path(path)
    try:
        return path if path.exists() else path.expanduser()
    except RuntimeError:  # ~name of no user
        return path


def checkpoint_of(path: Path) -> Path:
    """Return the last checkpoint of a run folder; a file as it is."""
    return path / LAST if path.is_dir() else path


def readable_checkpoints(run: Path) -> Iterator[Path]:
    """Yield what a run can be resumed from or extracted from, once it is read: last, best, newest epochs."""
    epochs = sorted((run / EPOCHS).glob("epoch_*.ckpt"), key=lambda file: (len(file.name), file.name))
    for path in (run / LAST, run / BEST, *reversed(epochs)):
        if path.is_file():
            try:
                read_record(path)
            except CheckpointError:
                continue
            yield path
