"""Extract the exact level set each epoch, and within epochs where regularizers need it fresh."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, SupportsFloat

import lightning as L
import torch
from torch import nn

from creased.core.complexes.audit import Audit
from creased.core.complexes.level_set import LevelSet
from creased.core.domains.domain import Domain
from creased.geometry import sublevel_volume, surface_area
from creased.geometry.tracking import TrackedLevelSet
from creased.networks.models.grid_mlp import grids_of
from creased.training.distributed import from_rank_zero
from creased.training.regularization import Regularization
from creased.training.schedules import is_epoch_due

STALENESS_INTERVAL = 25  # steps between two measurements of staleness
VERY_STALE = 0.5  # share of the vertices

log = logging.getLogger(__name__)


class ExtractLevelSet(L.Callback):
    """Extracts {f = 0} of any module's network, for the regularizers and the other callbacks.

    A `creased.TrackedLevelSet` keeps it: the one that the module holds of its network, or else one of the
    callback's own, ``surface``. An empty level set, as early in training, is logged with its status, and
    training continues. With regularizers, conditions that concern them are logged once each, and every epoch
    `mesh/stale`, the share of the vertices that had left their cells before the next extraction. Of several
    processes rank 0 extracts and broadcasts the level set.

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
        network: the name of the module's attribute that is extracted.
        domain: where the level set is looked for; by default the module's attribute ``domain``, or the cube
            of the network's grid. Not needed where the module holds a `TrackedLevelSet`.
    """

    def __init__(
        self,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        stale_above: float | None = None,
        method: str = "auto",
        warm_start: bool = True,
        dtype: str = "float64",
        network: str = "network",
        domain: Domain | None = None,
    ) -> None:
        self.every_n_epochs, self.every_n_steps = every_n_epochs, every_n_steps
        self.stale_above = stale_above
        self.method, self.warm_start = method, warm_start
        self.dtype: torch.dtype = getattr(torch, dtype)
        self.network, self.domain = network, domain
        self._surface: TrackedLevelSet | None = None
        self._is_followed = False  # by regularizers
        self._logged: set[str] = set()  # sentences logged before, without their numbers

    @property
    def surface(self) -> TrackedLevelSet:
        """The level set of the module that is trained.

        Raises:
            ValueError: no training has begun.
        """
        if self._surface is None:
            raise ValueError("ExtractLevelSet: there is a surface from the beginning of a training on")
        return self._surface

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Find the network, and refuse one of which no level set can be extracted, before any work."""
        if stage == "fit":
            network = network_of(pl_module, self.network, "ExtractLevelSet")
            tracked = (part for part in vars(pl_module).values() if isinstance(part, TrackedLevelSet))
            held = next((surface for surface in tracked if surface.network is network), None)
            self._surface = held or TrackedLevelSet(network, self._domain_for(pl_module, network))
            self._is_followed = getattr(pl_module, "wants_level_set", held is not None)

    def _domain_for(self, module: L.LightningModule, network: nn.Module) -> Domain | None:
        domain: Domain | None = getattr(module, "domain", None) if self.domain is None else self.domain
        if domain is None and not grids_of(network):
            kind = type(module).__name__
            raise ValueError(f"ExtractLevelSet: {kind} has no domain; say domain=creased.Box.cube(3, 1.0)")
        return domain

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Extract before the first step if a regularizer wants a level set to begin with."""
        if self._is_followed:
            found, _ = self._extract(pl_module)
            self._warn_once(format_conditions(found.audit()))

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Extract within the epoch, by ``every_n_steps`` or ``stale_above``."""
        is_due = self.every_n_steps is not None and batch_idx > 0 and batch_idx % self.every_n_steps == 0
        is_measured = self.stale_above is not None and batch_idx % STALENESS_INTERVAL == 0
        if is_due or is_measured:
            share = self._measure_staleness(pl_module)
            if is_due or share > (self.stale_above or 0):
                self._extract(pl_module)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Extract, and log counts and seconds."""
        if not is_epoch_due(trainer, self.every_n_epochs):
            return
        self._measure_staleness(pl_module)
        level_set, seconds = self._extract(pl_module)
        audit = level_set.audit()
        if self._is_followed:
            self._warn_once(format_conditions(audit))
        pl_module.log("faces", float(audit.n_polygons), prog_bar=True, sync_dist=True)
        pl_module.log("extract_s", seconds, prog_bar=True, sync_dist=True)
        facts: dict[str, SupportsFloat] = {
            "mesh/vertices": audit.n_vertices,
            "mesh/euler_characteristic": audit.euler_characteristic,
            "mesh/components": audit.n_components,
            "mesh/is_closed": audit.is_closed,
        }
        if level_set.dim == 3 and level_set.is_bounded:
            facts["mesh/area"] = surface_area(level_set.vertices, level_set.polygons)
            facts["mesh/volume"] = sublevel_volume(level_set.vertices, level_set)
        pl_module.log_dict({name: float(fact) for name, fact in facts.items()}, sync_dist=True)
        if level_set.status:
            log.warning("epoch %d: level set %s", trainer.current_epoch + 1, level_set.status)

    def _measure_staleness(self, module: L.LightningModule) -> float:
        """Measure and log the share of vertices that have left their cells; 0 if neither use needs it."""
        if not self._is_followed and self.stale_above is None:
            return 0.0
        share = from_rank_zero(module.trainer, self.surface.stale_share)
        module.log("mesh/stale", share, on_step=False, on_epoch=True, sync_dist=True)
        self._warn_once(format_staleness(share, module.global_step - self.surface.extracted_at))
        return share

    def _warn_once(self, sentences: list[str]) -> None:
        """Log sentences that were not logged before, with these or other numbers."""
        for sentence in sentences:
            subject = re.sub(r"\d+", "", sentence)
            if subject not in self._logged:
                self._logged.add(subject)
                log.warning("%s", sentence)

    def _extract(self, module: L.LightningModule) -> tuple[LevelSet, float]:
        """Extract and keep; return the level set and the seconds taken."""
        start, surface = time.perf_counter(), self.surface
        options: dict[str, Any] = {"method": self.method, "warm_start": self.warm_start, "dtype": self.dtype}
        surface.n_steps = module.global_step
        if module.trainer.world_size == 1:
            found = surface.extract(**options)
        else:  # broadcast on the CPU, as each rank has its own device
            sent = from_rank_zero(module.trainer, lambda: surface.extract(**options).to("cpu"))
            found = sent.to(module.device)
            surface.keep(found)
        if module.device.type == "cuda":
            torch.cuda.synchronize(module.device)
        return found, time.perf_counter() - start


def network_of(module: L.LightningModule, name: str, callback: str) -> nn.Module:
    """Return the part of a module that a callback is to look at.

    Raises:
        ValueError: there is no such part; the message names the module's parts.
    """
    network = getattr(module, name, None)
    if not isinstance(network, nn.Module):
        parts = ", ".join(part for part, _ in module.named_children()) or "none"
        kind = type(module).__name__
        raise ValueError(f"{callback}: {kind} has no module {name!r}, but {parts}; say network=NAME")
    return network


def find_surface(trainer: L.Trainer) -> TrackedLevelSet | None:
    """Find the surface that an `ExtractLevelSet` of the trainer extracts; None where there is none."""
    found = (each for each in trainer.callbacks if isinstance(each, ExtractLevelSet))  # type: ignore[attr-defined]
    extraction = next(found, None)
    return None if extraction is None else extraction.surface


def surface_of(trainer: L.Trainer, callback: str) -> TrackedLevelSet:
    """Return the surface that an `ExtractLevelSet` of the trainer extracts.

    Raises:
        ValueError: there is none; the message begins with the callback that needs it.
    """
    surface = find_surface(trainer)
    if surface is None:
        raise ValueError(f"{callback}: give the Trainer an ExtractLevelSet before it")
    return surface


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
        "extract more often with every_n_steps or stale_above of callbacks.extract"
    ]
