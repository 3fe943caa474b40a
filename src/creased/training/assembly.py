"""Make the module and the trainer of a run, and the configuration that is kept of it."""

from __future__ import annotations

from typing import Any

import lightning as L
from hydra.utils import instantiate
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from creased.core.domains.box import Box
from creased.io.runs import as_named
from creased.shapes import Target
from creased.training.callbacks.extract import require_extraction
from creased.training.callbacks.live_view import LiveView
from creased.training.callbacks.threads import ChooseThreads
from creased.training.module import SDFModule
from creased.training.options.values import require_monitored
from creased.training.regularization import Regularization
from creased.training.wandb import begin_quietly, wandb_loggers

Parts = tuple[list[L.Callback], dict[str, Regularization]]


def make_callbacks(cfg: DictConfig) -> Parts:
    """Make callbacks and regularizers, and check that they have what they need.

    Raises:
        OptionError: a callback monitors what nobody logs.
        ValueError: a regularizer has no level set.
    """
    callbacks = [instantiate(callback) for callback in cfg.callbacks.values() if callback is not None]
    if cfg.threads == "auto":
        callbacks.insert(0, ChooseThreads())  # before those that extract
    if cfg.viewer is not False:
        callbacks.append(LiveView(8080 if cfg.viewer is True else cfg.viewer, cfg.shape.up))
    regularizers: dict[str, Regularization] = dict(instantiate(cfg.regularizer))
    require_extraction(regularizers, callbacks)
    require_monitored(callbacks, [*cfg.loss, *cfg.regularizer])
    return callbacks, regularizers


def make_module(
    cfg: DictConfig, shape: Target, domain: Box, regularizers: dict[str, Regularization]
) -> SDFModule:
    """Make the network and what it is trained with."""
    return SDFModule(
        network=instantiate(cfg.model),
        losses=instantiate(cfg.loss),
        optimizer=instantiate(cfg.optimizer),
        schedule=instantiate(cfg.schedule),
        regularizers=regularizers,
        domain=domain,
        shape=shape,
    )


def settle_config(cfg: DictConfig, shape: Target) -> dict[str, Any]:
    """Resolve the configuration; add name, licence, credit and hash of what was read."""
    plain: dict[str, Any] = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    plain["shape"] |= {"name": shape.name, "licence": shape.licence, "credit": shape.credit}
    if cfg.shape.path is not None:
        plain["shape"] |= {"source": None, "path": str(as_named(cfg.shape.path).absolute())}
    return plain | {"shape_sha256": shape.sha256}


def make_trainer(cfg: DictConfig, plain: Any, callbacks: list[L.Callback]) -> L.Trainer:
    """Make the trainer and its loggers, which note the configuration."""
    loggers: list[Logger] = [instantiate(logger) for logger in cfg.logger.values()]
    begin_quietly(wandb_loggers(loggers))
    for logger in loggers:
        logger.log_hyperparams(plain)
    has_bar = any(isinstance(callback, ProgressBar) for callback in callbacks)
    trainer: L.Trainer = instantiate(cfg.trainer, _partial_=True)(
        callbacks=callbacks, logger=loggers, enable_progress_bar=has_bar
    )
    return trainer
