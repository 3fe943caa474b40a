"""Memory: what is free, how much to reserve and to work on at once, by device, and the error when it ends."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

ROOM = {"cpu": 4}  # capacity of a growing tensor over the rows needed; 2 elsewhere
WORKING_BYTES = {"cpu": 1 << 28}  # of the cells that are cut at once; 4 GiB elsewhere
SHARES = 8  # of the memory that is allowed, one of which is for the cells that are cut at once
PARTS = 8  # of a GPU's memory, one of which they may take
LEAST = 1 << 25  # bytes that cutting may take however little is allowed
BATCHES_OF_A_DEVICE = 1 << 7  # that a CPU would work on one after the other; each launch costs the same
M_MMAP_THRESHOLD = -3  # of mallopt
LARGE_BLOCK = 1 << 22  # bytes
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


class CellLimitError(ValueError):
    """More cells than are allowed, or than the memory that is allowed holds; the message has the numbers."""


class Resources(NamedTuple):
    """What an extraction may use; None leaves it open."""

    memory: int | None = None  # bytes that the call may take; the free memory by default
    at_once: int | None = None  # vertices that are cut at once; what fits in `working_bytes` by default
    device: torch.device | str | None = None  # the program's by default
    dtype: torch.dtype | None = None  # floating type to work in; the program's by default
    progress: Callable[[str], None] | None = None  # called with a message, now and then

    def memory_on(self, device: torch.device) -> int | None:
        """Return the bytes that may be used on a device; None if unknown."""
        return free_bytes(device) if self.memory is None else self.memory

    def share_on(self, device: torch.device) -> int:
        """Return the bytes that cells being cut at once may take: a share of what may be used."""
        allowed = self.memory_on(device)
        return working_bytes(device) if allowed is None else max(allowed, LEAST) // SHARES

    def keep_apart(self) -> None:
        """Have the C library take large blocks apart, where memory is limited.

        Else glibc keeps what is freed between smaller blocks, and finds no place for aligned ones in it.
        """
        if self.memory is not None and hasattr(library := ctypes.CDLL(None), "mallopt"):
            library.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)

    def report(self, words: str) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(words)


def room(device: torch.device) -> int:
    """Return the number of rows to reserve for each row needed.

    On the CPU reserved rows take no memory until they are written (pages are mapped when first touched), so
    more are reserved than on a device, and less is copied.
    """
    return ROOM.get(device.type, 2)


def working_bytes(device: torch.device) -> int:
    """Return the bytes that cells being cut at once may take."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory // PARTS
    return WORKING_BYTES.get(device.type, 1 << 32)


def rows_at_once(n: int, device: torch.device, fitting: int | None = None) -> int:
    """Return how many rows to work on in one go: n, which fit the cache of a CPU.

    Elsewhere it is as many as are known to fit the memory, or many times n.
    """
    if device.type == "cpu":
        return n
    return BATCHES_OF_A_DEVICE * n if fitting is None else fitting


def selection_pays(device: torch.device) -> bool:
    """True where working on a few rows of many is cheaper than working on all.

    On a device it is not: the host would wait for the number of the rows, while all are done in no time.
    """
    return device.type == "cpu"


def free_bytes(device: torch.device) -> int | None:
    """Measure the free memory of a device; None where it is unknown."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if not MEMINFO.exists():
        return None
    fields = dict(line.split(":") for line in MEMINFO.read_text().splitlines())
    free = int(fields["MemAvailable"].split()[0]) << 10
    allowed, used = (_number_in(CGROUP / name) for name in ("memory.max", "memory.current"))
    return free if allowed is None or used is None else min(free, allowed - used)


def _number_in(path: Path) -> int | None:
    text = path.read_text().strip() if path.exists() else ""
    return int(text) if text.isdigit() else None


def format_bytes(n_bytes: float) -> str:
    """Format a number of bytes in GB, or in MB below 128 MB."""
    size, unit = (n_bytes / 2**30, "GB") if n_bytes >= 1 << 27 else (n_bytes / 2**20, "MB")
    return f"{size:.2g} {unit}" if size < 99 else f"{size:,.0f} {unit}"
