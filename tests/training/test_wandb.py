"""What W&B is told: the mesh of each epoch, the end of the run, and which run a resumed one goes on with."""

from __future__ import annotations

import os
import subprocess
import sys
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import trimesh
import yaml
from lightning.pytorch.loggers import WandbLogger
from omegaconf import DictConfig, OmegaConf

from creased.training.run import run
from creased.training.runs.folders import read_wandb_run
from creased.training.wandb import publish
from tests.configs import ROOT, composed
from tests.training.conftest import Compose

wandb = pytest.importorskip("wandb")
BOX = OmegaConf.create({"name": "box", "path": None})
TINY = ("experiment=smoke", "callbacks.progress=null", "callbacks.draw.size=60", "evaluation.complete=false")
TINY += ("data.n_samples=4000", "data.n_batches=60", "logger=wandb", "logger.wandb.offline=true")


@pytest.fixture
def configured(tmp_path: Path, few_points: None, monkeypatch: pytest.MonkeyPatch) -> Compose:
    monkeypatch.setenv("WANDB_MODE", "offline")  # the logger sets it too; afterwards it is as before

    def make(name: str, *overrides: str) -> DictConfig:
        return composed(*TINY, f"paths.output={tmp_path / name}", *overrides)

    return make


class RecordingRun:
    """Stands where wandb.Run does and keeps what it is told."""

    id = "abc123"

    def __init__(self) -> None:
        self.summary: dict[str, Any] = {}
        self.artifacts: list[Any] = []

    def log_artifact(self, artifact: Any) -> None:
        self.artifacts.append(artifact)


def _offline_runs(folder: str) -> list[str]:
    """Ids of the W&B runs in a run folder, one for each time it was started."""
    return [path.stem.removeprefix("run-") for path in Path(folder).glob("wandb/offline-run-*/run-*.wandb")]


def _corners(glb: bytes) -> list[tuple[float, ...]]:
    """The places of all vertices, in order of their coordinates."""
    mesh = trimesh.load(BytesIO(glb), file_type="glb", force="mesh", process=False)
    return sorted(map(tuple, mesh.vertices.round(5).tolist()))


@pytest.mark.slow
def test_each_epoch_has_its_mesh_and_its_picture(
    configured: Compose, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    cfg = configured("run")
    run(cfg)
    folder = Path(cfg.paths.output)
    said = capsys.readouterr()
    assert "wandb: " not in said.out + said.err
    (offline,) = folder.glob("wandb/offline-run-*")
    (line,) = [record.getMessage() for record in caplog.records if "W&B" in record.getMessage()]
    assert line.endswith(f"-m wandb sync {offline}")
    assert f"-m wandb sync {offline}\n" in said.out
    meshes = {
        path.read_bytes() for path in folder.glob("wandb/offline-run-*/files/media/object3D/mesh_*.glb")
    }
    assert len(meshes) == 2
    assert _corners((folder / "mesh.glb").read_bytes()) in map(_corners, meshes)
    assert len(list(folder.glob("wandb/offline-run-*/files/media/images/level_set_*.png"))) == 2
    assert len(list(folder.glob("wandb/offline-run-*/files/media/images/errors_*.png"))) == 1
    assert wandb.run is None


def test_the_end_of_a_run_is_in_the_summary_and_the_artifacts(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    for name in ("checkpoints/last.ckpt", "mesh.ply", "mesh.glb"):
        (tmp_path / name).write_bytes(b"content")
    told = RecordingRun()
    logger = WandbLogger(experiment=told, offline=True)
    metrics = {"shape": "box", "licence": "MIT", "credit": "", "guarantee": "complete", "status": "closed"}
    metrics["certificate"] = {"words": "level set certified"}
    publish([logger], metrics | {"seconds": {"total": 2.0}, "logged": {"loss": 1.0}}, tmp_path)
    flat = metrics | {"seconds/total": 2.0, "certificate/words": "level set certified"}
    assert told.summary == {key: value for key, value in flat.items() if key != "certificate"}
    files = {artifact.name: set(artifact.manifest.entries) for artifact in told.artifacts}
    assert files == {"checkpoint-abc123": {"last.ckpt"}, "mesh-abc123": {"mesh.ply", "mesh.glb"}}
    assert told.artifacts[0].metadata["guarantee"] == "complete"
    assert told.artifacts[0].metadata["certificate"]["words"] == "level set certified"


def test_a_run_without_a_surface_has_no_mesh_to_send(tmp_path: Path) -> None:
    told = RecordingRun()
    metrics = {"shape": "box", "licence": "MIT", "credit": "", "guarantee": "", "status": "empty"}
    metrics["certificate"] = None
    publish([WandbLogger(experiment=told, offline=True)], metrics, tmp_path)
    assert told.artifacts == []


@pytest.mark.slow
def test_runs_of_one_process_are_runs_of_their_own(configured: Compose) -> None:
    first, second = configured("first", "trainer.max_epochs=1"), configured("second", "trainer.max_epochs=1")
    run(first)
    run(second)
    ids = _offline_runs(first.paths.output) + _offline_runs(second.paths.output)
    assert len(ids) == len(set(ids)) == 2


def test_where_nothing_can_be_resumed_there_is_no_id(tmp_path: Path) -> None:
    assert read_wandb_run(str(tmp_path), BOX, None) is None
    assert read_wandb_run(str(tmp_path), BOX, "last") is None
    (tmp_path / "broken.ckpt").write_bytes(b"no checkpoint")
    assert read_wandb_run(str(tmp_path), BOX, str(tmp_path / "broken.ckpt")) is None


KILLED = """
import os, runpy, signal, sys
from creased.training.module import SDFModule
step = SDFModule.training_step
def killed(self, batch, batch_index):
    if self.current_epoch == 1 and batch_index == 30:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch, batch_index)
SDFModule.training_step = killed
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.slow
def test_a_killed_run_ends_where_an_unbroken_one_does_in_the_same_wandb_run(configured: Compose) -> None:
    unbroken = run(configured("unbroken"))
    folder = configured("killed").paths.output
    command = [sys.executable, "-c", KILLED, str(ROOT / "train.py"), *TINY, f"paths.output={folder}"]
    environment = {k: v for k, v in os.environ.items() if k != "WANDB_SERVICE"}  # not the one of this process
    done = subprocess.run(command, env=environment, capture_output=True, timeout=200)
    assert done.returncode == -9, done.stderr.decode()
    before = _offline_runs(folder)
    resumed = run(configured("killed", f"ckpt_path={folder}"))
    after = _offline_runs(folder)
    assert len(before) == 1
    assert after == before * 2
    left_out = {"seconds", "extraction_seconds", "logged"}
    assert {k: v for k, v in resumed.items() if k not in left_out} == {
        k: v for k, v in unbroken.items() if k not in left_out
    }
    timed = {"extract_s"}
    assert {k: v for k, v in resumed["logged"].items() if k not in timed} == {
        k: v for k, v in unbroken["logged"].items() if k not in timed
    }


def test_every_value_of_the_wandb_sweep_is_an_override_that_composes() -> None:
    sweep = yaml.safe_load((ROOT / "configs" / "sweep" / "faces.yaml").read_text())
    choices = {
        name: choice.get("values") or [choice.get("value", choice.get("min"))]
        for name, choice in sweep["parameters"].items()
    }
    fixed = [word for word in sweep["command"] if "=" in word]
    assert sweep["command"][:2] == ["./run", "train"]
    assert sweep["command"][-1] == "${args_no_hyphens}"
    for values in zip_longest(*choices.values()):  # the first of each at once, and so on
        words = [f"{name}={value}" for name, value in zip(choices, values, strict=True) if value is not None]
        assert composed(*fixed, *words).logger.wandb.project == sweep["project"]
