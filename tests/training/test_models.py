"""Every model of `configs/model` can be lowered, trained and extracted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate

import creased
from creased.training.run import run
from tests.configs import composed, names_of
from tests.training.conftest import Compose

MODELS = names_of("model")


@pytest.mark.parametrize("name", MODELS)
def test_models_are_made_lowered_and_differentiable(name: str) -> None:
    torch.manual_seed(0)
    network = instantiate(composed("experiment=smoke", f"model={name}").model)
    program = creased.lower(network)
    assert (program.in_dim, program.out_dim) == (3, 1)
    creased.lower(network, check=False)(torch.randn(10, 3)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.slow
def test_a_network_with_skips_is_trained_with_a_regularizer_and_extracted(configured: Compose) -> None:
    cfg = configured("skip", "model=skip", "regularizer=area", "regularizer.area.weight=1e-4")
    metrics = run(cfg)
    assert metrics["is_closed"]
    assert metrics["max_residual"] < 1e-12
    assert creased.load_program(Path(cfg.paths.output) / "checkpoints" / "last.ckpt").widths == (16, 16)


def test_a_network_on_a_grid_is_trained_with_a_regularizer_and_extracted(configured: Compose) -> None:
    cfg = configured(
        "grid", "model=grid", "model.levels=[2,4,8]", "regularizer=area", "regularizer.area.weight=1e-4"
    )
    metrics = run(cfg)
    assert metrics["is_closed"]
    assert metrics["certificate"]["is_certified"]
    assert "nothing is missed" in metrics["certificate"]["words"]
    assert metrics["max_residual"] < 1e-12
    program = creased.load_program(Path(cfg.paths.output) / "checkpoints" / "last.ckpt")
    assert program.grid is not None
    assert program.grid.levels == (2, 4, 8)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_models_fit_a_sphere_and_give_closed_meshes(name: str, configured: Compose) -> None:
    few_cells = ["model.levels=[4,8,16]"] if name == "grid" else []  # as the samples are few
    metrics = run(configured("run", f"model={name}", "data.n_batches=400", *few_cells))
    assert metrics["is_closed"]
    assert metrics["is_oriented"]
    assert metrics["surface_error_mean"] < 0.02
