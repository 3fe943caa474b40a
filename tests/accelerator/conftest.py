"""The parts of `scripts/on_gpu.py`, and a bench on the pretended device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.accelerator.pretend import Pretended, pretended
from tests.scripts.running import SCRIPTS


@pytest.fixture(scope="session")
def part() -> Iterator[Callable[[str], ModuleType]]:
    """Imports a module of `scripts/accelerator`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield lambda name: import_module(f"accelerator.{name}")


@pytest.fixture
def device() -> Iterator[Pretended]:
    """The device that is not there."""
    with pretended() as counts:
        yield counts


@pytest.fixture
def bench(part: Callable[[str], ModuleType], device: Pretended, tmp_path: Path) -> Any:
    """A bench on the device; its networks are not fitted."""
    return part("bench").Bench(device.device, None, tmp_path, True, time.monotonic() + 1000)
