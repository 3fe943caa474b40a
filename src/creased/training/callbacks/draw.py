"""Draw the exact mesh each epoch, the epochs side by side, and the last mesh beside its shape."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning as L

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.render import error_picture, images, render
from creased.render.camera import View
from creased.render.error_picture import Panel
from creased.shapes.comparison import Comparison
from creased.shapes.surface import Surface
from creased.training.callbacks.extract import surface_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL = 480  # pixels, the width of a picture among others

log = logging.getLogger(__name__)


class DrawLevelSet(L.Callback):
    """Draws the extracted level set, and sends the pictures to loggers that take images.

    Writes `pictures/epoch_NNN.png`, `preview.png` (the newest) and `progress.png` (the epochs side by side),
    and at the end of the run `error.png` (the shape, the mesh, and the distances between them);
    `progress.png` then begins with the shape and ends with the distances.
    The first error is logged, and no more pictures are drawn; training continues.

    YAML to paste, in `configs/callbacks/`:

        draw:
          _target_: creased.training.callbacks.DrawLevelSet
          folder: ${paths.output}
          up: ${shape.up}
          azimuth: ${shape.azimuth}
          size: 960

    Args:
        folder: the run folder.
        up: the axis that points up: x, y or z.
        azimuth: of the camera, in degrees from the front, towards the right.
        size: side of a picture in pixels.
    """

    def __init__(self, folder: str, up: str = "z", azimuth: float = -30.0, size: int = 960) -> None:
        self.folder, self.view, self.size = Path(folder), View(azimuth, up=up), size
        self.labels: dict[int, str] = {}  # caption of each epoch's picture
        self._drawn: LevelSet | None = None
        self._is_broken = False

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draw, if this epoch has extracted a level set."""
        level_set, epoch = surface_of(trainer, "DrawLevelSet").level_set, trainer.current_epoch + 1
        is_drawing = trainer.is_global_zero and not self._is_broken
        if not is_drawing or level_set is None or level_set is self._drawn:
            return
        self._drawn = level_set
        with self._stopping_at_errors():
            self._draw(level_set, epoch, trainer)

    def draw_errors(
        self,
        trainer: L.Trainer,
        domain: Box,
        mesh: Surface,
        shape: Surface,
        compared: Comparison,
        unit: str | None,
    ) -> None:
        """Draw the shape, the final mesh, and the distances between them, in the user's unit."""
        if self._is_broken:
            return
        with self._stopping_at_errors():
            panels = error_picture.error_panels(
                mesh, shape, compared, domain=domain, view=self.view, size=min(self.size, CELL), unit=unit
            )
            image = error_picture.side_by_side(panels)
            images.save_png(image, self.folder / "error.png")
            self._draw_progress(first=panels[:1], last=panels[2:3])
            self._log_image(trainer, "errors", image, str(compared))

    @contextmanager
    def _stopping_at_errors(self) -> Iterator[None]:
        try:
            yield
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            self._is_broken = True
            log.warning("no more pictures in this run: %s", error)

    def _draw(self, level_set: LevelSet, epoch: int, trainer: L.Trainer) -> None:
        domain = level_set.domain if isinstance(level_set.domain, Box) else None
        image = render.render_level_set(level_set, size=self.size, view=self.view, domain=domain)
        self.labels[epoch] = f"epoch {epoch} · {level_set.polygons.n:,} faces"
        images.save_png(image, self._path(epoch))
        images.save_png(image, self.folder / "preview.png")
        self._draw_progress()
        self._log_image(trainer, "level_set", image, self.labels[epoch])

    def _draw_progress(self, first: Sequence[Panel] = (), last: Sequence[Panel] = ()) -> None:
        """Lay out the epochs that were drawn, after and before other pictures."""
        drawn = images.thin_out([e for e in self.labels if self._path(e).exists()], images.MOST_FRAMES - 2)
        epochs = [(self.labels[e], images.load_png(self._path(e))) for e in drawn]
        images.contact_sheet(
            [*first, *epochs, *last], self.folder / "progress.png", cell=min(self.size, CELL)
        )

    def _log_image(self, trainer: L.Trainer, name: str, image: NDArray[Any], caption: str) -> None:
        for logger in trainer.loggers:
            if hasattr(logger, "log_image"):
                logger.log_image(name, [image], step=trainer.global_step, caption=[caption])

    def _path(self, epoch: int) -> Path:
        return self.folder / "pictures" / f"epoch_{epoch:03d}.png"

    def state_dict(self) -> dict[str, Any]:
        """Store the labels in the checkpoint."""
        return {"labels": self.labels}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the labels of the resumed run."""
        self.labels = dict(state_dict["labels"])
