"""Run one training, from a resolved configuration to a folder of results.

`load_shape` closes and normalises the mesh, `SDFDataModule` samples its signed distance, `SDFModule` fits a
network to the samples, and each epoch `ExtractLevelSet` extracts the exact level set, whose regularizers are
terms of the loss. At the end the exact mesh is compared with the shape.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning as L
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from creased.core.domains.box import Box
from creased.evaluation.advice import warn_of_thin_parts
from creased.io.atomic_write import write_whole
from creased.shapes import Target
from creased.training.announce import announcement
from creased.training.assembly import make_callbacks, make_module, make_trainer, settle_config
from creased.training.checkpoints import settle_averages, showing_averages
from creased.training.distributed import silence_followers, supervised_ranks
from creased.training.module import SDFModule
from creased.training.options.names import require_names
from creased.training.options.shape import settle_shape
from creased.training.options.values import require_options
from creased.training.result import evaluate_again, evaluate_result, report
from creased.training.runs.folders import find_checkpoint, is_follower, run_of
from creased.training.runs.lock import locked
from creased.training.runs.resume import (
    accept,
    refuse,
    require_shape_of_checkpoint,
    resume_from,
    start_from,
)
from creased.training.wandb import closing_loggers, publish

log = logging.getLogger(__name__)

IGNORED = (  # warnings of Lightning that say nothing about the run
    ".*LeafSpec.*",
    ".*does not have many workers.*",
    ".*is smaller than the logging interval.*",
    ".*Checkpoint directory .* exists and is not empty.*",
    ".*your dataloader is not resumable.*",  # of a run that max_steps ended; batches are drawn at random
    "The dirpath has changed.*",  # of a checkpoint that was copied out of its run
)


def run(cfg: DictConfig) -> dict[str, Any]:
    """Train, extract, evaluate, and write the run folder.

    Args:
        cfg: the configuration of `configs/train.yaml`, composed by Hydra.

    Returns:
        The metrics, as in `metrics.json`; none on ranks other than 0, which only train.
    """
    start = time.perf_counter()
    folder = Path(cfg.paths.output)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _prepare_process(cfg)
        with nullcontext() if is_follower() else locked(folder):
            return _run(cfg, folder, start)
    finally:
        refuse(cfg, folder)  # does nothing after the run was accepted


def _run(cfg: DictConfig, folder: Path, start: float) -> dict[str, Any]:
    if cfg.extras.print_config:
        print(OmegaConf.to_yaml(cfg, resolve=True))
    callbacks, regularizers = make_callbacks(cfg)
    require_shape_of_checkpoint(cfg)
    shape: Target = instantiate(cfg.shape)
    plain = settle_config(cfg, shape)
    domain: Box = instantiate(cfg.domain)
    data: L.LightningDataModule = instantiate(cfg.data, _partial_=True)(shape, domain)
    module = make_module(cfg, shape, domain, regularizers)
    checkpoint = resume_from(cfg, module, plain)  # may refuse; before anything is written to the run's folder
    if not cfg.train:
        return evaluate_again(cfg, Path(str(checkpoint)), shape)
    start_from(cfg, module)
    if not is_follower():
        log.info("what this run does\n%s", announcement(cfg, shape, module, callbacks, folder))
        accept(cfg, folder)
        write_whole(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(plain)).encode())
    trainer = make_trainer(cfg, plain, showing_averages(callbacks))
    thinness = None if is_follower() else warn_of_thin_parts(shape, module.network, cfg.quality.name)
    prepared = time.perf_counter()
    with closing_loggers(trainer):
        with supervised_ranks(trainer, str(folder)):
            _fit(trainer, module, data, checkpoint)
        if not trainer.is_global_zero:
            return {}
        settle_averages(trainer, module, folder)
        trained = time.perf_counter()
        metrics = evaluate_result(cfg, shape, module, trainer) | {"thinness": thinness}
        finished = time.perf_counter()
        metrics["seconds"] = {
            "preparation": prepared - start,
            "training": trained - prepared,
            "evaluation": finished - trained,
            "total": finished - start,
        }
        write_whole(folder / "metrics.json", json.dumps(metrics, indent=2).encode())
        publish(trainer.loggers, metrics, folder)
    report(cfg, metrics, folder)
    return metrics


def _prepare_process(cfg: DictConfig) -> None:
    """Check the options, settle the shape, set threads and seeds, and quieten logging."""
    silence_followers()
    require_names(cfg)
    require_options(cfg)
    settle_shape(cfg)
    if cfg.extras.ignore_warnings:
        warnings.filterwarnings("ignore")
    if cfg.seed is None:
        cfg.seed = _seed_of_run(cfg)
    torch.set_num_threads(1 if cfg.threads == "auto" else cfg.threads)
    _join_logs()
    L.seed_everything(cfg.seed, workers=True, verbose=False)


def _join_logs() -> None:
    """Let Lightning log like all others, to the run's file too, and only what the user asked for."""
    theirs = logging.getLogger("lightning.pytorch")
    theirs.handlers.clear()  # which it has where it was imported before logging was set up
    theirs.propagate = True
    theirs.setLevel(logging.WARNING)
    for asked_for in ("profilers", "tuner"):  # the report of a profiler, the learning rate that was found
        theirs.getChild(asked_for).setLevel(logging.INFO)


def _seed_of_run(cfg: DictConfig) -> int:
    """Draw a seed, or read that of the run to resume."""
    if cfg.ckpt_path is not None:
        run = run_of(find_checkpoint(cfg.ckpt_path, cfg.paths.runs))
        if run is not None and (run / "config.yaml").is_file():
            return int(OmegaConf.load(run / "config.yaml").seed)
    return secrets.randbelow(2**32)


def _fit(trainer: L.Trainer, module: SDFModule, data: L.LightningDataModule, checkpoint: str | None) -> None:
    """Fit, without warnings about Lightning itself.

    Raises:
        KeyboardInterrupt: on Ctrl-C, which Lightning turns into SystemExit.
    """
    try:
        with warnings.catch_warnings():
            for message in IGNORED:
                warnings.filterwarnings("ignore", message=message)
            trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit:
        if trainer.interrupted:
            raise KeyboardInterrupt from None
        raise
