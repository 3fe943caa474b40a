"""Draws cases until one fails or the time is up; what fails is shrunk by hypothesis first."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from tests.fuzz.cases import FuzzCase, as_code, fuzz_cases
from tests.fuzz.properties import check

AT_ONCE = 20  # cases between two looks at the clock, of one seed


@dataclass
class Search:
    """What was tried, and the smallest case that failed."""

    n_tried: int = 0
    n_misled: int = 0  # of them, in so many rounding decided a sign wrongly
    failure: BaseException | None = None
    case: FuzzCase | None = None

    def report(self) -> str:
        """The failure, and a test to paste."""
        if self.failure is None or self.case is None:
            return f"{self.n_tried} cases, none failed; rounding misled {self.n_misled}"
        where = "".join(traceback.format_tb(self.failure.__traceback__)[-3:])
        what = f"{type(self.failure).__name__}: {self.failure}"
        return f"{where}{what}\n\n# paste into tests/regressions/:\n\n{as_code(self.case)}\n"


def search(seconds: float, seed: int | None = None, most: int = 10**9) -> Search:
    """Try cases for some seconds, or so many, from a seed, or from the time."""
    end, done = time.monotonic() + seconds, Search()
    start = time.time_ns() if seed is None else seed

    has_failed = [False]

    def one(case: FuzzCase) -> None:
        if not has_failed[0] and (done.n_tried >= most or time.monotonic() > end):
            return
        done.n_tried += 1
        done.case = case
        try:
            done.n_misled += check(case)
        except Exception:
            has_failed[0] = True  # from now on all are tried, whatever the time: it is shrunk
            raise

    while time.monotonic() < end and done.n_tried < most and done.failure is None:
        quietly = settings(
            max_examples=AT_ONCE,
            deadline=None,
            database=None,
            derandomize=False,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        try:
            seeded(start)(quietly(given(case=fuzz_cases())(one)))()
        except Exception as failure:
            done.failure = failure
        start += 1
    return done
