"""One training run, from a resolved configuration to a folder of results.

A mesh becomes a loss in these steps: `load_shape` closes and normalises it, `SDFDataModule` samples distances,
`SDFModule` fits a network, and each epoch `ExtractLevelSet` finds the exact level set, whose regularizer goes
back into the loss; at the end the mesh is compared with the shape.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import lightning as L
import torch
from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from creased.checkpoint import CheckpointError
from creased.core.extract import extract_level_set
from creased.export import ExportError
from creased.files import write_whole
from creased.networks import UnsupportedModuleError
from creased.shapes import Shape, ShapeError
from creased.training.callbacks.guard import DivergedError
from creased.training.evaluate import as_table, evaluate
from creased.training.folders import ResumeError, find_checkpoint
from creased.training.module import SDFModule

log = logging.getLogger(__name__)

MISTAKES = (
    CheckpointError,
    DivergedError,
    ExportError,
    OSError,
    ResumeError,
    ShapeError,
    UnsupportedModuleError,
)


def run(cfg: DictConfig) -> dict[str, Any]:
    """Train, extract, evaluate, and write the run folder.

    Args:
        cfg: the configuration of `configs/train.yaml`, composed by Hydra.

    Returns:
        The metrics, as in `metrics.json`.
    """
    start = time.perf_counter()
    torch.set_num_threads(cfg.threads)
    L.seed_everything(cfg.seed, workers=True, verbose=False)
    folder = Path(cfg.paths.output)
    folder.mkdir(parents=True, exist_ok=True)
    plain = OmegaConf.to_container(cfg, resolve=True)
    write_whole(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(plain)).encode())
    shape: Shape = instantiate(cfg.shape)
    data: L.LightningDataModule = instantiate(cfg.data, _partial_=True)(shape=shape)
    module = _make_module(cfg, shape)
    trainer = _make_trainer(cfg, plain)
    prepared = time.perf_counter()
    try:
        trainer.fit(module, data, ckpt_path=_resume_from(cfg))
    finally:
        _finish_loggers(trainer)
    trained = time.perf_counter()
    metrics = _evaluate(cfg, shape, module, trainer)
    finished = time.perf_counter()
    metrics["seconds"] = {
        "preparation": prepared - start,
        "training": trained - prepared,
        "evaluation": finished - trained,
        "total": finished - start,
    }
    write_whole(folder / "metrics.json", json.dumps(metrics, indent=2).encode())
    _report(metrics, folder)
    return metrics


def run_or_explain(cfg: DictConfig) -> dict[str, Any]:
    """`run`, with mistakes of the user said in one line, and exit status 1."""
    try:
        return run(cfg)
    except MISTAKES as error:
        log.debug("trace", exc_info=True)
        kept = Path(cfg.paths.output) / "checkpoints" / "last.ckpt"
        hint = f"\ncreased: the last whole checkpoint is {kept}; go on with ckpt_path=last" if kept.exists() else ""
        print(f"creased: {error}{hint}", file=sys.stderr)
        raise SystemExit(1) from error


def _make_module(cfg: DictConfig, shape: Shape) -> SDFModule:
    return SDFModule(
        network=instantiate(cfg.model),
        losses=instantiate(cfg.loss),
        optimizer=instantiate(cfg.optimizer),
        schedule=instantiate(cfg.schedule),
        regularizer=instantiate(cfg.regularizer.term),
        regularizer_weight=cfg.regularizer.weight,
        domain=instantiate(cfg.domain),
        to_domain=shape.to_domain,
        shape_name=shape.name,
    )


def _make_trainer(cfg: DictConfig, plain: Any) -> L.Trainer:
    callbacks = [instantiate(callback) for callback in cfg.callbacks.values() if callback is not None]
    loggers: list[Logger] = [instantiate(logger) for logger in cfg.logger.values()]
    for logger in loggers:
        logger.log_hyperparams(plain)
    trainer: L.Trainer = instantiate(cfg.trainer, _partial_=True)(callbacks=callbacks, logger=loggers)
    return trainer


def _resume_from(cfg: DictConfig) -> str | None:
    if cfg.ckpt_path is None:
        return None
    path = find_checkpoint(cfg.ckpt_path, cfg.paths.runs, cfg.shape.name)
    log.info("going on from %s", path)
    return str(path)


def _evaluate(cfg: DictConfig, shape: Shape, module: SDFModule, trainer: L.Trainer) -> dict[str, Any]:
    """Extract once more, from the weights as they are at the end, and compare."""
    program = module.program().detach().to("cpu", torch.float64)
    start = time.perf_counter()
    level_set = extract_level_set(program, module.domain)
    seconds = time.perf_counter() - start
    run_facts = {
        "shape": shape.name,
        "licence": shape.licence,
        "credit": shape.credit,
        "epochs": trainer.current_epoch,
        "interrupted": trainer.interrupted,
        "extraction_seconds": seconds,
    }
    return run_facts | evaluate(shape, program, level_set, cfg.seed)


def _finish_loggers(trainer: L.Trainer) -> None:
    """Close what loggers keep open, or runs of one process would run into each other."""
    for logger in trainer.loggers:
        logger.finalize("success" if trainer.state.finished else "failed")
    if "wandb" in sys.modules:
        sys.modules["wandb"].finish()


def _report(metrics: dict[str, Any], folder: Path) -> None:
    from rich.console import Console

    console = Console()
    console.print(as_table(metrics))
    if metrics["interrupted"]:
        console.print(f"interrupted after {metrics['epochs']} epochs; go on with ckpt_path=last")
    console.print(f"all of it is in {folder}", soft_wrap=True)
