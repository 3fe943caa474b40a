"""Hydra's refusals are printed in one line with alternatives, and its sweepers get the metrics they name."""

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from creased.training.command import entry, objective, run_command
from creased.training.command.entry import TRACES
from creased.training.command.words import by_own_names, quote_paths
from tests.configs import ROOT, composed

METRICS = {
    "shape": "box",
    "n_polygons": 12,
    "chamfer_l1_mean": 0.25,
    "iou": math.nan,
    "logged": {"val/surface_error": 0.5},
}


@pytest.fixture(autouse=True)
def _without_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TRACES, raising=False)


def test_hydras_name_of_the_folder_is_taken_too() -> None:
    assert by_own_names(["seed=1", "hydra.run.dir=a/b=c"]) == ["seed=1", "paths.output=a/b=c"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("shape=rabbit", "there is no shape=rabbit: choose from armadillo, box, bracket, bunny"),
        ("model=nothing", "there is no model=nothing: choose from geometric"),
        ("regularizer=[edge_length,xyz]", "there is no regularizer=xyz: choose from area"),
        ("experiment=nope", "there is no experiment=nope: choose from compact"),
        ("model.widht=3", "there is no option model.widht: did you mean model.width?"),
        ("lr=0.1", "there is no option lr: did you mean optimizer.lr?"),
        ("modle=mlp", "there is no option modle: did you mean model?"),
        ("trainer.max_epoch=3", "did you mean trainer.max_epochs?"),
        ("trainer.max_step=3", "did you mean +trainer.max_steps?"),
        ("trainer.frobnicate=3", "there is no option trainer.frobnicate: choose from accelerator, devices"),
        ("nogroup=3", "--cfg job"),
        ("shape.file=part.stl", "there is no option shape.file: did you mean shape.path?"),
        ("resume=last", "there is no option resume: did you mean ckpt_path?"),
        ("loss.weigth=2", "there is no option loss.weigth: did you mean loss.distance.weight?"),
        ("quality.norml=1", "there is no option quality.norml: choose from name, grid, plain"),
        ("~callbacks.drw", "there is no option callbacks.drw: did you mean callbacks.draw?"),
        ("logger.wandb.project=x", "there is no option logger.wandb without logger=wandb"),
        ("callbacks.complexity.radius=1", "callbacks.complexity.radius without experiment=complexity"),
        ("shape=buny", "there is no shape=buny: did you mean shape=bunny? choose from armadillo"),
        ("shape=parts/a.stl", "there is no shape=parts/a.stl: a file of your own is shape.path=parts/a.stl"),
        ("part.stl", "part.stl is no option: a file of your own is shape.path=part.stl"),
        (
            "shape.path=a.stl,b.stl",
            "Ambiguous value for argument 'shape.path=a.stl,b.stl': give one, or add -m",
        ),
        ("shape", "shape is no option: write shape=VALUE"),
        ("bunny", "bunny is no option: did you mean shape=bunny?"),
        ("--shape=bunny", "--shape=bunny is no option: write shape=bunny"),
        ("model.width=[1", "'[1'"),
    ],
)
def test_a_wrong_word_ends_in_a_line(
    override: str, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", override])
    with pytest.raises(SystemExit) as ended:
        run_command(lambda: composed(override))
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith(f"creased: {message}") or message in said
    assert said.count("\n") == 1
    assert TRACES not in os.environ


@pytest.mark.parametrize(
    "name",
    ["~/scan.stl", "größe.stl", "part (1).stl", "a,b.stl", "[v2] part.stl", "it's 5\".stl", "5", "mesh.stl"],
)
def test_files_need_no_quotes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if not name.startswith("~"):
        Path(name).touch()
    (word,) = quote_paths([f"shape.path={name}"])
    assert composed(word).shape.path == name
    assert quote_paths([word]) == [word]


def test_files_of_a_sweep_need_no_quotes_and_other_options_keep_theirs() -> None:
    words = ["-m", "shape.path=größe.stl,b (1).stl", "shape.path=a.stl,b.stl", "ckpt_path=null", "model=mlp"]
    assert quote_paths(words) == ["-m", 'shape.path="größe.stl","b (1).stl"', *words[2:]]


def test_who_asks_for_traces_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRACES, "1")
    with pytest.raises(Exception, match="rabbit"):
        run_command(lambda: composed("shape=rabbit"))


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 / 0)


def _ask(monkeypatch: pytest.MonkeyPatch, wanted: Any, metrics: dict[str, Any] = METRICS) -> Any:
    monkeypatch.setattr(entry, "run_or_explain", lambda cfg: metrics)
    return objective(OmegaConf.create({"optimized_metric": wanted}))


def test_one_name_gives_a_number_and_several_give_several(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ask(monkeypatch, "chamfer_l1_mean") == 0.25
    assert _ask(monkeypatch, "val/surface_error") == 0.5
    assert _ask(monkeypatch, ["n_polygons", "val/surface_error"]) == [12.0, 0.5]
    assert _ask(monkeypatch, None) is None


@pytest.mark.parametrize("wanted", ["shape", "iou", "nothing", ["n_polygons", "nothing"]])
def test_what_is_no_number_is_said_with_what_there_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wanted: Any
) -> None:
    assert _ask(monkeypatch, wanted) is None
    assert "it has n_polygons, chamfer_l1_mean, val/surface_error" in caplog.text


def test_a_run_that_failed_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ask(monkeypatch, "n_polygons", {"failed": "diverged"}) is None


@pytest.mark.slow
def test_tab_completes_options_and_choices() -> None:
    """By Hydra, as `python train.py`; the function that `./run completion` prints asks the same."""
    environment = os.environ | {"COMP_LINE": "train.py shape=b", "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, str(ROOT / "train.py"), "--shell-completion", "query=bash"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split() == ["shape=box", "shape=bracket", "shape=bunny"]
    function = subprocess.run(
        ["sh", str(ROOT / "run"), "completion"], capture_output=True, text=True, check=True
    )
    assert "--shell-completion query=bash" in function.stdout
    if bash := shutil.which("bash"):
        subprocess.run([bash, "-n"], input=function.stdout, text=True, check=True)
