"""What the log says to users of regularizers, and that training goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
import torch

from creased import Box, extract_level_set
from creased.core.complexes.level_set import LevelSet
from creased.training.callbacks.extract import format_conditions, format_staleness
from creased.training.command.mistakes import run_or_explain
from creased.training.run import run
from tests.oracles import named_surface
from tests.strategies import ball_program, random_program
from tests.training.conftest import TINY, Compose


def _open() -> LevelSet:
    return extract_level_set(random_program(3, (12, 12), seed=4), Box.cube(3, 1))


@pytest.mark.parametrize(
    ("surface", "words"),
    [
        (lambda: extract_level_set(ball_program(3, 14), Box.cube(3, 1), 1e4), "is empty: regularizers are 0"),
        (_open, "the walls cut the level set"),
        (lambda: named_surface("two_octahedra"), "has 2 components"),
    ],
)
def test_what_is_unusual_is_said(surface: Callable[[], LevelSet], words: str) -> None:
    assert any(words in sentence for sentence in format_conditions(surface().audit()))


def test_of_a_closed_surface_nothing_is_said() -> None:
    assert format_conditions(extract_level_set(ball_program(3, 14), Box.cube(3, 1)).audit()) == []


def test_staleness_is_said_where_most_vertices_are_left_behind() -> None:
    assert format_staleness(0.4, 100) == []
    assert format_staleness(0.75, 100)[0].startswith(
        "after 100 steps 75% of the vertices had left their cells"
    )


@pytest.mark.parametrize("kind", ["empty", "walls"])
def test_training_goes_on(
    kind: str,
    configured: Compose,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cut = {"empty": ["shape=torus", "domain.half_width=0.1"], "walls": ["domain.half_width=0.3"]}[kind]
    overrides = ["regularizer=[mean_curvature,area,volume]", "regularizer.volume.term.target=0.1", *cut]
    with caplog.at_level(logging.WARNING):
        metrics = run(configured(kind, *TINY, *overrides, "trainer.max_epochs=1"))
    assert torch.isfinite(torch.tensor(metrics["surface_error_mean"]))
    expected = {"empty": "regularizers are 0 until", "walls": "the walls cut the level set"}
    said = [record.message for record in caplog.records if expected[kind] in record.message]
    assert len(said) == 1


def test_a_setting_that_is_missing_is_named(
    configured: Compose,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="1"):
        run_or_explain(configured("missing", "regularizer=volume"))
    assert "creased: give a value: regularizer.volume.term.target=..." in capsys.readouterr().err
