"""One knob sets levels, samples and steps; explicit options win; what to expect is said before the start."""

import pytest
from omegaconf import OmegaConf

from creased.training.options.values import require_options
from creased.training.quality import changed_options, format_expectation
from tests.configs import composed, names_of
from tests.slow import slow

QUALITIES = ("draft", "normal", "high", "ultra")


def test_there_are_four_qualities_and_normal_is_the_default() -> None:
    assert set(names_of("quality")) == set(QUALITIES)
    assert composed().quality.name == "normal"


@pytest.mark.parametrize(
    ("model", "quality"),
    [
        (pytest.param if model == "grid" or quality == "normal" else slow)(model, quality)
        for model in names_of("model")
        for quality in QUALITIES
    ],
)
def test_every_model_has_a_recipe(model: str, quality: str) -> None:
    cfg = composed(f"quality={quality}", f"model={model}")
    OmegaConf.to_container(cfg, resolve=True)
    require_options(cfg)
    assert changed_options(cfg) == []
    assert format_expectation(cfg).startswith(quality)


def test_more_quality_is_more_of_everything_but_speed() -> None:
    recipes = [composed(f"quality={quality}").recipe for quality in QUALITIES]
    for name in ("n_samples", "seconds", "gigabytes", "faces"):
        values = [recipe.get(name, recipe.expected.get(name)) for recipe in recipes]
        assert values == sorted(set(values)), name
    errors = [recipe.expected.error for recipe in recipes]
    assert errors == sorted(set(errors), reverse=True)
    finest = [max(recipe.levels) for recipe in recipes]
    assert finest == sorted(set(finest))


def test_explicit_options_win_and_end_the_expectation() -> None:
    cfg = composed("quality=high", "model.levels=[4,8]", "data.n_samples=5000", "trainer.max_epochs=1")
    assert (list(cfg.model.levels), cfg.data.n_samples, cfg.trainer.max_epochs) == ([4, 8], 5000, 1)
    assert cfg.data.n_batches == composed("quality=high").data.n_batches
    assert changed_options(cfg) == ["model.levels", "data.n_samples", "trainer.max_epochs"]
    said = format_expectation(cfg)
    assert "model.levels" in said
    assert "of the bunny" not in said
    assert "of the bunny" in format_expectation(composed("quality=high"))
    assert "of the bunny" not in format_expectation(composed("experiment=smoke"))


def test_plain_networks_keep_their_own_rate() -> None:
    assert composed("model=mlp").optimizer.lr != composed().optimizer.lr
    assert composed("model=mlp", "quality=high").trainer.max_epochs == 20
