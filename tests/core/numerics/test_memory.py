"""Free memory is what the machine and its container leave."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from creased.core.numerics import memory

CPU = torch.device("cpu")


def _pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, *, limit: str | None) -> None:
    (folder / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 5000 kB\n")
    if limit is not None:
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text("1000000\n")
    monkeypatch.setattr(memory, "MEMINFO", folder / "meminfo")
    monkeypatch.setattr(memory, "CGROUP", folder)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(None, 5_120_000), ("max", 5_120_000), ("3000000", 2_000_000), ("9000000", 5_120_000)],
)
def test_the_smaller_of_machine_and_container(
    limit: str | None, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pretend(monkeypatch, tmp_path, limit=limit)
    assert memory.free_bytes(CPU) == expected


def test_unknown_where_the_system_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "none")
    assert memory.free_bytes(CPU) is None


def test_sizes_are_for_people() -> None:
    assert memory.format_bytes(2.5 * 2**30) == "2.5 GB"
