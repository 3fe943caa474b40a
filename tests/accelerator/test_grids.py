"""Slices, regions and counts of networks on a grid are those of the CPU on the pretended device."""

from __future__ import annotations

import pytest
import torch

import creased
from creased.core.native.available import SWITCH
from tests.accelerator.pretend import Pretended
from tests.core.grids.test_grid_complex import random_on_grid

PLANES = [
    ([0.0, 0.0, 0.0], [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]),
    ([0.02, -0.01, 0.03], [[0.8, 0.1], [-0.6, 0.2], [0.1, 0.9]]),
]


@pytest.mark.parametrize(("origin", "basis"), PLANES)
def test_slices(origin: list[float], basis: list[list[float]], device: Pretended) -> None:
    program = random_on_grid(3, (1, 2), seed=1)
    here, there = (creased.slice_program(p, origin, basis) for p in (program, program.to(device.device)))
    found, expected = (creased.extract_complex(cut.program, level=0.1) for cut in (there, here))
    assert found.vertices.device == device.device
    assert found.f_vector() == expected.f_vector()
    curve, expected_curve = (creased.extract_level_set(cut.program, None, 0.1) for cut in (there, here))
    for one, other in ((found, expected), (curve, expected_curve)):
        assert _rounded(one.vertices.cpu()) == _rounded(other.vertices)


def _rounded(points: torch.Tensor) -> list[list[float]]:
    return sorted(((points * 1e9).round() + 0.0).tolist())


def test_regions_and_counts(device: Pretended, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")  # kernels number regions in another order
    program = random_on_grid(3, (1, 2), seed=2)
    there = program.to(device.device)
    found, expected = (creased.extract_complex(each, level=0.1) for each in (there, program))
    assert creased.count_cells(there, level=0.1) == expected.f_vector()
    mine, theirs = creased.find_regions(expected), creased.find_regions(found)
    for moved in (theirs, creased.find_regions(found.to("cpu"))):
        assert moved.neighbours().tolist() == mine.neighbours().tolist()
        assert moved.facets()[1].tolist() == mine.facets()[1].tolist()
    torch.testing.assert_close(theirs.maps(there).cpu(), mine.maps(program))
    torch.testing.assert_close(
        theirs.halfspaces(there, 0.1).normals.cpu(), mine.halfspaces(program, 0.1).normals
    )
