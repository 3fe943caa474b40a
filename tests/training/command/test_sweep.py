"""Several runs by one command: each with a folder of its own."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
import trimesh
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from creased.training.command.sweep import SweepOutcome, note_failure
from tests.configs import composed, train

TINY = ["experiment=smoke", "trainer.max_epochs=1", "data.n_batches=20", "data.n_samples=2000"]
TINY += ["callbacks.draw=null", "callbacks.progress=null", "evaluation.complete=false"]


@pytest.mark.parametrize("is_search", [False, True])
def test_a_failed_run_is_named_and_the_status_says_so(
    is_search: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    searched = ["optimized_metric=iou"] if is_search else []
    sweep = [f"hydra.sweep.dir={tmp_path}", "hydra.sweep.subdir=1_cup", "paths.output=x"]
    cfg = composed(*searched, *sweep, with_hydra=True)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", cfg)
    outcome = SweepOutcome()
    note_failure("of an older sweep")
    outcome.on_multirun_start(config=cfg)
    outcome.on_multirun_end(config=cfg)
    assert capsys.readouterr().err == ""
    note_failure("cup.stl holds\nno triangles")
    with pytest.raises(SystemExit) as ended:
        outcome.on_multirun_end(config=cfg)
    assert ended.value.code == 1
    assert capsys.readouterr().err.splitlines()[1:] == ["  1_cup: cup.stl holds no triangles"]
    (tmp_path / "0_box").mkdir()
    (tmp_path / "0_box" / "metrics.json").touch()
    with nullcontext() if is_search else pytest.raises(SystemExit):  # a failed trial is a result
        outcome.on_multirun_end(config=cfg)
    assert "1_cup" in capsys.readouterr().err


@pytest.mark.slow
def test_the_shell_sees_the_status_and_records_name_no_other_shape(tmp_path: Path) -> None:
    trimesh.creation.icosphere(subdivisions=1).export(tmp_path / "a.stl")
    (tmp_path / "b.stl").write_text("junk")
    done = train(tmp_path, "-m", "shape.path=a.stl,b.stl", *TINY)
    assert done.returncode == 1
    assert "  1_b: b.stl holds no triangles" in done.stderr
    (sweep,) = (tmp_path / "logs" / "train" / "multiruns").iterdir()
    for file in (
        sweep / "multirun.yaml",
        sweep / "0_a" / ".hydra" / "config.yaml",
        sweep / "0_a" / "config.yaml",
    ):
        shape = OmegaConf.load(file).shape
        assert (shape.name, shape.source) in ((None, None), ("a", None))
        assert not shape.licence
    again = train(tmp_path, "-m", f"ckpt_path={sweep / '0_a'}", "trainer.max_epochs=2")
    assert again.returncode == 0, again.stderr
    assert json.loads((sweep / "0_a" / "metrics.json").read_text())["epochs"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["processes", "submitit_local"])
def test_launchers_give_each_run_its_folder(tmp_path: Path, launcher: str) -> None:
    done = train(tmp_path, "-m", f"hydra/launcher={launcher}", "shape=sphere,torus", *TINY)
    assert done.returncode == 0, done.stderr
    (sweep,) = (tmp_path / "logs" / "train" / "multiruns").iterdir()
    assert {path.parent.name for path in sweep.glob("*/metrics.json")} == {"0_sphere", "1_torus"}
    assert (sweep / "1_torus" / "checkpoints" / "last.ckpt").is_file()


@pytest.mark.slow
def test_shapes_of_files_have_the_names_and_licences_that_are_given(tmp_path: Path) -> None:
    for name in ("a", "b"):
        trimesh.creation.icosphere(subdivisions=1).export(tmp_path / f"{name}.stl")
    files = ",".join(str(tmp_path / f"{name}.stl") for name in ("a", "b"))
    done = train(tmp_path, "-m", f"shape.path={files}", "shape.licence=CC0", *TINY)
    assert done.returncode == 0, done.stderr
    (sweep,) = (tmp_path / "logs" / "train" / "multiruns").iterdir()
    for folder, name in (("0_a", "a"), ("1_b", "b")):
        metrics = json.loads((sweep / folder / "metrics.json").read_text())
        assert (metrics["shape"], metrics["licence"], metrics["credit"]) == (name, "CC0", "")
        assert b"shape.licence=CC0" in (sweep / folder / ".hydra" / "overrides.yaml").read_bytes()
        assert name in (sweep / folder / "train.log").read_text()
