"""Serve a page that shows the training while it goes on."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import lightning as L

from creased.core.domains.box import Box
from creased.core.options import domain_of
from creased.shapes.surface import Surface
from creased.training.callbacks.extract import surface_of
from creased.training.module import similarity_of

if TYPE_CHECKING:
    from creased.viewer.live import LivePage

log = logging.getLogger(__name__)


class LiveView(L.Callback):
    """Shows each epoch's exact mesh in the browser, with loss and faces, in any LightningModule's training.

    The page is that of `creased view`: on 127.0.0.1 alone, for its own pages alone. It ends
    with the training. A thread of its own serves it: the loop hands over the level set and a copy of the
    weights each epoch, and the loss every ``trainer.log_every_n_steps``.

    YAML to paste, in `configs/callbacks/`; `viewer=true` or `viewer=PORT` adds it to a run:

        viewer:
          _target_: creased.training.callbacks.LiveView
          port: 8080
          up: z

    Args:
        port: of the page; if it is taken, the next free one.
        up: the axis that points up: x, y or z.
        shape: the surface to compare with, in the domain; by default that of the data module's ``shape``.
    """

    def __init__(self, port: int = 8080, up: str = "z", shape: Surface | None = None) -> None:
        self.port, self.up, self.shape = port, up, shape
        self._live: LivePage | None = None

    @property
    def url(self) -> str | None:
        """The page's address; None where no page is served."""
        return None if self._live is None else self._live.page.url

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Serve the page, on rank 0.

        Raises:
            ImportError: viser is not installed.
            ValueError: the level set is not looked for in a box of two or three dimensions.
        """
        surface = surface_of(trainer, "LiveView")
        if not trainer.is_global_zero:
            return
        from creased.viewer.live import LivePage
        from creased.viewer.page import Page

        box = domain_of("LiveView", surface.program(), surface.domain)
        if not isinstance(box, Box) or box.dim not in (2, 3):
            raise ValueError(f"LiveView: shows level sets in a Box of 2 or 3 dimensions, got {box}")
        page = Page([], self.port, self.up, shape=self._shape_of(trainer), box=box)
        self._live = LivePage(page)
        log.info("watch it at %s", page.url)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Hand over the loss, where values are logged."""
        step = trainer.global_step
        if self._live is not None and step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            loss = outputs["loss"] if isinstance(outputs, dict) else outputs
            if loss is not None:
                self._live.lose(step, float(loss.detach()))

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Hand over the level set of this epoch, if there is one, with a copy of the weights."""
        surface = surface_of(trainer, "LiveView")
        level_set = surface.level_set
        if self._live is None or level_set is None or surface.extracted_at != trainer.global_step:
            return
        from creased.viewer.sources import live_shot

        program = copy.deepcopy(surface.program().detach().to("cpu"))
        epoch = trainer.current_epoch + 1
        shot = live_shot(level_set, program, epoch, similarity_of(pl_module))
        self._live.offer(shot, level_set.polygons.n if level_set.dim == 3 else len(level_set.edges))

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Close the page."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _shape_of(self, trainer: L.Trainer) -> Callable[[], Surface | None] | None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        found = self.shape or getattr(getattr(data, "shape", None), "surface", None)
        return (lambda: found) if isinstance(found, Surface) else None
