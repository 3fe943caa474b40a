"""Write the exact mesh and the function of each epoch, so that an interrupted run keeps its latest ones."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from pathlib import Path

import lightning as L
import torch

from creased.core.certificates.certify import Certificate
from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.core.program.program import Program
from creased.io.atomic_write import write_whole
from creased.io.checkpoint import KEY, write_record
from creased.io.export import BOUNDARIES, Boundary, ExportError, mesh_to_write, require_writer, write_mesh
from creased.io.metadata import Written, write_metadata
from creased.io.similarity import Similarity
from creased.meshes.mesh_audit import audit_mesh
from creased.training.callbacks.extract import surface_of
from creased.training.module import record_of, similarity_of
from creased.training.schedules import is_epoch_due

log = logging.getLogger(__name__)


class SaveMesh(L.Callback):
    """Writes what `ExtractLevelSet` extracts, of any LightningModule, in the user's coordinates.

    YAML to paste, in `configs/callbacks/`:

        save:
          _target_: creased.training.callbacks.SaveMesh
          folder: ${paths.output}
          formats: [ply, glb]
          boundary: open

    Args:
        folder: for `mesh.<format>` and their metadata `mesh.<format>.json`.
        formats: endings; see `creased.io.export`.
        boundary: where the domain's walls cut the surface: "open", "cap", or "error", which writes no mesh.
    """

    def __init__(
        self, folder: str, formats: Sequence[str] = ("ply", "glb"), boundary: Boundary = "open"
    ) -> None:
        if boundary not in BOUNDARIES:
            raise ValueError(f"SaveMesh: boundary must be one of {', '.join(BOUNDARIES)}, got {boundary!r}")
        if isinstance(formats, str):
            raise ValueError(f"SaveMesh: formats is a list such as [ply,stl], got {formats!r}")
        self.folder, self.formats, self.boundary = Path(folder), tuple(formats), boundary
        for ending in self.formats:
            require_writer(Path(f"mesh.{ending}"))
        self._logged: set[str] = set()  # endings of which a loss was logged before

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the level set of this epoch, if there is one."""
        if not trainer.is_global_zero:
            return
        surface = surface_of(trainer, "SaveMesh")
        if surface.level_set is not None:
            self.write(surface.level_set, surface.program(), similarity_of(pl_module))

    def write(
        self,
        level_set: LevelSet,
        program: Program,
        to_domain: Similarity,
        certificate: Certificate | None = None,
    ) -> None:
        """Write a level set of the program and its metadata; nothing if it is empty."""
        if level_set.is_empty:
            return
        try:
            mesh = mesh_to_write(level_set, to_domain, self.boundary, "no mesh is written", program)
        except ExportError as error:
            log.error("%s; training continues, the earlier mesh is kept", error)
            return
        audit = audit_mesh(mesh)
        for ending in self.formats:
            path = self.folder / f"mesh.{ending}"
            try:
                loss = write_mesh(mesh, path, to_domain.unit)
                written = Written(path, level_set, audit, to_domain, self.boundary, certificate=certificate)
                write_metadata(written)
                if loss and ending not in self._logged:
                    log.warning("%s", loss)
                    self._logged.add(ending)
            except OSError as error:
                log.error("cannot write %s: %s; training continues, the earlier mesh is kept", path, error)


class KeepEpochs(L.Callback):
    """Writes the function of each epoch as `epoch_NNN.ckpt`; `creased view RUN` shows them on a slider.

    A file holds the record of `creased.io.checkpoint` alone, a few kilobytes.

    YAML to paste, in `configs/callbacks/`:

        epochs:
          _target_: creased.training.callbacks.KeepEpochs
          folder: ${paths.output}/epochs
          every_n_epochs: 1

    Args:
        folder: for the files.
        every_n_epochs: interval; the last epoch of the run is always kept.
    """

    def __init__(self, folder: str, every_n_epochs: int = 1) -> None:
        self.folder, self.every_n_epochs = Path(folder), every_n_epochs

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the function of this epoch."""
        if not trainer.is_global_zero or not is_epoch_due(trainer, self.every_n_epochs):
            return
        surface, content = surface_of(trainer, "KeepEpochs"), io.BytesIO()
        domain = surface.domain if surface.level_set is None else surface.level_set.domain
        if not isinstance(domain, Box):
            raise ValueError(f"KeepEpochs: checkpoints are of functions on a Box, got {domain}")
        torch.save({KEY: write_record(record_of(pl_module, surface, domain))}, content)
        path = self.folder / f"epoch_{trainer.current_epoch + 1:03d}.ckpt"
        try:
            write_whole(path, content.getvalue())
        except OSError as error:
            log.error("cannot write %s: %s; training continues", path, error)
