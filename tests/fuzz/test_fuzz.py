"""Any network, any domain: seconds of it by default, minutes with -m slow, more by scripts/checks/fuzz.py.

CREASED_FUZZ_SECONDS is how long the slow one takes. Both draw the same cases each time, so that a change is
not blamed for what it did not do; new ones are for scripts/checks/fuzz.py, whose finds go to
tests/regressions/.
"""

from __future__ import annotations

import os

import pytest

from tests.fuzz.search import search

SECONDS = float(os.environ.get("CREASED_FUZZ_SECONDS", "180"))


def test_random_networks_for_a_few_seconds() -> None:
    found = search(60, seed=0, most=6)
    assert found.n_tried > 1
    assert found.failure is None, found.report()


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 300)
def test_random_networks_for_minutes() -> None:
    found = search(SECONDS, seed=1, most=2000)
    assert found.failure is None, found.report()
    assert found.n_misled <= 1 + found.n_tried / 100
