"""A folder for caches where there is no home folder that can be written to.

Compiled kernels of numba and warp, fonts of matplotlib and settings of W&B go to the user's folders; without
any, each package warns, or fails.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

FOLDERS = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME")  # environment variables that these packages go by


def has_home() -> bool:
    """Return True if there is a home folder that caches can be written to."""
    home = os.path.expanduser("~")
    return os.path.isdir(home) and os.access(home, os.W_OK)


def keep_caches() -> None:
    """Let caches go to a folder of the user's own among temporary files, if there is no home folder."""
    if has_home() or all(name in os.environ for name in FOLDERS):
        return
    folder = _own_folder()
    for name in FOLDERS:
        os.environ.setdefault(name, folder)


def _own_folder() -> str:
    """Make a folder that no other user can write to, as compiled code will be read from it."""
    folder = Path(tempfile.gettempdir()) / f"creased-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return tempfile.mkdtemp(prefix="creased-")
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return str(folder) if is_own else tempfile.mkdtemp(prefix="creased-")
