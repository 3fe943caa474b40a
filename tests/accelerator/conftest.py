"""A bench of `scripts/on_gpu.py` on the pretended device."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.accelerator.bench import Bench
from tests.accelerator.pretend import Pretended, pretended


@pytest.fixture
def device() -> Iterator[Pretended]:
    """The device that is not there."""
    with pretended() as counts:
        yield counts


@pytest.fixture
def bench(device: Pretended, tmp_path: Path) -> Bench:
    """A bench on the device; its networks are not fitted."""
    return Bench(device.device, None, tmp_path, True, time.monotonic() + 1000)
