"""The LightningModule: a network, its loss terms, and regularizers of its exact level set."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from creased.core.domains.box import Box
from creased.core.program.program import Program
from creased.geometry.tracking import TrackedLevelSet
from creased.io.checkpoint import KEY, Record, write_record
from creased.io.similarity import Similarity
from creased.networks.lower import lower
from creased.networks.models.grid_mlp import grids_of
from creased.shapes import Target
from creased.training.losses import LossTerm
from creased.training.regularization import Regularization
from creased.training.runs.folders import WANDB_RUN
from creased.training.schedules import Schedule
from creased.training.wandb import wandb_run_id

NETWORK_RATE = 1 / 3  # of the tables of a grid; features are touched rarely, and can move fast
TABLE_EPS = 1e-6  # of Adam: between gradients near the surface and those of rare samples, which left specks

log = logging.getLogger(__name__)


class _Means:
    """Means of scalars by name, summed where the scalars are."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[Tensor, int]] = {}

    def add(self, name: str, value: Tensor) -> None:
        """Add a scalar."""
        so_far, n = self._sums.get(name, (None, 0))
        value = value.detach()
        self._sums[name] = (value if so_far is None else so_far + value, n + 1)

    def take(self) -> list[tuple[str, Tensor, int]]:
        """Return names, means and numbers of scalars; begin anew."""
        found = [(name, total / n, n) for name, (total, n) in self._sums.items()]
        self._sums = {}
        return found


class SDFModule(L.LightningModule):
    """Fits a piecewise-affine network to signed distances.

    Args:
        network: maps points (n, D) to values (n, 1).
        losses: terms by name; their weighted sum is minimised.
        optimizer: makes the optimizer from the parameters.
        schedule: factor on the learning rate as a function of the share of the run done.
        regularizers: by name, of the level set that the extraction callback keeps in ``surface``.
        domain: the box in which level sets are extracted.
        shape: the training shape, whose name, hash and similarity go into the record in checkpoints.
    """

    def __init__(
        self,
        network: nn.Module,
        losses: Mapping[str, LossTerm],
        optimizer: Callable[[Iterable[dict[str, Any]]], Optimizer],
        schedule: Schedule,
        regularizers: Mapping[str, Regularization] | None = None,
        domain: Box | None = None,
        shape: Target | None = None,
    ) -> None:
        super().__init__()
        domain = domain or Box.cube(3, 0.5)
        self.surface = TrackedLevelSet(network, domain, every_n_steps=None)  # extracted by the callback
        if self.surface.level != 0:
            last = self.surface.last
            raise ValueError(f"SDFModule: the last activation, {last}, has its zeros elsewhere: leave it out")
        program = self.program()
        self.network = network
        self.losses = dict(losses)
        self.make_optimizer = optimizer
        self.schedule = schedule
        self.regularizers = dict(regularizers or {})
        self._warned: set[str] = set()
        self._means = _Means()
        self._options: list[dict[str, Any]] = []  # of the groups of parameters, as configured
        self.domain = domain
        if (program.in_dim, program.out_dim, self.domain.dim) != (3, 1, 3):
            raise ValueError(
                f"SDFModule: shapes need 3 inputs, 1 output and a domain of 3 dimensions, got "
                f"{program.in_dim}, {program.out_dim} and {self.domain.dim}"
            )
        self.to_domain = Similarity.identity() if shape is None else shape.to_domain
        self.shape_name = "" if shape is None else shape.name
        self.shape_sha256 = "" if shape is None else shape.sha256

    def forward(self, points: Tensor) -> Tensor:
        """Evaluate the network (n,) at points (n, D)."""
        values: Tensor = self.network(points)
        return values[:, 0]

    def program(self) -> Program:
        """Lower the network to a program that shares its weights."""
        return self.surface.program()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> Tensor:
        """Compute and log the weighted sum of the loss terms and the regularizers."""
        points, distances = batch
        values = self(points)
        total = values.new_zeros(())
        for name, term in self.losses.items():
            loss = term(self.network, points, values, distances)
            self._means.add(name, loss)
            total = total + term.weight * loss
        total = total + self._regularize(total)
        self._means.add("loss", total)
        step, trainer = self.global_step + 1, self.trainer
        is_due = step % trainer.log_every_n_steps == 0  # type: ignore[attr-defined]
        if is_due or trainer.is_last_batch or step == trainer.max_steps:
            self._log_means(total)
        return total

    def _log_means(self, total: Tensor) -> None:
        """Log the loss (), and the means over the steps since this was done last.

        Not in every step, of which the logging of three values took a tenth.
        """
        self.log("loss", total, prog_bar=True, on_step=True, on_epoch=False)
        for name, mean, n_steps in self._means.take():  # the epoch's mean weights them by their steps
            self.log(f"train/{name}", mean, on_step=False, on_epoch=True, sync_dist=True, batch_size=n_steps)

    def on_fit_start(self) -> None:
        """Refuse regularizers without a level set; Lightning calls callbacks before this.

        Raises:
            ValueError: no callback has extracted one.
        """
        if self.wants_level_set and self.surface.level_set is None:
            raise ValueError(
                f"SDFModule: regularizers {', '.join(self.regularizers)} need a callback that extracts level "
                "sets: give the Trainer an ExtractLevelSet"
            )

    def _regularize(self, loss: Tensor) -> Tensor | float:
        """Sum the weighted regularizers; 0 while there is no level set."""
        level_set = self.surface.level_set
        if level_set is None or level_set.is_empty:
            return 0.0
        step, n_steps = self.global_step, self._n_steps()
        total: Tensor | float = 0.0
        for name, regularization in self.regularizers.items():
            weight = regularization.weight_at(step, n_steps)
            if weight == 0:
                continue
            value, factor = regularization(level_set, self.program(), loss, self.network, step)
            if not bool(torch.isfinite(value)):
                self._warn_once(f"regularizer {name} is not finite in step {step}: left out while it is")
                continue
            self._means.add(name, value)
            total = total + weight * factor * value
        return total

    def _warn_once(self, message: str) -> None:
        subject = message.partition(" is ")[0]
        if subject not in self._warned:
            self._warned.add(subject)
            log.warning("%s", message)

    @property
    def wants_level_set(self) -> bool:
        """True if a regularizer has a positive weight."""
        return any(regularization.weight > 0 for regularization in self.regularizers.values())

    def validation_step(self, batch: tuple[Tensor], batch_index: int) -> None:
        """Log the mean |f| on the surface of the shape, in domain units."""
        self.log("val/surface_error", self(batch[0]).abs().mean(), prog_bar=True, sync_dist=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Make the optimizer, and schedule its rate step by step over the whole run."""
        optimizer = self.make_optimizer(self._parameter_groups())
        for group in optimizer.param_groups[1:]:
            group["lr"] *= NETWORK_RATE
        if len(optimizer.param_groups) > 1 and "eps" in optimizer.defaults:
            optimizer.param_groups[0]["eps"] = TABLE_EPS
        groups = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
        self._options = groups
        n_steps = self._n_steps()
        scheduler = LambdaLR(optimizer, lambda step: self.schedule(step / n_steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    @property
    def lr(self) -> float:
        """The rate of the first group of parameters, before the schedule; `LearningRateFinder` sets it."""
        return float(self._options[0]["lr"]) if self._options else 0.0

    @lr.setter
    def lr(self, rate: float) -> None:
        factor = rate / self.lr
        for options in self._options:
            options["lr"] *= factor
        self._take_options()

    def _take_options(self) -> None:
        """Give the optimizer and its schedule the options that are configured."""
        schedulers = [config.scheduler for config in self.trainer.lr_scheduler_configs]
        if not schedulers or not isinstance(schedulers[0], LambdaLR):  # callbacks may have rates of their own
            return
        schedulers[0].base_lrs = [options["lr"] for options in self._options]
        factor = self.schedule(schedulers[0].last_epoch / self._n_steps())
        for group, options in zip(self.trainer.optimizers[0].param_groups, self._options, strict=True):
            group |= options | {"initial_lr": options["lr"], "lr": options["lr"] * factor}

    def _n_steps(self) -> int:
        return max(int(self.trainer.estimated_stepping_batches), 1)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Take a step in which denormal numbers count as zero.

        Momenta of features that no sample touches decay to such numbers within a thousand steps, and a CPU is
        many times slower with them. Extraction and certificates compute with them as ever.
        """
        torch.set_flush_denormal(True)
        try:
            super().optimizer_step(*args, **kwargs)
        finally:
            torch.set_flush_denormal(False)

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Return the tables of grids, if any, and the other parameters."""
        tables = [table for grid in grids_of(self.network) for table in grid.tables]
        known = {id(table) for table in tables}
        others = [parameter for parameter in self.parameters() if id(parameter) not in known]
        return [{"params": params} for params in (tables, others) if params]

    def record(self, weights: Mapping[str, Tensor] | None = None) -> Record:
        """Make the record that checkpoints store; see `creased.io.checkpoint`.

        Args:
            weights: a state of this module, in place of its present one.
        """
        record = record_of(self, self.surface, self.domain)
        if weights is None:
            return record
        network, part = deepcopy(self.network), "network."
        network.load_state_dict(
            {name.removeprefix(part): weights[name] for name in weights if name.startswith(part)}
        )
        return replace(record, program=lower(network, check=False).detach().to("cpu"))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the record and the id of the W&B run to Lightning's entries."""
        weights, present = checkpoint["state_dict"], self.state_dict()  # callbacks put averages there
        is_present = all(torch.equal(weights[name], present[name]) for name in present)
        checkpoint[KEY] = write_record(self.record(None if is_present else weights))
        checkpoint[WANDB_RUN] = wandb_run_id(self.trainer.loggers)

    def on_train_start(self) -> None:
        """Give a resumed optimizer the options configured now; its moments are those of the checkpoint."""
        if self.trainer.ckpt_path is not None:
            self._take_options()


def record_of(module: L.LightningModule, surface: TrackedLevelSet, domain: Box) -> Record:
    """Record the function of any module; similarity, name and hash are the module's, if it has them.

    Args:
        module: after ``current_epoch + 1`` epochs.
        surface: of its network.
        domain: in which the function is to be looked at.
    """
    return Record(
        surface.program().detach().to("cpu"),
        domain,
        similarity_of(module),
        getattr(module, "shape_name", type(module).__name__),
        module.current_epoch + 1,
        getattr(module, "shape_sha256", ""),
        surface.last,
    )


def similarity_of(module: L.LightningModule) -> Similarity:
    """Return the map from the user's coordinates to the domain: that of the module, or the identity."""
    found = getattr(module, "to_domain", None)
    return found if isinstance(found, Similarity) else Similarity.identity()
