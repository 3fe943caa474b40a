"""The peak of this process's memory, as Linux counts it.

``ru_maxrss`` of a child starts at what its parent had when it was forked, also after exec; this does not.
"""

from pathlib import Path

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
CAN_MEASURE = FORGET.exists()


def forget_peak() -> int:
    """Let the peak begin anew; return the bytes held now."""
    FORGET.write_text("5")
    return peak_bytes("VmRSS")


def peak_bytes(field: str = "VmHWM") -> int:
    """Return the largest number of bytes held since the start or `forget_peak`."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) << 10
