"""Each epoch, the exact level set of the network as it is."""

from __future__ import annotations

import logging
import time
from typing import Any

import lightning as L
import torch

from creased.core.extract import SEEDS, extract_level_set
from creased.geometry import sublevel_volume, surface_area
from creased.training.module import SDFModule

LOOKED_AT = 25  # steps after which staleness is measured again

log = logging.getLogger(__name__)


class ExtractLevelSet(L.Callback):
    """Extracts {f = 0} and keeps it in the module, for the regularizer and the other callbacks.

    An empty level set, as early in training, is logged with its status, and training goes on.

    YAML to paste, in `configs/callbacks/`:

        extract:
          _target_: creased.training.callbacks.ExtractLevelSet
          every_n_epochs: 1
          every_n_steps: null
          stale_above: null
          method: auto
          warm_start: true

    Args:
        every_n_epochs: how often; the last epoch of the run always.
        every_n_steps: within an epoch too, every so many steps, for a regularizer that needs to be fresh.
        stale_above: within an epoch too, as soon as more than this share of the vertices are none any more.
        method: "subdivide", "march" or "auto", see `creased.extract_level_set`.
        warm_start: march from the last level set and a coarse grid, not from a fine grid.
        dtype: floating type to work in; float64 keeps vertices on the surface to 1e-12.
    """

    def __init__(
        self,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        stale_above: float | None = None,
        method: str = "auto",
        warm_start: bool = True,
        dtype: str = "float64",
    ) -> None:
        self.every_n_epochs, self.every_n_steps = every_n_epochs, every_n_steps
        self.stale_above = stale_above
        self.method, self.warm_start = method, warm_start
        self.dtype: torch.dtype = getattr(torch, dtype)

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Extract before the first step if a regularizer wants a level set to begin with."""
        assert isinstance(pl_module, SDFModule)
        if pl_module.wants_level_set:
            self._extract(pl_module)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Extract within the epoch, if asked to."""
        assert isinstance(pl_module, SDFModule)
        is_due = self.every_n_steps is not None and batch_idx and batch_idx % self.every_n_steps == 0
        if self.stale_above is not None and not is_due and batch_idx % LOOKED_AT == 0:
            share = pl_module.stale_share()
            pl_module.log("mesh/stale", share, on_step=False, on_epoch=True)
            is_due = share > self.stale_above
        if is_due:
            self._extract(pl_module)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Extract, and log counts and seconds."""
        assert isinstance(pl_module, SDFModule)
        epoch = trainer.current_epoch + 1
        if epoch % self.every_n_epochs and epoch != trainer.max_epochs:
            return
        seconds = self._extract(pl_module)
        level_set = pl_module.level_set
        assert level_set is not None
        audit = level_set.audit()
        pl_module.log("faces", float(audit.n_polygons), prog_bar=True)
        pl_module.log("extract_s", seconds, prog_bar=True)
        pl_module.log("mesh/vertices", float(audit.n_vertices))
        pl_module.log("mesh/euler_characteristic", float(audit.euler_characteristic))
        pl_module.log("mesh/components", float(audit.n_components))
        pl_module.log("mesh/is_closed", float(audit.is_closed))
        pl_module.log("mesh/area", float(surface_area(level_set.vertices, level_set.polygons)))
        pl_module.log("mesh/volume", float(sublevel_volume(level_set.vertices, level_set, pl_module.domain)))
        if level_set.status:
            log.warning("epoch %d: level set %s", epoch, level_set.status)

    def _extract(self, module: SDFModule) -> float:
        """Extract into the module; the seconds it took."""
        start = time.perf_counter()
        with torch.no_grad():
            last = module.level_set
            seeds = last if self.warm_start and last is not None and not last.is_empty else SEEDS
            module.level_set = extract_level_set(
                module.program(), module.domain, method=self.method, seeds=seeds, dtype=self.dtype
            )
        if module.device.type == "cuda":
            torch.cuda.synchronize(module.device)
        return time.perf_counter() - start
