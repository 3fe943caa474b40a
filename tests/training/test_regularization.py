"""Regularizers in training: when they count, how much, and that they do nothing at weight zero."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import instantiate

from creased import Box, extract_level_set, geometry, lower
from creased.training import Regularization, SDFModule
from creased.training.run import run
from tests.configs import composed, names_of
from tests.strategies import ball_program
from tests.training.conftest import TINY, Compose, Finished

NAMES = [name for name in names_of("regularizer") if name != "none"]


def _term() -> geometry.Area:
    return geometry.Area()


def test_the_weight_follows_schedule_and_steps() -> None:
    regularization = Regularization(_term(), 2.0, lambda done: 1 - done, every_n_steps=5)
    assert regularization.weight_at(0, 100) == 10
    assert regularization.weight_at(50, 100) == 5
    assert regularization.weight_at(51, 100) == 0


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_impossible_weights_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        Regularization(_term(), weight)
    with pytest.raises(ValueError, match=r"every_n_steps.*0"):
        Regularization(_term(), 1.0, every_n_steps=0)


def test_balanced_gradients_have_the_ratio_asked_for() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)).double()
    with torch.no_grad():
        network[-1].bias -= network(torch.zeros(1, 3).double())[0] + 0.01
    surface = extract_level_set(network, Box.cube(3, 1))
    assert not surface.is_empty
    loss = network(torch.rand(64, 3).double()).abs().mean()
    regularization = Regularization(geometry.EdgeLength(None), 0.5, balanced=True)
    value, factor = regularization(surface, lower(network), loss, network, 0)
    sizes = []
    for scalar in (0.5 * factor * value, loss):
        gradients = torch.autograd.grad(scalar, list(network.parameters()), retain_graph=True)
        sizes.append(sum(float(g.square().sum()) for g in gradients) ** 0.5)
    assert sizes[0] == pytest.approx(0.5 * sizes[1])


def test_every_regularizer_has_a_config() -> None:
    cfg = composed(f"regularizer=[{','.join(NAMES)}]", "regularizer.volume.term.target=0.1")
    made = instantiate(cfg.regularizer)
    assert list(made) == NAMES
    program = ball_program(3, 14)
    surface = extract_level_set(program, Box.cube(3, 1))
    for name in NAMES:
        assert bool(made[name].term(surface, program).isfinite()), name
        assert made[name].weight > 0, name


@pytest.mark.parametrize("name", names_of("experiment"))
def test_every_experiment_can_be_put_together(name: str) -> None:
    made = instantiate(composed(f"experiment={name}").regularizer)
    assert all(isinstance(regularization, Regularization) for regularization in made.values())


@pytest.mark.slow
def test_fewer_faces_are_made_by_their_experiment(configured: Compose, finished: Finished) -> None:
    _, plain = finished
    short = ["regularizer.face_count.weight=0.15", "callbacks.extract.every_n_steps=20"]
    fewer = run(configured("fewer", "+experiment@_global_=fewer_faces", *short))
    assert fewer["n_polygons"] < 0.9 * plain["n_polygons"]
    assert fewer["is_closed"] or "walls" in fewer["status"], fewer["status"]  # by how it is sampled


def test_the_edge_length_regularizer_shortens_edges(configured: Compose, finished: Finished) -> None:
    _, plain = finished
    each_step = ["regularizer.edge_length.weight=4e-4", "regularizer.edge_length.every_n_steps=1"]
    overrides = ["regularizer=edge_length", *each_step, "callbacks.extract.every_n_steps=10"]
    shorter = run(configured("shorter", *overrides))
    assert shorter["logged"]["train/edge_length"] > 0
    assert shorter["edge_length_total"] < 0.85 * plain["edge_length_total"]
    assert shorter["surface_error_mean"] < 0.02
    assert shorter["is_closed"] or "walls" in shorter["status"], shorter["status"]  # by how it is sampled


def test_at_weight_zero_the_run_is_the_plain_one_bit_for_bit(configured: Compose, finished: Finished) -> None:
    _, plain = finished
    weights = ["regularizer.area.weight=0", "regularizer.face_count.weight=0"]
    zero = run(configured("zero", "regularizer=[area,face_count]", *weights))
    for key in ("surface_error_mean", "n_vertices", "n_polygons", "iou"):
        assert zero[key] == plain[key]


def test_several_at_once_and_the_same_seed_gives_the_same_run(configured: Compose) -> None:
    overrides = ["regularizer=[mean_curvature,edge_length,volume]", "regularizer.edge_length.balanced=true"]
    overrides += ["regularizer.volume.term.target=0.3", "regularizer.edge_length.weight=0.01"]
    overrides += ["regularizer.volume.every_n_steps=3", "regularizer.volume.weight=0.01"]
    cfg = configured("first", *overrides, *TINY)
    first, second = run(cfg), run(configured("second", *overrides, *TINY))
    assert first["surface_error_mean"] == second["surface_error_mean"]
    assert first["n_polygons"] == second["n_polygons"] > 0
    rows = list(csv.DictReader((Path(cfg.paths.output) / "metrics.csv").read_text().splitlines()))
    assert all(float(rows[-1][f"train/{name}"]) >= 0 for name in ("mean_curvature", "edge_length", "volume"))


@pytest.mark.slow
def test_mixed_precision_trains_as_single_precision_does(configured: Compose) -> None:
    overrides = ["regularizer=edge_length", "regularizer.edge_length.every_n_steps=1", *TINY]
    single = run(configured("single", *overrides))
    mixed = run(configured("mixed", *overrides, "+trainer.precision=bf16-mixed"))
    for key in ("surface_error_mean", "edge_length_total"):
        assert mixed[key] == pytest.approx(single[key], rel=0.1)


def test_stale_vertices_trigger_an_extraction(configured: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    n_extracted = 0
    original = extract_level_set.__wrapped__  # type: ignore[attr-defined]

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal n_extracted
        n_extracted += 1
        return original(*args, **kwargs)

    monkeypatch.setattr("creased.geometry.tracking.extract_level_set", counted)
    short = [*TINY, "data.n_batches=30", "regularizer=area"]  # looked at after 25
    run(configured("patient", *short, "callbacks.extract.stale_above=1.0"))
    patient, n_extracted = n_extracted, 0
    run(configured("eager", *short, "callbacks.extract.stale_above=0.01"))
    assert n_extracted > patient == 3  # at the start, and after each of two epochs


def test_stale_shares_are_measured() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
    module = SDFModule(network, {}, torch.optim.Adam, lambda done: 1.0, domain=Box.cube(3, 1))
    assert module.surface.stale_share() == 0
    with torch.no_grad():
        network[-1].bias -= network(torch.zeros(1, 3))[0]
    module.surface.keep(extract_level_set(network, Box.cube(3, 1)))
    assert module.surface.stale_share() == 0
    with torch.no_grad():
        network[0].bias += 0.3 * torch.randn(16)
    assert module.surface.stale_share() > 0.1


def test_a_regularizer_without_extraction_is_refused_before_any_work(configured: Compose) -> None:
    cfg = configured("refused", "regularizer=area", "callbacks.extract=null")
    with pytest.raises(ValueError, match=r"area.*ExtractLevelSet.*callbacks\.extract"):
        run(cfg)
    assert not (Path(cfg.paths.output) / "config.yaml").exists()


def test_a_trainer_of_ones_own_without_extraction_is_refused() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    optimizer = torch.optim.Adam
    module = SDFModule(network, {}, optimizer, lambda done: 1.0, {"area": Regularization(_term(), 1.0)})
    with pytest.raises(ValueError, match=r"area.*callback"):
        module.on_fit_start()
