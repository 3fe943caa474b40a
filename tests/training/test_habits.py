"""The habits of lightning-hydra-template: loggers, debug, train=false, tags, seeds, Lightning's callbacks."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf, open_dict

from creased.io.checkpoint import load_plain
from creased.io.runs import LAST
from creased.training.announce import longer, n_epochs_of, next_commands
from creased.training.callbacks import ExtractLevelSet
from creased.training.command import objective, run_command
from creased.training.options.values import OptionError, require_monitored
from creased.training.run import run
from creased.training.runs.folders import ResumeError
from tests.configs import composed, names_of
from tests.slow import but_few
from tests.training.conftest import QUIET, TINY, Compose, Finished

SHORT = (*TINY, "trainer.max_epochs=1")
STOP = "+callbacks.stop._target_=lightning.pytorch.callbacks.EarlyStopping"
FINDER = "+callbacks.finder._target_=lightning.pytorch.callbacks.LearningRateFinder"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["model.activation=gelu"], ["model.activation", "gelu"]),
        (["callbacks.save.formats=[ply,step]"], ["mesh.step"]),
        (["regularizer=area", "callbacks.extract=null"], ["area", "ExtractLevelSet"]),
        (
            [STOP, "+callbacks.stop.monitor=val_loss"],
            ["EarlyStopping", "val_loss", "mean loss, train/loss"],
        ),
        ([STOP, "+callbacks.stop.monitor=mesh_faces"], ["did you mean faces, mesh/"]),
        (["callbacks.best.monitor=val/surface_eror"], ["val/surface_eror", "did you mean val/surface_error"]),
        (["trainer.max_epochs=-1"], ["max_epochs=-1", "max_steps"]),
        (["train=false"], ["train=false", "ckpt_path"]),
        (["data.batch_size=9000", "data.n_samples=5000"], ["data.batch_size=9000", "5000"]),
        (["extras.enforce_tags=true"], ["tags"]),
    ],
)
def test_what_fails_late_is_refused_before_any_work(
    words: list[str],
    parts: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("CREASED_ROOT", str(tmp_path))
    with pytest.raises(SystemExit):
        run_command(lambda: objective(composed("experiment=smoke", "callbacks.progress=null", *words)))
    (line,) = capsys.readouterr().err.splitlines()
    for part in parts:
        assert part in line
    assert "shape sphere" not in caplog.text
    assert list((tmp_path / "logs" / "train" / "runs").iterdir()) == []  # no empty folder is left


def test_a_monitored_value_of_another_package_is_not_judged() -> None:
    class Foreign(ExtractLevelSet):
        monitor = "my/value"

    require_monitored([Foreign()], [])
    Foreign.__module__ = "creased.x"
    with pytest.raises(OptionError, match="my/value"):
        require_monitored([Foreign()], [])


def test_loggers_are_given_by_name_or_in_a_list(configured: Compose) -> None:
    assert {"csv", "none", "tensorboard", "wandb"} <= set(names_of("logger"))
    both = composed("logger=[csv,wandb]", "tags=[a,b]", "paths.output=x", "logger.wandb.id=null")
    assert list(both.logger) == ["csv", "wandb"]
    assert list(both.logger.wandb.tags) == ["a", "b"]
    cfg = configured("run", *SHORT, "logger=csv")
    run(cfg)
    (table,) = Path(cfg.paths.output).glob("csv/*/metrics.csv")
    assert "val/surface_error" in table.read_text()


def test_tensorboard_that_is_missing_is_said_first(
    configured: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    from creased.training.options import values

    monkeypatch.setattr(values, "find_spec", lambda name: None)
    with pytest.raises(OptionError, match=r"install .*tensorboard"):
        run(configured("run", *SHORT, "logger=tensorboard"))


@pytest.mark.parametrize("name", but_few(["fdr", "limit", "overfit", "profiler"], 1))
def test_debugging_runs_end(
    name: str, configured: Compose, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    cfg = configured(name, *TINY, f"debug={name}", "paths.runs=x")
    assert cfg.task_name == "debug"
    metrics = run(cfg)
    epochs = {"fdr": 1, "limit": 3, "overfit": 20, "profiler": 1}[name]
    assert metrics["epochs"] == epochs
    assert ("Profiler Report" in caplog.text) == (name == "profiler")
    assert (Path(cfg.paths.output) / LAST).is_file() == (name != "fdr")
    assert ("ckpt_path=" in capsys.readouterr().out) == (name != "fdr")


def test_train_false_evaluates_and_writes_nothing(finished: Finished, few_points: None) -> None:
    folder, metrics = finished
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name != ".lock"}
    found = run(composed(*QUIET, f"paths.output={folder}", f"ckpt_path={folder}", "train=false"))
    for name in ("iou", "n_polygons", "chamfer_l1_mean", "certificate"):
        assert found[name] == metrics[name]
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_random_seed_is_kept(configured: Compose) -> None:
    seeds = set()
    for name in ("one", "two"):
        cfg = configured(name, *SHORT, "seed=null", "data.n_batches=5")
        run(cfg)
        seeds.add(OmegaConf.load(Path(cfg.paths.output) / "config.yaml").seed)
    assert len(seeds) == 2
    assert None not in seeds
    again = configured("two", *TINY, "seed=null", "trainer.max_epochs=2", f"ckpt_path={cfg.paths.output}")
    run(again)
    assert again.seed in seeds


def test_steps_bound_a_run_without_epochs(configured: Compose) -> None:
    cfg = configured("run", *TINY, "trainer.max_epochs=-1", "+trainer.max_steps=30")
    run(cfg)
    folder = Path(cfg.paths.output)
    assert load_plain(folder / LAST)["global_step"] == 30
    more = next_commands(cfg, folder, 2).split("resume")[1].split()[-1]
    assert more == "+trainer.max_steps=60"
    with pytest.raises(ResumeError, match=r"already done 30 steps.*\+trainer.max_steps=60"):
        run(configured("run", *TINY, "trainer.max_epochs=-1", "+trainer.max_steps=30", f"ckpt_path={folder}"))
    run(configured("run", *TINY, "trainer.max_epochs=-1", more, f"ckpt_path={folder}"))
    assert load_plain(folder / LAST)["global_step"] == 60


def test_what_ended_a_run_does_not_end_it_again() -> None:
    """The command that is printed trains as long again."""
    for word, more in (
        ("trainer.max_epochs=3", ["trainer.max_epochs=6"]),
        ("+trainer.max_steps=50", ["trainer.max_epochs=6", "+trainer.max_steps=100"]),
        ("+trainer.max_time=00:00:01:00", ["trainer.max_epochs=6", "~trainer.max_time"]),
    ):
        assert longer(composed(word), 3) == more
        is_replaced = any(other.startswith(f"{word.partition('=')[0]}=") for other in more)
        composed(*([] if is_replaced else [word]), *more)  # as `replayed` completes it; Hydra takes it


def test_what_lightning_logs_is_logged_with_all_else(configured: Compose) -> None:
    """It has a handler of its own where it was imported before logging was set up."""
    theirs, own = logging.getLogger("lightning.pytorch"), logging.NullHandler()
    theirs.addHandler(own)
    theirs.propagate = False
    run(configured("run", *SHORT, "data.n_batches=5"))
    assert own not in theirs.handlers
    assert theirs.propagate
    assert not theirs.isEnabledFor(logging.INFO)
    for name in ("profilers.profiler", "tuner.lr_finder"):
        assert theirs.getChild(name).isEnabledFor(logging.INFO)


def test_training_stops_early_where_it_does_not_improve(configured: Compose) -> None:
    stop = [STOP, "+callbacks.stop.monitor=val/surface_error", "+callbacks.stop.patience=1"]
    metrics = run(configured("run", *TINY, *stop, "optimizer.lr=0.0", "trainer.max_epochs=9"))
    assert metrics["epochs"] == 2


def test_the_rate_that_is_found_is_taken(configured: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(configured("run").paths.output).parent)
    cfg = configured("run", *SHORT, FINDER, "+callbacks.finder.num_training_steps=15")
    found: list[tuple[float, list[float]]] = []

    from creased.training.module import SDFModule

    start = SDFModule.on_train_start

    def watched(self: SDFModule) -> None:
        start(self)
        found.append((self.lr, self.trainer.lr_scheduler_configs[0].scheduler.base_lrs))

    monkeypatch.setattr(SDFModule, "on_train_start", watched)
    run(cfg)
    rate, rates = found[-1]
    assert rates == [rate] != [cfg.optimizer.lr]
    assert not list(Path.cwd().glob(".lr_find*"))


def test_the_configuration_is_printed_and_at_the_end_what_is_there(
    configured: Compose, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = configured("run", *SHORT, "data.n_batches=5", "extras.print_config=true", "task_name=study")
    run(cfg)
    first, last = capsys.readouterr().out.split("task_name: study")
    assert "metrics and checkpoints are in" in last
    assert "metrics and checkpoints are in" not in first


@pytest.mark.parametrize(
    ("words", "n_epochs"),
    [
        ("trainer.max_epochs=7", 7),
        ("trainer.max_epochs=7 +trainer.max_steps=45", 3),
        ("trainer.max_epochs=-1 +trainer.max_steps=41", 3),
        ("trainer.max_epochs=-1 +trainer.max_time=00:00:01:00", 1),
    ],
)
def test_the_expected_time_is_of_the_steps_that_are_allowed(words: str, n_epochs: int) -> None:
    assert n_epochs_of(composed("data.n_batches=20", *words.split())) == n_epochs


def test_debugging_is_not_drowned_by_other_packages() -> None:
    cfg = composed("debug=fdr", with_hydra=True)
    log = OmegaConf.to_container(cfg.hydra.job_logging, resolve=False)
    assert log["root"]["level"] == "DEBUG"
    assert {"numba", "matplotlib"} <= {
        name for name, of in log["loggers"].items() if of["level"] == "WARNING"
    }


def test_the_block_and_the_table_are_in_the_log(
    configured: Compose, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    cfg = configured("run", *SHORT)
    log = logging.FileHandler(Path(cfg.paths.output).with_suffix(".log"), encoding="utf-8")
    logging.getLogger().addHandler(log)
    try:
        metrics = run(cfg)
    finally:
        logging.getLogger().removeHandler(log)
        log.close()
    text = Path(log.baseFilename).read_text(encoding="utf-8")
    block = text[text.index("what this run does") : text.index("watch")]
    assert all(len(line) <= 80 for line in block.splitlines() if "folder" not in line)
    text = re.sub(r"\n {12}", " ", text)
    for word in (
        "shape     sphere",
        "network   MLP, 353 weights",
        "seed 0",
        "minute",
        "GB of memory",
        "MB on disk",
    ):
        assert word in text
    assert text.index("watch") < text.index("cut open")
    for part in (text, capsys.readouterr().out):
        assert f"{metrics['n_polygons']:,}" in part
        for command in ("creased view", "creased extract", "train.py ckpt_path="):
            assert f"{command}" in part.split("certified")[-1]
    with open_dict(cfg):
        assert cfg.seed == 0
