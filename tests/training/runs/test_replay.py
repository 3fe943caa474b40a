"""`ckpt_path=RUN` alone goes on with RUN's own configuration; the command line goes first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
import trimesh
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from creased.io.runs import LAST
from creased.training.command.words import quote_paths
from creased.training.runs.folders import ResumeError, hash_of_given
from creased.training.runs.replay import replayed, replayed_job
from tests.configs import composed


@cache
def _shape(*words: str) -> DictConfig:
    return composed(*words, "paths.output=x").shape


def _begun(runs: Path, name: str, words: Sequence[str], cwd: Path | None = None) -> Path:
    """The folder of a run as `accept` leaves it."""
    run = runs / name
    (run / LAST).parent.mkdir(parents=True)
    (run / LAST).write_bytes(b"")
    (run / ".hydra").mkdir()
    OmegaConf.save(OmegaConf.create(list(words)), run / ".hydra" / "overrides.yaml")
    choices = {"model": "mlp", "shape": "torus"}
    runtime = {"hydra": {"runtime": {"cwd": str(cwd or runs), "choices": choices}}}
    OmegaConf.save(OmegaConf.create(runtime), run / ".hydra" / "hydra.yaml")
    shape = _shape(*[word for word in words if word.startswith("shape")])
    (run / "config.yaml").write_text(f"shape_sha256: {hash_of_given(shape)}")
    return run


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREASED_ROOT", str(tmp_path))
    return tmp_path / "logs" / "train" / "runs"


def test_a_run_alone_brings_its_own_words(runs: Path) -> None:
    words = ["shape=torus", "model=mlp", "model.width=8", "~callbacks.draw", "start_from=x", "paths.output=y"]
    run = _begun(runs, "1_torus", words)
    given = f'ckpt_path="{run}"'
    assert replayed([f"ckpt_path={run}"]) == [*words[:4], given]
    assert replayed(["ckpt_path=last"]) == [*words[:4], given]
    assert replayed([f"ckpt_path={run / LAST}"]) == [*words[:4], f'ckpt_path="{run / LAST}"']
    cfg = composed(*replayed(["ckpt_path=last", "model.width=9", "optimizer.lr=1"]), "paths.output=x")
    assert (cfg.shape.name, cfg.model.width, cfg.optimizer.lr, cfg.ckpt_path) == ("torus", 9, 1, str(run))


def test_the_same_command_again_says_nothing_twice(runs: Path) -> None:
    words = ["shape=torus", "model=mlp", "model.width=8"]
    _begun(runs, "1_torus", words)
    assert replayed([*words, "ckpt_path=last"])[:-1] == words
    assert "model.width=8" not in replayed(["model=residual", "ckpt_path=last", "shape=torus"])


def test_last_is_of_the_shape_that_is_given_or_the_newest(runs: Path) -> None:
    torus = _begun(runs, "1_torus", ["shape=torus"])
    sphere = _begun(runs, "2_sphere", ["shape=sphere"])
    assert replayed(["ckpt_path=last"])[-1] == f'ckpt_path="{sphere}"'
    assert replayed(["shape=torus", "ckpt_path=last"])[-1] == f'ckpt_path="{torus}"'
    assert replayed(["experiment=smoke", "ckpt_path=last"])[-1] == f'ckpt_path="{sphere}"'
    with pytest.raises(ResumeError, match=r"of this shape; the newest is 2_sphere"):
        replayed(["shape=box", "ckpt_path=last"])


def test_a_file_is_found_from_another_folder_and_by_another_name(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("part (1).stl", "copy.stl"):
        trimesh.creation.box().export(tmp_path / name)
    trimesh.creation.icosphere().export(tmp_path / "other.stl")
    monkeypatch.chdir(tmp_path)
    run = _begun(runs, "1_part (1)", quote_paths(["shape.path=part (1).stl"]), cwd=tmp_path)
    monkeypatch.chdir("/")
    found = replayed(["ckpt_path=last"])
    assert composed(*found, "paths.output=x").shape.path == str(tmp_path / "part (1).stl")
    assert replayed([f"shape.path={tmp_path / 'copy.stl'}", "ckpt_path=last"])[-1] == f'ckpt_path="{run}"'
    with pytest.raises(ResumeError, match="of this shape"):
        replayed([f"shape.path={tmp_path / 'other.stl'}", "ckpt_path=last"])


def test_folders_that_are_kept_are_those_of_where_the_run_was_begun(runs: Path, tmp_path: Path) -> None:
    _begun(runs, "1_torus", ["shape=torus", "paths.meshes=cache", "paths.root=/data"], cwd=tmp_path)
    words = replayed(["ckpt_path=last"])
    assert words[1:3] == [f'paths.meshes="{tmp_path / "cache"}"', "paths.root=/data"]


def test_each_job_of_a_sweep_goes_on_as_its_run_was_begun(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _begun(runs, "1_torus", ["shape=torus", "model=mlp", "model.width=8"])
    jobs = [(f"ckpt_path={run}", "torus"), ("ckpt_path=last", "torus"), ("ckpt_path=null", "bunny")]
    for word, shape in jobs:
        cfg = composed(word, "trainer.max_epochs=9", "paths.output=x", "hydra.mode=MULTIRUN", with_hydra=True)
        monkeypatch.setattr(HydraConfig.instance(), "cfg", cfg)
        found = replayed_job(cfg)
        assert (found.shape.name, found.trainer.max_epochs) == (shape, 9)
        if shape == "torus":
            assert (found.model.width, found.ckpt_path) == (8, str(run))
            assert "model.width=8" in cfg.hydra.overrides.task  # of which .hydra/ is written
            assert cfg.hydra.runtime.choices.model == "mlp"
            assert "hydra" not in found


def test_a_sweep_that_goes_on_with_one_run_many_times_is_refused(runs: Path) -> None:
    run = _begun(runs, "1_torus", ["shape=torus"])
    with pytest.raises(ResumeError, match=rf"optimizer.lr .*start_from={run}"):
        replayed(["-m", f"ckpt_path={run}", "seed=3", "optimizer.lr=0.1,0.2"])
    for words in (
        [f"ckpt_path={run},{run}", "seed=1,2"],
        ["ckpt_path=last", "shape=torus,box"],
        [f"ckpt_path={run}", "train=false", "evaluation.method=march,subdivide"],
    ):
        assert replayed(["-m", *words]) == ["-m", *words]


@pytest.mark.parametrize(
    "words",
    [
        ["shape=torus"],
        ["ckpt_path=null"],
        ["-m", "ckpt_path=last", "shape=box,torus"],
        ["ckpt_path=last", "shape=rabbit"],  # which Hydra refuses
        ["--help"],
    ],
)
def test_other_command_lines_are_left_as_they_are(runs: Path, words: list[str]) -> None:
    _begun(runs, "1_torus", ["shape=torus"])
    assert replayed(words) == words
