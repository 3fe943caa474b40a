"""Names that nothing reads are refused, also where Hydra does not look."""

from __future__ import annotations

from functools import cache
from itertools import zip_longest

import pytest
from omegaconf import DictConfig, OmegaConf, open_dict

from creased.training.options.names import OptionError, require_names
from tests.configs import composed, names_of


@cache
def _plain() -> DictConfig:
    return composed("paths.output=x", "logger=csv")


def _with(keys: str) -> DictConfig:
    """A configuration with keys as an experiment adds them."""
    cfg = _plain()
    with open_dict(cfg):
        merged = OmegaConf.merge(cfg, OmegaConf.create(keys))
    assert isinstance(merged, DictConfig)
    return merged


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("{modle: {width: 3}}", "no option modle: did you mean model?"),
        ("{trend: 1, sead: 3}", "no option sead: did you mean seed?"),
        ("{model: {widht: 3}}", "no option model.widht: did you mean model.width?"),
        ("{data: {n_sample: 3}}", "did you mean data.n_samples?"),
        ("{trainer: {max_epoch: 3}}", "did you mean trainer.max_epochs?"),
        ("{evaluation: {budgt: 3}}", "did you mean evaluation.budget?"),
        ("{evaluation: {frobnicate: 3}}", "no option evaluation.frobnicate: choose from"),
        ("{extras: {print_confg: true}}", "did you mean extras.print_config?"),
        ("{callbacks: {extract: {every_n_epoch: 3}}}", "did you mean callbacks.extract.every_n_epochs?"),
        ("{shape: {path_: x}}", "did you mean shape.path?"),
        ("{shape: {repai: lenient}}", "did you mean shape.repair?"),
        ("{shape: {limits: {los: 1}}}", "did you mean shape.limits.lost?"),
        ("{callbacks: {darw: null}}", "did you mean callbacks.draw?"),
        ("{logger: {csv: {save_dirs: x}}}", "did you mean logger.csv.save_dir?"),
    ],
)
def test_a_misspelt_key_is_refused(keys: str, message: str) -> None:
    with pytest.raises(OptionError) as refused:
        require_names(_with(keys))
    assert message in str(refused.value)


def test_what_is_read_or_is_ones_own_is_taken() -> None:
    for keys in (
        "{my_width: 3, model: {width: '${my_width}'}}",
        "{trainer: {precision: 64-true, gradient_clip_val: 1}, evaluation: {memory: 1000}}",
        "{callbacks: {mine: {_target_: not.there, any: 3}, draw: null, other: null}}",
    ):
        require_names(_with(keys))


def test_every_choice_of_a_group_is_taken() -> None:
    for name in names_of("experiment"):
        require_names(composed(f"experiment={name}", "paths.output=x"))
    groups = ("debug", "logger", "model", "regularizer")
    for names in zip_longest(*map(names_of, groups)):  # a choice of each at once
        chosen = [f"{group}={name}" for group, name in zip(groups, names, strict=True) if name]
        require_names(composed(*chosen, "paths.output=x"))
