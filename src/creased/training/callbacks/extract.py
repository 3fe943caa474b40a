"""Each epoch, the exact level set of the network as it is."""

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

LOOKED_AT = 25  # steps after which staleness is measured again


log = logging.getLogger(__name__)


class ExtractLevelSet(L.Callback):
    """Extracts {f = 0} and keeps it in the module, for the regularizers and the other callbacks.

    An empty level set, as early in training, is logged with its status, and training goes on. With
    regularizers, what is unusual for them is logged once, and `mesh/stale`, the share of the vertices that
    had left their cells before the next extraction, each epoch. Of several processes rank 0 extracts, and the
    others get the level set from it.

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
        self._extracted_at = 0  # step
        self._said: set[str] = set()  # what was logged before, figures aside

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Extract before the first step if a regularizer wants a level set to begin with."""
        assert isinstance(pl_module, SDFModule)
        if pl_module.wants_level_set:
            self._extract(pl_module)
            assert pl_module.level_set is not None
            self._say(conditions_of(pl_module.level_set.audit()))

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Extract within the epoch, if asked to."""
        assert isinstance(pl_module, SDFModule)
        is_due = self.every_n_steps is not None and batch_idx > 0 and batch_idx % self.every_n_steps == 0
        is_looked_at = self.stale_above is not None and batch_idx % LOOKED_AT == 0
        if is_due or is_looked_at:
            share = self._measure_staleness(pl_module)
            if is_due or share > (self.stale_above or 0):
                self._extract(pl_module)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Extract, and log counts and seconds."""
        assert isinstance(pl_module, SDFModule)
        epoch = trainer.current_epoch + 1
        if epoch % self.every_n_epochs and epoch != trainer.max_epochs:
            return
        self._measure_staleness(pl_module)
        seconds = self._extract(pl_module)
        level_set = pl_module.level_set
        assert level_set is not None
        audit = level_set.audit()
        if pl_module.wants_level_set:
            self._say(conditions_of(audit))
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
            log.warning("epoch %d: level set %s", epoch, level_set.status)

    def _measure_staleness(self, module: SDFModule) -> float:
        """The share of the vertices that are none any more; 0 where nobody wants to know."""
        if not module.wants_level_set and self.stale_above is None:
            return 0.0
        share = from_rank_zero(module.trainer, module.stale_share)
        module.log("mesh/stale", share, on_step=False, on_epoch=True, sync_dist=True)
        self._say(staleness(share, module.global_step - self._extracted_at))
        return share

    def _say(self, sentences: list[str]) -> None:
        """Log what has not been said yet; other figures in the same sentence are not news."""
        for sentence in sentences:
            subject = re.sub(r"\d+", "", sentence)
            if subject not in self._said:
                self._said.add(subject)
                log.warning("%s", sentence)

    def _extract(self, module: SDFModule) -> float:
        """Extract into the module; the seconds it took."""
        start = time.perf_counter()
        self._extracted_at = module.global_step
        if module.trainer.world_size == 1:
            module.level_set = self._extracted(module)
        else:  # by way of the CPU: each rank has a device of its own
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
    """Refuse regularizers that would be left out, as no callback extracts a level set for them.

    Raises:
        ValueError: naming them.
    """
    wanted = [name for name, regularization in regularizers.items() if regularization.weight > 0]
    if wanted and not any(isinstance(callback, ExtractLevelSet) for callback in callbacks):
        raise ValueError(
            f"regularizer {', '.join(wanted)} needs the callback ExtractLevelSet, which is not there: set "
            "callbacks.extract, or regularizer=none"
        )


MOSTLY = 0.5  # share of the vertices


def conditions_of(audit: Audit) -> list[str]:
    """Sentences about an extracted level set, none if it is closed, manifold and in one piece."""
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


def staleness(share: float, n_steps: int) -> list[str]:
    """A sentence if most vertices had left their cells before a new extraction."""
    if share <= MOSTLY:
        return []
    return [
        f"after {n_steps} steps {share:.0%} of the vertices had left their cells, and counted as unmoved: "
        "extract more often with callbacks.extract.every_n_steps or stale_above"
    ]
