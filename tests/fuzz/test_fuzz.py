"""Any network, any domain: a few seconds of it by default, minutes with -m slow, and more by scripts/fuzz.py.

CREASED_FUZZ_SECONDS is how long the slow one takes.
"""

from __future__ import annotations

import os

import pytest

from tests.fuzz.search import search

SECONDS = float(os.environ.get("CREASED_FUZZ_SECONDS", "180"))


def test_random_networks_for_a_few_seconds() -> None:
    found = search(60, seed=0, most=15)
    assert found.n_tried > 1
    assert found.failure is None, found.report()


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 300)
def test_random_networks_for_minutes() -> None:
    found = search(SECONDS)
    assert found.failure is None, found.report()
