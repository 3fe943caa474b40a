"""The page that shows a training while it goes on."""

from __future__ import annotations

import time
import urllib.request
from typing import Any

import lightning as L
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

pytest.importorskip("viser")

from creased import MLP, Box, extract_level_set, lower
from creased.io.similarity import Similarity
from creased.shapes.surface import Surface
from creased.training.callbacks import ExtractLevelSet, LiveView
from creased.viewer.page import Page
from creased.viewer.sources import live_shot
from tests.training.callbacks.test_own_module import CUBE, Ball
from tests.viewer.test_page import free_port

pytestmark = pytest.mark.filterwarnings("ignore")  # of the threads of the server


class Visitor(L.Callback):
    """Looks at the page at the end of each epoch, once it has what was handed over."""

    def __init__(self, view: LiveView) -> None:
        self.view, self.seen = view, []  # type: ignore[var-annotated]

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        live: Any = self.view._live
        deadline = time.monotonic() + 30
        while len(live.page.shots) <= trainer.current_epoch and time.monotonic() < deadline:
            time.sleep(0.05)
        with urllib.request.urlopen(self.view.url, timeout=10) as answer:
            self.seen.append((answer.status, live.page.shot().label, live.page.numbers))


def test_any_training_shows_its_newest_mesh_and_its_epochs_from_one() -> None:
    sphere = np.array([[0, 0, 0.3], [0.3, 0, 0], [0, 0.3, 0], [-0.3, 0, 0], [0, -0.3, 0], [0, 0, -0.3]])
    faces = [[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 1], [5, 2, 1], [5, 3, 2], [5, 4, 3], [5, 1, 4]]
    view = LiveView(free_port(), shape=Surface.of_triangles(sphere, np.array(faces)))
    visitor = Visitor(view)
    points = torch.rand((2000, 3), generator=torch.Generator().manual_seed(0)) - 0.5
    trainer = L.Trainer(
        max_epochs=3,
        callbacks=[ExtractLevelSet(network="net", domain=CUBE), view, visitor],
        accelerator="cpu",
        logger=False,
        log_every_n_steps=5,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    trainer.fit(Ball(), DataLoader(TensorDataset(points), batch_size=100))
    assert [entry[1] for entry in visitor.seen] == ["epoch 1", "epoch 2", "epoch 3"]
    assert {entry[0] for entry in visitor.seen} == {200}
    assert visitor.seen[-1][2] == [1, 2, 3]
    assert view.url is None  # closed with the training


def test_surfaces_that_are_not_shown_are_not_kept() -> None:
    network = MLP(3, 8, 2).double()
    program, box = lower(network).detach(), Box.cube(3, 0.5)
    level_set = extract_level_set(program, box, float(program(torch.zeros(1, 3).double())))
    shots = [live_shot(level_set, program, epoch, Similarity((0.0, 0.0, 0.0), 1.0)) for epoch in range(1, 9)]
    page = Page([], free_port(), box=box)
    try:
        page.add(*shots[:4])
        page.add(*shots[4:])
        kept = [shot.epoch for shot in shots if shot.at_hand or "_both" in vars(shot)]
        assert kept == [4, 8]  # which were shown
        page.epoch.value = 1
        page.refresh()
        assert len(page.shot().scene.vertices) == len(level_set.vertices)
    finally:
        page.stop()


def test_a_page_without_extraction_is_refused() -> None:
    with pytest.raises(ValueError, match="LiveView: give the Trainer an ExtractLevelSet"):
        L.Trainer(callbacks=[LiveView(free_port())], accelerator="cpu", logger=False, max_epochs=1).fit(
            Ball(), DataLoader(TensorDataset(torch.rand(10, 3)))
        )
