"""What callbacks share that lower the network, measure it and log numbers."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import lightning as L
import torch

from creased.core.program.program import Program
from creased.networks import lower
from creased.training.callbacks.extract import network_of
from creased.training.distributed import from_rank_zero
from creased.training.schedules import is_epoch_due

log = logging.getLogger(__name__)


class MeasureNetwork(L.Callback, ABC):
    """Logs numbers of the lowered network, and `PREFIX_s`, the seconds taken; on rank 0, for all.

    Where the network is too large for it a warning is logged, and training goes on.

    Args:
        every_n_epochs: interval; the last epoch of the run always counts.
        network: the name of the module's attribute that is lowered.
        input_shape: of one point, if the network does not take vectors.
    """

    prefix: str  # of the seconds
    subject: str  # in words
    failures: tuple[type[Exception], ...]  # of a network that cannot be measured

    def __init__(self, every_n_epochs: int, network: str, input_shape: Sequence[int] | None) -> None:
        self.every_n_epochs, self.network = every_n_epochs, network
        self.input_shape = None if input_shape is None else tuple(input_shape)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Measure and log."""
        if not is_epoch_due(trainer, self.every_n_epochs):
            return
        network = network_of(pl_module, self.network, type(self).__name__)
        start = time.perf_counter()
        with torch.no_grad():
            program = lower(network, input_shape=self.input_shape, check=False).detach()
        domain, epoch = getattr(pl_module, "domain", None), trainer.current_epoch + 1
        values = from_rank_zero(trainer, lambda: self._try_to_measure(program, domain, epoch))
        pl_module.log_dict(values, sync_dist=True)
        pl_module.log(f"{self.prefix}_s", time.perf_counter() - start, sync_dist=True)

    def _try_to_measure(self, program: Program, domain: Any, epoch: int) -> dict[str, float]:
        try:
            return self.measure(program, domain)
        except self.failures as error:
            log.warning("epoch %d: %s left out: %s", epoch, self.subject, error)
            return {}

    @abstractmethod
    def measure(self, program: Program, domain: Any) -> dict[str, float]:
        """Return what is logged of a network, given the module's domain; None where it has none."""
