"""Complexes, level sets, certificates and gradients on the pretended device are those of the CPU."""

from collections.abc import Callable

import pytest
import torch

from creased import MLP, GridMLP
from scripts.accelerator import equality
from scripts.accelerator.bench import Bench
from tests.slow import slow

PARTS = ("compare_complexes", slow("compare_level_sets"), "compare_gradients")


@pytest.mark.parametrize("name", PARTS)
def test_small_networks(name: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def networks() -> list[tuple[str, torch.nn.Module]]:
        torch.manual_seed(0)
        grid = GridMLP(2, (1, 2), 2, 3).double()
        for table in grid.grid.tables:
            torch.nn.init.normal_(table)
        return [("2 grid", grid), ("3,2x4", MLP(3, 4, 2).double())]

    monkeypatch.setattr(equality, "networks", networks)
    _require_equal(getattr(equality, name), bench)


@pytest.mark.slow
@pytest.mark.parametrize("name", PARTS)
def test_networks_of_the_script(name: str, bench: Bench) -> None:
    _require_equal(getattr(equality, name), bench)


def _require_equal(compare: Callable[[Bench], None], bench: Bench) -> None:
    compare(bench)
    assert bench.rows
    assert [row for row in bench.rows if not row.is_right] == []
