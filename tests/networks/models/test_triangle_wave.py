"""Triangle waves: values, frequencies, and creases by folding."""

from __future__ import annotations

import math

import pytest
import torch

from creased import Box, extract_complex, lower
from creased.networks import TriangleMLP, TriangleWave
from tests.modules import agreed, points


@pytest.mark.parametrize("half_width", [0.5, 2.0])
def test_waves_are_those_of_the_arc_cosine(half_width: float) -> None:
    x = points(100, 2).clamp(-2, 2) * half_width / 2
    waves = TriangleWave(4, half_width)(x).unflatten(1, (-1, 2))
    torch.testing.assert_close(waves[:, 0], x)
    for k in range(1, 5):
        wave = 1 - 2 * torch.acos(torch.cos(2 ** (k - 1) * math.pi * x / half_width)) / math.pi
        torch.testing.assert_close(waves[:, k], wave if k == 1 else -wave, rtol=0, atol=1e-6)


def test_octaves_fold_the_line() -> None:
    program = lower(TriangleWave(3, 1.0).double(), input_shape=(1,))
    assert program.widths == (1, 1, 1)
    complex_ = extract_complex(program.to(dtype=torch.float64), Box.cube(1, 1), level=None)
    expected = torch.arange(-4, 5, dtype=torch.float64)[:, None] / 4
    torch.testing.assert_close(complex_.vertices.sort(0).values, expected)


def test_a_perceptron_on_waves_keeps_the_waves_until_it_reads_them() -> None:
    torch.manual_seed(0)
    program = agreed(TriangleMLP(3, 6, 2, octaves=2))
    assert program.widths == (3, 3, 6, 6)
    assert [block.affine.weight.shape[1] for block in program.blocks][:3] == [3, 3 + 3, 6]


@pytest.mark.parametrize("options", [{"octaves": 0}, {"half_width": 0.0}, {"half_width": math.inf}])
def test_sizes_must_be_positive(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"TriangleWave: .* must be positive"):
        TriangleWave(**options)  # type: ignore[arg-type]
