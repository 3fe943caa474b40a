"""Every model of `configs/model` can be lowered, trained and extracted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig

import creased
from creased.training.folders import register_resolvers
from creased.training.run import run

CONFIGS = Path(__file__).parents[2] / "configs"
MODELS = sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml"))
register_resolvers()


def _configured(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose(
            "train", ["experiment=smoke", "callbacks.progress=null", "callbacks.draw=null", *overrides]
        )


@pytest.mark.parametrize("name", MODELS)
def test_models_are_made_lowered_and_differentiable(name: str) -> None:
    torch.manual_seed(0)
    network = instantiate(_configured(f"model={name}").model)
    program = creased.lower(network)
    assert (program.in_dim, program.out_dim) == (3, 1)
    creased.lower(network, check=False)(torch.randn(10, 3)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_network_with_skips_is_trained_with_a_regularizer_and_extracted(tmp_path: Path) -> None:
    options = ["model=skip", "regularizer=area", "regularizer.area.weight=1e-4", f"paths.output={tmp_path}"]
    metrics = run(_configured(*options))
    assert metrics["is_closed"]
    assert metrics["max_residual"] < 1e-12
    assert creased.load_program(tmp_path / "checkpoints" / "last.ckpt").widths == (16, 16)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_models_fit_a_sphere_and_give_closed_meshes(name: str, tmp_path: Path) -> None:
    metrics = run(_configured(f"model={name}", "data.n_batches=400", f"paths.output={tmp_path}"))
    assert metrics["is_closed"]
    assert metrics["is_oriented"]
    assert metrics["surface_error_mean"] < 0.02
