"""Time parts on a device: each guarded, printed when it is done, and kept for the table."""

from __future__ import annotations

import signal
import statistics
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import torch

from scripts.accelerator.networks import Networks

LONG = 4.0  # seconds after which a measurement is not repeated
Result = TypeVar("Result")


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    part: str
    device: str
    seconds: float | None  # median; None where nothing is timed
    first: float | None  # seconds of the first run, which warms up
    peak_mib: float | None  # greatest memory of tensors on the device; None on a CPU
    result: str
    is_right: bool = True

    def cells(self) -> list[str]:
        """Format part, device, seconds, those of the first run, peak and result."""
        numbers = [
            "" if number is None else f"{number:{form}}"
            for number, form in ((self.seconds, ".4f"), (self.first, ".3f"), (self.peak_mib, ",.0f"))
        ]
        return [self.part, self.device, *numbers, self.result if self.is_right else f"WRONG: {self.result}"]


class OutOfTimeError(BaseException):  # no `except Exception` of a part may catch it
    """A part took longer than it may."""


@dataclass
class Bench:
    """A device, the networks on it, and the rows measured so far."""

    device: torch.device
    networks: Networks
    out: Path
    quick: bool
    ends: float  # in `time.monotonic`: no part starts later
    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the device."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type

    def synchronize(self) -> None:
        """Wait for the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def run(self, part: Callable[[Bench], None], limit: float) -> None:
        """Run a part for at most so many seconds; an exception is printed and ends that part alone."""
        start = time.monotonic()
        limit = min(limit, self.ends - start)
        if limit <= 0:
            self._failed(part.__name__, "no time left")
            return
        previous = signal.signal(signal.SIGALRM, _out_of_time)
        signal.setitimer(signal.ITIMER_REAL, limit)
        try:
            part(self)
        except OutOfTimeError:
            self._failed(part.__name__, f"stopped after {limit:.0f} s")
        except Exception as error:  # a part that fails must not stop the others
            traceback.print_exc()
            self._failed(part.__name__, f"{type(error).__name__}: {str(error)[:200]}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
        self._release()
        print(f"--- {part.__name__}: {time.monotonic() - start:.1f} s in all", flush=True)

    def time(
        self, part: str, work: Callable[[], Result], tell: Callable[[Result], str], repeats: int = 3
    ) -> Result:
        """Time a call: once to warm up, then the median of some runs, if it is short."""
        self._release()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        first, result = self.seconds(work)
        runs = []
        for _ in range(repeats if first < LONG else 0):
            del result
            seconds, result = self.seconds(work)
            runs.append(seconds)
        peak = torch.cuda.max_memory_allocated(self.device) / 2**20 if self.device.type == "cuda" else None
        seconds = statistics.median(runs) if runs else first
        self.add(Row(part, self.device.type, seconds, first, peak, tell(result)))
        return result

    def check(self, part: str, is_right: bool, result: str, seconds: float | None = None) -> None:
        """Record a comparison, with the seconds that the device took."""
        self.add(Row(part, self.device.type, None, seconds, None, result, is_right))

    def add(self, row: Row) -> None:
        """Record and print a row."""
        self.rows.append(row)
        print(" | ".join(row.cells()), flush=True)

    def numbers(self) -> dict[str, Any]:
        """All that was measured, for JSON."""
        return {
            "device": self.name,
            "torch": torch.__version__,
            "rows": [asdict(row) for row in self.rows],
            "failures": self.failures,
        }

    def seconds(self, work: Callable[[], Result]) -> tuple[float, Result]:
        """Time one call; return its result too."""
        self.synchronize()
        start = time.perf_counter()
        result = work()
        self.synchronize()
        return time.perf_counter() - start, result

    def _failed(self, part: str, why: str) -> None:
        self.failures.append(f"{part}: {why}")
        print(f"FAILED {self.failures[-1]}", flush=True)

    def _release(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def _out_of_time(number: int, frame: FrameType | None) -> None:
    raise OutOfTimeError
