"""Numbers are refused by the name of their option before any work."""

import re
from typing import Any

import pytest
from omegaconf import DictConfig

from creased.training.options import OPTIONS, OptionError, require_options
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
        ("seed=abc", "seed takes a whole number, at least 0, at most 4294967295; got 'abc'"),
        ("seed=-1", "got -1"),
        ("threads=true", "threads takes a whole number"),
        ("model.width=2.5", "model.width takes a whole number, at least 1; got 2.5"),
        ("model.width=abc", "model.width takes"),
        ("data.batch_size=0", "data.batch_size takes"),
        ("data.n_samples=-5", "data.n_samples takes"),
        ("optimizer.lr=-1", "optimizer.lr takes a number, at least 0; got -1"),
        ("optimizer.lr=nan", "optimizer.lr takes a number"),
        ("optimizer.lr=fast", "got 'fast'"),
        ("trainer.max_epochs=-3", "trainer.max_epochs takes a whole number, at least -1"),
        ("evaluation.budget=-1", "evaluation.budget takes"),
        ("evaluation.method=walk", "evaluation.method takes one of subdivide, march, auto; got 'walk'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(override: str, message: str) -> None:
    with pytest.raises(OptionError, match=re.escape(message)):
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
