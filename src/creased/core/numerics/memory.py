"""Memory: how much there is, and how it is used on the CPU and elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

ROOM = {"cpu": 4}  # a growing tensor's capacity is this multiple of the rows needed; 2 elsewhere
WORKING_BYTES = {"cpu": 1 << 28}  # of what is cut at once; 4 GiB elsewhere
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


class Resources(NamedTuple):
    """What an extraction may use; None leaves it open."""

    memory: int | None = None  # bytes that what is found may take; what is free by default
    at_once: int | None = None  # vertices that are cut at once; what fits in `working_bytes` by default
    device: torch.device | str | None = None  # the program's by default
    dtype: torch.dtype | None = None  # floating type to work in; the program's by default
    progress: Callable[[str], None] | None = None  # is told in words, now and then, how far it is

    def memory_on(self, device: torch.device) -> int | None:
        """Bytes that are allowed on a device; None where that can't be told."""
        return free_bytes(device) if self.memory is None else self.memory

    def report(self, words: str) -> None:
        """Tell how far it is."""
        if self.progress is not None:
            self.progress(words)


def room(device: torch.device) -> int:
    """Rows to reserve for each row needed.

    On the CPU rows that are reserved but not yet written take no memory (the system maps pages when they are
    first touched), so more of them are reserved than on a device, and less is copied.
    """
    return ROOM.get(device.type, 2)


def working_bytes(device: torch.device) -> int:
    """What the part of a complex that is being cut may take."""
    return WORKING_BYTES.get(device.type, 1 << 32)


def free_bytes(device: torch.device) -> int | None:
    """Memory that is free on a device now; None where that can't be told."""
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
    """For people; in megabytes where it is little."""
    size, unit = (n_bytes / 2**30, "GB") if n_bytes >= 1 << 27 else (n_bytes / 2**20, "MB")
    return f"{size:.2g} {unit}" if size < 99 else f"{size:,.0f} {unit}"
