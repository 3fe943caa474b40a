"""A user's file has its own name, and the licence and credit that were given."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import open_dict

from creased.training.options.shape import forget_shape, label_shape, settle_shape
from tests.configs import CONFIGS, composed
from tests.slow import slow


def test_a_users_file_names_the_shape() -> None:
    assert label_shape("bunny", None) == "bunny"
    assert label_shape("bunny", "/data/scan of a cup.obj") == "scan of a cup"


def test_a_sweep_over_files_names_its_folders_and_wandb_runs_by_them() -> None:
    cfg = composed("shape.path=/data/cup.stl", "logger=wandb", "paths.output=x", "logger.wandb.id=null")
    assert cfg.logger.wandb.name == "cup"
    assert "_${creased.label:${shape.name},${shape.path}}" in (CONFIGS / "train.yaml").read_text()


@pytest.mark.parametrize("path", [slow("a.stl"), "/data/cup of tea.ply"])
def test_a_name_and_a_licence_given_with_a_file_are_kept(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file gives the name otherwise; the bunny's licence and credit are not its."""
    for given, expected in (
        ((), (Path(path).stem, "", "")),
        (("shape.name=part",), ("part", "", "")),
        (("shape.licence=CC0", "shape.credit=me"), (Path(path).stem, "CC0", "me")),
        (("shape.name=bunny", "shape.licence="), ("bunny", "", "")),
    ):
        cfg = composed(f"shape.path={path}", "paths.output=x", *given, with_hydra=True)
        monkeypatch.setattr(HydraConfig.instance(), "cfg", cfg)
        settle_shape(cfg)
        shape = cfg.shape
        assert shape.source is None
        assert (shape.name, shape.licence, shape.credit) == expected
        assert label_shape(cfg.shape.name, path) == expected[0]


def test_a_shape_of_no_file_keeps_its_licence() -> None:
    cfg = composed("paths.output=x")
    settle_shape(cfg)
    assert cfg.shape.licence == composed("paths.output=x").shape.licence != ""


def test_what_an_experiment_gives_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in no word of the command line."""
    cfg = composed("shape.path=a.stl", "paths.output=x", with_hydra=True)
    with open_dict(cfg):
        cfg.shape.name, cfg.shape.licence = "cup", "CC0"
    monkeypatch.setattr(HydraConfig.instance(), "cfg", cfg)
    settle_shape(cfg)
    assert (cfg.shape.name, cfg.shape.licence, cfg.shape.credit) == ("cup", "CC0", "")


def test_several_files_have_no_name_until_each_is_a_run() -> None:
    cfg = composed("paths.output=x")
    forget_shape(cfg)
    assert {cfg.shape[name] for name in ("source", "name", "licence", "credit")} == {None}
    assert label_shape(None, "/data/cup.stl") == "cup"
