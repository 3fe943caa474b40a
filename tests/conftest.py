"""Options and fixtures of the whole suite: where and in what precision to work, and shared networks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from creased import Affine, Block, Program
from creased.core.numerics.tolerance import get_epsilon
from creased.extras import LAUNCHER

SHARED_NETS = Path(__file__).parents[2] / "shared" / "nets"  # beside the checkout on some machines, or absent

torch.set_num_threads(1)
os.environ.pop(LAUNCHER, None)  # messages are those of an environment of one's own, however the tests are run

settings.register_profile(
    "creased",
    deadline=None,
    max_examples=25 if os.environ.get("CI") else 10,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("creased")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to run the engine."""
    parser.addoption("--device", default="cpu", help="torch device of the networks under test")
    parser.addoption("--dtype", default="float64", choices=["float32", "float64"], help="their floating type")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Slow tests run where the command line speaks of them: ``-m slow``, ``-m "slow or not slow"``."""
    if "slow" not in config.option.markexpr:
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow: run with -m slow"))


def pytest_runtest_setup() -> None:
    """What a test draws without a generator of its own is the same each time, and whatever ran before."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> torch.device:
    """Device of the networks under test."""
    return torch.device(request.config.getoption("--device"))


@pytest.fixture(scope="session")
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    """Floating type of the networks under test."""
    return getattr(torch, request.config.getoption("--dtype"))


@pytest.fixture(scope="session")
def tolerance(dtype: torch.dtype) -> float:
    """Relative tolerance for values computed in the floating type under test."""
    return get_epsilon(dtype)


@pytest.fixture(scope="session")
def shared_program(device: torch.device, dtype: torch.dtype) -> Callable[[str], Program]:
    """Loads a network that lies beside the checkout, or skips the test."""

    def load(name: str) -> Program:
        numpy = pytest.importorskip("numpy")
        path = SHARED_NETS / f"{name}.npz"
        if not path.exists():
            pytest.skip(f"{path} is not here")
        arrays = numpy.load(path)
        n_layers = sum(key.startswith("weight_") for key in arrays.files)
        affines = [
            Affine(
                *(torch.from_numpy(arrays[f"{part}_{i}"]).to(device, dtype) for part in ("weight", "bias"))
            )
            for i in range(n_layers)
        ]
        return Program(tuple(Block(affine) for affine in affines[:-1]), affines[-1])

    return load
