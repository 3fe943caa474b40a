"""The recipe of a run: what `quality` and the kind of network stand for, and what to expect of it."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig, OmegaConf

GRID = "creased.GridMLP"
GROUPS = ("model", "data", "optimizer", "trainer")  # whose options a recipe sets
EXPECTED = "expected"  # entry of a recipe: what was measured with it
MEASURED = "measured"  # entry of a recipe for several kinds of networks: of one of them, in words


def recipe_name(target: str) -> str:
    """Name the recipe of a network by its ``_target_``: "grid" for networks on a grid, else "plain"."""
    return "grid" if target == GRID else "plain"


def changed_options(cfg: DictConfig) -> list[str]:
    """List the options whose values are not those of the recipe."""
    recipe: dict[str, Any] = OmegaConf.to_container(cfg.recipe, resolve=True)  # type: ignore[assignment]
    settings = [
        (f"{group}.{name}", value)
        for group in GROUPS
        for name, value in recipe.items()
        if name not in (EXPECTED, MEASURED) and name in cfg[group]
    ]
    return [name for name, value in settings if OmegaConf.select(cfg, name) != value]


def format_expectation(cfg: DictConfig) -> str:
    """Format what a run will give, as measured; or why that is not known."""
    name = cfg.quality.name
    if changed := changed_options(cfg):
        return f"{name}, but {', '.join(changed)}: what was measured of it does not apply"
    if EXPECTED not in cfg.recipe:
        return f"{name}; {cfg.recipe.get(MEASURED, 'what to expect was measured of model=grid')}"
    expected = cfg.recipe[EXPECTED]
    return (
        f"{name}; of the bunny a mesh of {expected.faces:,} faces, {expected.error:.5f} of the unit box away "
        "from it on average"
    )


def expected_of(cfg: DictConfig) -> tuple[float, float] | None:
    """Return the seconds and gigabytes that were measured of this very recipe; None of any other."""
    if EXPECTED not in cfg.recipe or changed_options(cfg):
        return None
    return float(cfg.recipe[EXPECTED].seconds), float(cfg.recipe[EXPECTED].gigabytes)
