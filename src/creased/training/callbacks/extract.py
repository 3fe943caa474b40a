"""Extract the exact level set each epoch, and within epochs where regularizers need it fresh."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, SupportsFloat

import lightning as L
import torch

from creased.core.complexes.audit import Audit
from creased.core.complexes.level_set import LevelSet
from creased.core.extract_level_set import extract_level_set
from creased.core.options import SEEDS
from creased.geometry import sublevel_volume, surface_area
from creased.training.distributed import from_rank_zero
from creased.training.module import SDFModule
from creased.training.regularization import Regularization
from creased.training.schedules import is_epoch_due

STALENESS_INTERVAL = 25  # steps between two measurements of staleness
VERY_STALE = 0.5  # share of the vertices

log = logging.getLogger(__name__)


class ExtractLevelSet(L.Callback):
    """Extracts {f = 0} and stores it in the module, for the regularizers and the other callbacks.

    An empty level set, as early in training, is logged with its status, and training continues. With
    regularizers, conditions that concern them are logged once each, and every epoch `mesh/stale`, the share
    of the vertices that had left their cells before the next extraction. Of several processes rank 0 extracts
    and broadcasts the level set.

    YAML to paste, in `configs/callbacks/`:

        extract:
          _target_: creased.training.callbacks.ExtractLevelSet
          every_n_epochs: 1
          every_n_steps: null
          stale_above: null
          method: auto
          warm_start: true

    Args:
        every_n_epochs: interval of extraction; the last epoch of the run always extracts.
        every_n_steps: interval within an epoch, for regularizers; None: at its end only.
        stale_above: extract within an epoch too, once more than this share of the vertices left its cells.
        method: "subdivide", "march" or "auto", see `creased.extract_level_set`.
        warm_start: march from the last level set and a coarse grid, in place of a fine grid.
        dtype: of the computation; in float64 vertices lie on the surface to 1e-12.
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
        self._logged: set[str] = set()  # sentences logged before, without their numbers

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Extract before the first step if a regularizer wants a level set to begin with."""
        assert isinstance(pl_module, SDFModule)
        if pl_module.wants_level_set:
            self._extract(pl_module)
            assert pl_module.level_set is not None
            self._warn_once(format_conditions(pl_module.level_set.audit()))

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Extract within the epoch, by ``every_n_steps`` or ``stale_above``."""
        assert isinstance(pl_module, SDFModule)
        is_due = self.every_n_steps is not None and batch_idx > 0 and batch_idx % self.every_n_steps == 0
        is_measured = self.stale_above is not None and batch_idx % STALENESS_INTERVAL == 0
        if is_due or is_measured:
            share = self._measure_staleness(pl_module)
            if is_due or share > (self.stale_above or 0):
                self._extract(pl_module)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Extract, and log counts and seconds."""
        assert isinstance(pl_module, SDFModule)
        if not is_epoch_due(trainer, self.every_n_epochs):
            return
        self._measure_staleness(pl_module)
        seconds = self._extract(pl_module)
        level_set = pl_module.level_set
        assert level_set is not None
        audit = level_set.audit()
        if pl_module.wants_level_set:
            self._warn_once(format_conditions(audit))
        pl_module.log("faces", float(audit.n_polygons), prog_bar=True, sync_dist=True)
        pl_module.log("extract_s", seconds, prog_bar=True, sync_dist=True)
        facts: dict[str, SupportsFloat] = {
            "mesh/vertices": audit.n_vertices,
            "mesh/euler_characteristic": audit.euler_characteristic,
            "mesh/components": audit.n_components,
            "mesh/is_closed": audit.is_closed,
            "mesh/area": surface_area(level_set.vertices, level_set.polygons),
            "mesh/volume": sublevel_volume(level_set.vertices, level_set),
        }
        pl_module.log_dict({name: float(fact) for name, fact in facts.items()}, sync_dist=True)
        if level_set.status:
            log.warning("epoch %d: level set %s", trainer.current_epoch + 1, level_set.status)

    def _measure_staleness(self, module: SDFModule) -> float:
        """Measure and log the share of vertices that have left their cells; 0 if neither use needs it."""
        if not module.wants_level_set and self.stale_above is None:
            return 0.0
        share = from_rank_zero(module.trainer, module.stale_share)
        module.log("mesh/stale", share, on_step=False, on_epoch=True, sync_dist=True)
        self._warn_once(format_staleness(share, module.global_step - module.extracted_at))
        return share

    def _warn_once(self, sentences: list[str]) -> None:
        """Log sentences that were not logged before, with these or other numbers."""
        for sentence in sentences:
            subject = re.sub(r"\d+", "", sentence)
            if subject not in self._logged:
                self._logged.add(subject)
                log.warning("%s", sentence)

    def _extract(self, module: SDFModule) -> float:
        """Extract into the module, and return the seconds taken."""
        start = time.perf_counter()
        module.extracted_at = module.global_step
        if module.trainer.world_size == 1:
            module.level_set = self._extracted(module)
        else:  # broadcast on the CPU, as each rank has its own device
            found = from_rank_zero(module.trainer, lambda: self._extracted(module).to("cpu"))
            module.level_set = found.to(module.device)
        if module.device.type == "cuda":
            torch.cuda.synchronize(module.device)
        return time.perf_counter() - start

    @torch.no_grad()
    def _extracted(self, module: SDFModule) -> LevelSet:
        last = module.level_set
        seeds = last if self.warm_start and last is not None and not last.is_empty else SEEDS
        return extract_level_set(
            module.program(), module.domain, method=self.method, seeds=seeds, dtype=self.dtype
        )


def require_extraction(regularizers: Mapping[str, Regularization], callbacks: Sequence[L.Callback]) -> None:
    """Refuse regularizers without a callback that extracts level sets for them.

    Raises:
        ValueError: naming the regularizers.
    """
    wanted = [name for name, regularization in regularizers.items() if regularization.weight > 0]
    if wanted and not any(isinstance(callback, ExtractLevelSet) for callback in callbacks):
        raise ValueError(
            f"regularizer {', '.join(wanted)} needs the callback ExtractLevelSet, which is not there: set "
            "callbacks.extract, or regularizer=none"
        )


def format_conditions(audit: Audit) -> list[str]:
    """Format what regularizers depend on; no sentence for a closed, connected manifold."""
    if audit.n_vertices == 0:
        return ["the level set is empty: regularizers are 0 until there is one"]
    found = []
    if audit.n_wall_vertices:
        found.append(
            "the walls cut the level set: lengths, areas and curvature are those of what is inside, "
            "volumes are closed along the walls"
        )
    if audit.n_inconsistent:
        found.append(f"rounding left {audit.n_inconsistent} faces open: what is missing counts nothing")
    if not audit.is_manifold:
        found.append(
            f"the level set touches itself at {audit.n_nonmanifold_edges} edges and "
            f"{audit.n_nonmanifold_vertices} vertices: curvature is that of pairs of faces there"
        )
    if audit.n_components > 1:
        found.append(f"the level set has {audit.n_components} components: totals are over all of them")
    return found


def format_staleness(share: float, n_steps: int) -> list[str]:
    """Format a warning if most vertices had left their cells before a new extraction."""
    if share <= VERY_STALE:
        return []
    return [
        f"after {n_steps} steps {share:.0%} of the vertices had left their cells, and counted as unmoved: "
        "extract more often with callbacks.extract.every_n_steps or stale_above"
    ]
