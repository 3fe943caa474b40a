"""The survey of ONNX files: what agrees, what is refused, and what is no model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

onnx = pytest.importorskip("onnx")

from scripts.checks.survey_networks import survey, survey_apart  # noqa: E402 - needs onnx


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_files_agree_or_are_refused(tmp_path: Path) -> None:
    layers = [nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)]
    modules = {
        "plain": layers,
        "last": [*layers, nn.Sigmoid()],
        "not": [*layers, nn.Sigmoid(), nn.Linear(1, 1)],
    }
    for name, parts in modules.items():
        path = str(tmp_path / f"{name}.onnx")
        torch.onnx.export(nn.Sequential(*parts), (torch.rand(1, 3),), path, dynamo=False)
    (tmp_path / "text.onnx").write_text("none")
    assert survey(tmp_path / "plain.onnx").startswith("agreed ")
    assert "sigmoid(z) taken off" in survey(tmp_path / "last.onnx")
    assert survey(tmp_path / "not.onnx").startswith("refused  lower: node")
    assert "not a valid ONNX model" in survey(tmp_path / "text.onnx")
    assert survey_apart(tmp_path / "plain.onnx", 60.0, 0.001).startswith("over  ")
