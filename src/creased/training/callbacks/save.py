"""Each epoch, the exact mesh on disk: whatever ends the run, the last one is there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import lightning as L

from creased.core.certificates.certify import Certificate
from creased.core.complexes.level_set import LevelSet
from creased.io.export import BOUNDARIES, Boundary, ExportError, mesh_to_write, write_mesh
from creased.io.metadata import Written, write_metadata
from creased.meshes.mesh_audit import audit_mesh
from creased.training.module import SDFModule

log = logging.getLogger(__name__)


class SaveMesh(L.Callback):
    """Writes the extracted level set in the user's coordinates.

    YAML to paste, in `configs/callbacks/`:

        save:
          _target_: creased.training.callbacks.SaveMesh
          folder: ${paths.output}
          formats: [ply, glb]
          boundary: open

    Args:
        folder: where `mesh.<format>` go, each with its sidecar `mesh.<format>.json`.
        formats: endings; see `creased.io.export`.
        boundary: where the domain's walls cut the surface: "open", "cap", or "error", which then writes none.
    """

    def __init__(
        self, folder: str, formats: Sequence[str] = ("ply", "glb"), boundary: Boundary = "open"
    ) -> None:
        if boundary not in BOUNDARIES:
            raise ValueError(f"SaveMesh: boundary must be one of {', '.join(BOUNDARIES)}, got {boundary!r}")
        self.folder, self.formats, self.boundary = Path(folder), tuple(formats), boundary

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the level set of this epoch, if there is one."""
        assert isinstance(pl_module, SDFModule)
        if pl_module.level_set is not None and trainer.is_global_zero:
            self.write(pl_module.level_set, pl_module)

    def write(self, level_set: LevelSet, module: SDFModule, certificate: Certificate | None = None) -> None:
        """Write a level set of the module, with what is proven of it; nothing if it is empty."""
        if level_set.is_empty:
            return
        try:
            mesh = mesh_to_write(
                level_set, module.to_domain, self.boundary, "no mesh is written", module.program()
            )
        except ExportError as error:
            log.error("%s; training goes on, the mesh of an earlier epoch is kept", error)
            return
        audit = audit_mesh(mesh)
        for ending in self.formats:
            path = self.folder / f"mesh.{ending}"
            try:
                write_mesh(mesh, path)
                known = Written(path, level_set, audit, module.to_domain, self.boundary)
                write_metadata(replace(known, certificate=certificate))
            except OSError as error:
                log.error(
                    "cannot write %s: %s; training goes on, the mesh of an earlier epoch is kept", path, error
                )
