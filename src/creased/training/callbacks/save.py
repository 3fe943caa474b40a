"""Each epoch, the exact mesh on disk: whatever ends the run, the last one is there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import lightning as L

from creased.export import export_mesh
from creased.training.module import SDFModule

log = logging.getLogger(__name__)


class SaveMesh(L.Callback):
    """Writes the extracted level set in the user's coordinates.

    YAML to paste, in `configs/callbacks/`:

        save:
          _target_: creased.training.callbacks.SaveMesh
          folder: ${paths.output}
          formats: [ply, glb]

    Args:
        folder: where `mesh.<format>` go.
        formats: endings; see `creased.export`.
    """

    def __init__(self, folder: str, formats: Sequence[str] = ("ply", "glb")) -> None:
        self.folder, self.formats = Path(folder), tuple(formats)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the level set of this epoch, if there is one."""
        assert isinstance(pl_module, SDFModule)
        level_set = pl_module.level_set
        if level_set is None or level_set.is_empty:
            return
        for ending in self.formats:
            path = self.folder / f"mesh.{ending}"
            try:
                export_mesh(level_set, path, pl_module.to_domain)
            except OSError as error:
                log.error(
                    "cannot write %s: %s; training goes on, the mesh of an earlier epoch is kept", path, error
                )
