"""Log the exact mesh to W&B each epoch, for its three-dimensional view."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import lightning as L

from creased.core.complexes.level_set import LevelSet
from creased.io.export import save
from creased.training.callbacks.extract import surface_of
from creased.training.module import similarity_of
from creased.training.schedules import is_epoch_due
from creased.training.wandb import wandb_loggers

log = logging.getLogger(__name__)


class LogMeshes(L.Callback):
    """Logs the level set as `mesh` (GLB, in the user's coordinates) and its audit, with a W&B logger.

    Works with any LightningModule, behind `ExtractLevelSet`. The summary gets `audit` and `guarantee`,
    each as a sentence.

    YAML to paste, in `configs/callbacks/`:

        meshes:
          _target_: creased.training.callbacks.LogMeshes
          every_n_epochs: 1

    Args:
        every_n_epochs: interval; the last epoch of the run is always logged.
    """

    def __init__(self, every_n_epochs: int = 1) -> None:
        self.every_n_epochs = every_n_epochs

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the level set of this epoch, if there is one."""
        loggers = wandb_loggers(trainer.loggers)
        if not loggers or not trainer.is_global_zero or not is_epoch_due(trainer, self.every_n_epochs):
            return
        level_set = surface_of(trainer, "LogMeshes").level_set
        if level_set is None:
            return
        epoch = trainer.current_epoch + 1
        for logger in loggers:
            run = logger.experiment
            run.summary.update({"audit": str(level_set.audit()), "guarantee": level_set.guarantee})
            if not level_set.is_empty:
                try:
                    self._log(run, level_set, pl_module, trainer.global_step, epoch)
                except OSError as error:
                    log.warning("W&B gets no mesh of epoch %d: %s", epoch, error)

    def _log(
        self, run: object, level_set: LevelSet, module: L.LightningModule, step: int, epoch: int
    ) -> None:
        import wandb

        with TemporaryDirectory() as folder:  # W&B copies the file
            path = Path(folder) / "mesh.glb"
            save(level_set, path, similarity_of(module))
            caption = f"epoch {epoch}: {level_set.polygons.n:,} faces"
            mesh = wandb.Object3D(str(path), caption=caption)
            run.log({"mesh": mesh, "trainer/global_step": step})  # type: ignore[attr-defined]
