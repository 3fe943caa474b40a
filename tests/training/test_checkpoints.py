"""Checkpoints are whole, wherever temporary files are; they hold the weights that the mesh is of."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
import trimesh

from creased.core import extract_level_set
from creased.io.checkpoint import read_record
from creased.io.runs import BEST, LAST
from creased.training.checkpoints import WholeCheckpoints
from creased.training.command.mistakes import run_or_explain
from creased.training.run import run
from creased.training.runs.resume import offer
from tests.configs import composed
from tests.slow import slow
from tests.training.conftest import SMOKE, TINY, Compose

EMA = "+callbacks.average._target_=lightning.pytorch.callbacks.EMAWeightAveraging"
SWA = "+callbacks.average._target_=lightning.pytorch.callbacks.StochasticWeightAveraging"
SWA_RATE = "+callbacks.average.swa_lrs=0.02"


@pytest.mark.filterwarnings("ignore:SWA is currently only supported every epoch")
@pytest.mark.parametrize("averaging", [(EMA,), slow((SWA, SWA_RATE))], ids=["EMA", "SWA"])
def test_averaged_weights_are_those_of_the_record_the_mesh_and_the_metrics(
    averaging: tuple[str, ...], tmp_path: Path, few_points: None
) -> None:
    folder = tmp_path / "run"
    words = [*SMOKE, *TINY, "callbacks.draw=null", "trainer.max_epochs=3", *averaging]
    metrics = run(composed(*words, f"paths.output={folder}"))
    record = read_record(folder / LAST)
    found = extract_level_set.extract_level_set(record.program, record.domain)
    assert found.polygons.n == metrics["n_polygons"] > 0
    assert len(trimesh.load(folder / "mesh.ply", process=False).vertices) == metrics["n_vertices"]
    kept = read_record(folder / "epochs" / "epoch_003.ckpt").program
    for one, other in zip(kept.tensors(), record.program.tensors(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    if averaging == (EMA,):
        rows = (folder / "metrics.csv").read_text().splitlines()
        last = dict(zip(rows[0].split(","), rows[-1].split(","), strict=True))
        assert float(last["faces"]) == metrics["n_polygons"]
    again = run(composed(*words, f"paths.output={folder}", f"ckpt_path={folder}", "trainer.max_epochs=4"))
    assert again["epochs"] == 4


def test_a_checkpoint_is_written_beside_its_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lightning writes to TMPDIR, and copies what lies on another disk."""
    path, seen = tmp_path / "last.ckpt", []
    replace = os.replace

    def watched(source: Any, target: Any) -> None:
        seen.append((Path(source).parent, Path(target)))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    WholeCheckpoints().save_checkpoint({"a": torch.ones(3)}, path)
    assert seen == [(tmp_path, path)]
    assert torch.load(path, weights_only=True)["a"].sum() == 3
    with pytest.raises(ZeroDivisionError):
        WholeCheckpoints().save_checkpoint({"a": _Unwilling()}, path)
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]
    assert torch.load(path, weights_only=True)["a"].sum() == 3


class _Unwilling:
    def __reduce__(self) -> Any:
        return 1 / 0


def test_runs_write_their_checkpoints_so() -> None:
    (plugin,) = composed("paths.output=x").trainer.plugins
    assert plugin._target_.endswith(WholeCheckpoints.__name__)


def test_what_is_offered_was_read(configured: Compose, capsys: pytest.CaptureFixture[str]) -> None:
    cfg = configured("run", *TINY, "trainer.max_epochs=1")
    run(cfg)
    folder = Path(cfg.paths.output)
    assert offer(folder).endswith(f"ckpt_path={folder}")
    (folder / LAST).write_bytes((folder / LAST).read_bytes()[:-100])
    assert offer(folder).endswith(f"ckpt_path={folder / BEST}")
    with pytest.raises(SystemExit):
        run_or_explain(configured("run", *TINY, "trainer.max_epochs=2", f"ckpt_path={folder}"))
    refused, offered = capsys.readouterr().err.splitlines()
    assert "not a readable checkpoint" in refused
    assert offered.endswith(f"ckpt_path={folder / BEST}")
    (folder / BEST).write_bytes(b"")
    assert "extract" in offer(folder)
    assert str(folder / "epochs" / "epoch_001.ckpt") in offer(folder)
    (folder / "epochs" / "epoch_001.ckpt").unlink()
    assert offer(folder) == ""
    assert json.loads((folder / "metrics.json").read_text())["epochs"] == 1
