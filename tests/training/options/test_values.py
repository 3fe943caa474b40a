"""Numbers are refused by the name of their option before any work."""

from typing import Any

import pytest
from omegaconf import DictConfig

from creased.training.options.values import OPTIONS, OptionError, require_options
from tests.configs import composed, names_of


@pytest.mark.parametrize("experiment", names_of("experiment"))
def test_the_options_of_the_project_are_fine(experiment: str) -> None:
    cfg = composed(f"experiment={experiment}")
    require_options(cfg)
    cfg.threads = 0
    with pytest.raises(OptionError, match="threads"):
        require_options(cfg)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=abc", "seed .*whole number.* 4294967295; got 'abc'"),
        ("seed=-1", "got -1"),
        ("threads=true", "threads .*whole number"),
        ("model.width=2.5", r"model\.width .*whole number, at least 1; got 2\.5"),
        ("model.width=abc", r"model\.width .*abc"),
        ("data.batch_size=0", r"data\.batch_size .*got 0"),
        ("data.n_samples=-5", r"data\.n_samples .*got -5"),
        ("optimizer.lr=-1", r"optimizer\.lr .*at least 0; got -1"),
        ("optimizer.lr=nan", r"optimizer\.lr .*number.*nan"),
        ("optimizer.lr=fast", "got 'fast'"),
        ("trainer.max_epochs=-3", r"trainer\.max_epochs .*at least -1"),
        ("evaluation.budget=-1", r"evaluation\.budget .*-1"),
        ("+trainer.precision=bf16-true", r"trainer\.precision=bf16-true .*bf16-mixed"),
        ("+trainer.precision=16-true", r"trainer\.precision=16-true .*16-mixed"),
        ("evaluation.method=walk", r"evaluation\.method .*subdivide, march, auto.*'walk'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(override: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        require_options(composed(override))


def test_null_and_what_is_not_there_pass() -> None:
    values: dict[str, Any] = {"seed": 0, "evaluation": {"budget": None}}
    require_options(DictConfig(values))
    with pytest.raises(OptionError, match="seed"):
        require_options(DictConfig(values | {"seed": -1}))


def test_every_option_is_one_of_the_configuration() -> None:
    cfg = composed()
    for option in OPTIONS:
        group, _, name = option.name.rpartition(".")
        assert name in (cfg[group] if group else cfg), option.name
