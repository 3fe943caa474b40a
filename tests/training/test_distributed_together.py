"""Two processes train as one that sees twice the batch, into one folder, and end together."""

import json
import subprocess
from pathlib import Path

import pytest
import torch

from tests.configs import train

TINY = [
    "experiment=smoke",
    "trainer.max_epochs=1",
    "data.n_samples=4000",
    "data.n_batches=6",
    "model.width=8",
]
TINY += [
    "data.n_validation=200",
    "callbacks.draw=null",
    "callbacks.progress=null",
    "evaluation.complete=false",
]
TINY += ["regularizer=edge_length", "callbacks.extract.every_n_steps=3", "data.batch_size=64"]
TWO = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2"]

pytestmark = pytest.mark.slow


def _train(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    return train(folder, *TINY, *overrides)


def _run_folder(folder: Path) -> Path:
    (run,) = (folder / "logs" / "train" / "runs").iterdir()
    return run


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    last = torch.load(_run_folder(folder) / "checkpoints" / "last.ckpt", weights_only=True)
    weights: dict[str, torch.Tensor] = last["state_dict"]
    return weights


def test_two_processes_learn_what_one_learns_from_the_doubled_batch(tmp_path: Path) -> None:
    pulled = ["regularizer=[edge_length,area]", "regularizer.edge_length.weight=0.05"]
    pulled += ["regularizer.area.balanced=true", "regularizer.area.weight=0.5"]
    doubled = ["trainer=cpu", "data.batch_size=128"]
    runs = {"one": [*pulled, *doubled], "two": [*pulled, *TWO], "free": ["regularizer=none", *doubled]}
    for name, overrides in runs.items():
        (tmp_path / name).mkdir()
        done = _train(tmp_path / name, *overrides)
        assert done.returncode == 0, done.stderr
    expected, found, free = (_weights(tmp_path / name) for name in runs)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    assert max(float((found[name] - free[name]).abs().max()) for name in found) > 1e-3


def test_two_processes_leave_one_folder_and_go_on_in_it(tmp_path: Path) -> None:
    wandb = ["logger=wandb", "logger.wandb.offline=true"]
    first = _train(tmp_path, *TWO, *wandb)
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("metrics and checkpoints are in") == 1
    run = _run_folder(tmp_path)
    assert {path.name for path in run.iterdir()} >= {"config.yaml", "metrics.json", "metrics.csv", "mesh.ply"}
    assert len(list((run / "wandb").glob("offline-run-*"))) == 1
    again = _train(tmp_path, *TWO, *wandb, "ckpt_path=last", "trainer.max_epochs=2")
    assert again.returncode == 0, again.stderr
    assert _run_folder(tmp_path) == run
    assert json.loads((run / "metrics.json").read_text())["epochs"] == 2
    assert len((run / "metrics.csv").read_text().splitlines()) == 3


FAILING = "tests.training.failing"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([f"+callbacks.fail={{_target_: {FAILING}.FailOnRank, rank: 0}}"], "made to fail on rank 0"),
        ([f"+callbacks.fail={{_target_: {FAILING}.FailOnRank, rank: 1}}"], "made to fail on rank 1"),
        (
            [
                "callbacks.guard=null",
                f"+callbacks.fail={{_target_: {FAILING}.PoisonOnRank, rank: 1}}",
                "+callbacks.watch={_target_: creased.training.callbacks.StopOnNaN, every_n_steps: 1}",
            ],
            "training diverged at step 1",
        ),
        ([f"callbacks.extract._target_={FAILING}.FailingExtraction"], "output must be in 0..0, got 7"),
    ],
    ids=["first", "second", "diverged", "extraction"],
)
def test_an_error_on_one_rank_ends_all_and_is_said_in_a_line(
    tmp_path: Path, overrides: list[str], message: str
) -> None:
    done = _train(tmp_path, *TWO, *overrides)
    assert done.returncode != 0
    assert done.stderr.count(message) == 1
    assert "Traceback" not in done.stderr


def test_a_sweep_of_several_processes_is_refused(tmp_path: Path) -> None:
    done = _train(tmp_path, "seed=0,1", *TWO, "-m")
    assert "trainer.devices=2: a run of a sweep (-m) is one process" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
