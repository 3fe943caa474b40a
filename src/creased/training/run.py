"""Run one training, from a resolved configuration to a folder of results.

`load_shape` closes and normalises the mesh, `SDFDataModule` samples its signed distance, `SDFModule` fits a
network to the samples, and each epoch `ExtractLevelSet` extracts the exact level set, whose regularizers are
terms of the loss. At the end the exact mesh is compared with the shape.
"""

from __future__ import annotations

import json
import logging
import secrets
import sys
import time
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning as L
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from hydra.utils import instantiate
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from creased.core.certificates.certify import certify
from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.core.extract_level_set import extract_level_set
from creased.evaluation.advice import advise, warn_of_thin_parts
from creased.evaluation.checkpoint import evaluate_record
from creased.evaluation.measure import evaluate
from creased.evaluation.table import format_metrics
from creased.io.atomic_write import write_whole
from creased.io.checkpoint import read_record
from creased.io.metadata import certificate_as_dict
from creased.io.runs import as_named
from creased.networks import UnsupportedModuleError
from creased.shapes import Target
from creased.training.announce import announcement, next_commands
from creased.training.callbacks.draw import DrawLevelSet
from creased.training.callbacks.extract import require_extraction
from creased.training.callbacks.guard import DivergedError
from creased.training.callbacks.live_view import LiveView
from creased.training.callbacks.save import SaveMesh
from creased.training.callbacks.threads import ChooseThreads
from creased.training.checkpoints import settle_averages, showing_averages
from creased.training.console import say
from creased.training.distributed import RankError, silence_followers, supervised_ranks
from creased.training.module import SDFModule
from creased.training.options import require_monitored, require_options
from creased.training.regularization import Regularization
from creased.training.runs.folders import (
    ResumeError,
    find_checkpoint,
    given_facts,
    is_follower,
    label_shape,
    run_of,
)
from creased.training.runs.lock import locked
from creased.training.runs.resume import accept, offer, refuse, resume_from, start_from
from creased.training.wandb import closing_loggers, publish

log = logging.getLogger(__name__)

# Errors that a user can correct; ValueError covers ShapeError, CheckpointError and refusals of constructors.
# hydra.verbose=true shows their traceback.
USER_ERRORS = (
    DivergedError,
    InstantiationException,
    MisconfigurationException,
    MissingMandatoryValue,
    OSError,
    RankError,
    UnsupportedModuleError,
    ValueError,
)

IGNORED = (  # warnings of Lightning that say nothing about the run
    ".*LeafSpec.*",
    ".*does not have many workers.*",
    ".*is smaller than the logging interval.*",
    ".*Checkpoint directory .* exists and is not empty.*",
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
    callbacks = [instantiate(callback) for callback in cfg.callbacks.values() if callback is not None]
    if cfg.threads == "auto":
        callbacks.insert(0, ChooseThreads())  # before those that extract
    if cfg.viewer is not False:
        callbacks.append(LiveView(8080 if cfg.viewer is True else cfg.viewer, cfg.shape.up))
    regularizers: dict[str, Regularization] = dict(instantiate(cfg.regularizer))
    require_extraction(regularizers, callbacks)
    require_monitored(callbacks, [*cfg.loss, *cfg.regularizer])
    shape: Target = instantiate(shape_of(cfg))
    plain = _settle_config(cfg, shape)
    domain: Box = instantiate(cfg.domain)
    data: L.LightningDataModule = instantiate(cfg.data, _partial_=True)(shape, domain)
    module = _make_module(cfg, shape, domain, regularizers)
    checkpoint = resume_from(cfg, module, plain)  # may refuse; before anything is written to the run's folder
    if not cfg.train:
        return _evaluate_again(cfg, Path(str(checkpoint)), shape)
    start_from(cfg, module)
    if not is_follower():
        log.info("what this run does\n%s", announcement(cfg, shape, module, folder))
        accept(cfg, folder)
        write_whole(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(plain)).encode())
    trainer = _make_trainer(cfg, plain, showing_averages(callbacks))
    thinness = None if is_follower() else warn_of_thin_parts(shape, module.network, cfg.quality.name)
    prepared = time.perf_counter()
    with closing_loggers(trainer):
        with supervised_ranks(trainer, str(folder)):
            _fit(trainer, module, data, checkpoint)
        if not trainer.is_global_zero:
            return {}
        settle_averages(trainer, module, folder)
        trained = time.perf_counter()
        metrics = _evaluate(cfg, shape, module, trainer) | {"thinness": thinness}
        finished = time.perf_counter()
        metrics["seconds"] = {
            "preparation": prepared - start,
            "training": trained - prepared,
            "evaluation": finished - trained,
            "total": finished - start,
        }
        write_whole(folder / "metrics.json", json.dumps(metrics, indent=2).encode())
        publish(trainer.loggers, metrics, folder)
    _report(metrics, folder)
    return metrics


def _prepare_process(cfg: DictConfig) -> None:
    """Check the options, set threads and seeds, and quieten logging."""
    silence_followers()
    require_options(cfg)
    if cfg.extras.ignore_warnings:
        warnings.filterwarnings("ignore")
    if cfg.seed is None:
        cfg.seed = _seed_of_run(cfg)
    torch.set_num_threads(1 if cfg.threads == "auto" else cfg.threads)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.profilers").setLevel(logging.INFO)  # the report of trainer.profiler
    L.seed_everything(cfg.seed, workers=True, verbose=False)


def _seed_of_run(cfg: DictConfig) -> int:
    """Draw a seed, or read that of the run to resume."""
    if cfg.ckpt_path is not None:
        run = run_of(find_checkpoint(cfg.ckpt_path, cfg.paths.runs))
        if run is not None and (run / "config.yaml").is_file():
            return int(OmegaConf.load(run / "config.yaml").seed)
    return secrets.randbelow(2**32)


def _evaluate_again(cfg: DictConfig, checkpoint: Path, shape: Target) -> dict[str, Any]:
    """Evaluate a checkpoint as `creased eval` does, and write nothing."""
    certify_too = bool(cfg.evaluation.get("certify", False))
    metrics = evaluate_record(read_record(checkpoint), shape, is_to_certify=certify_too, seed=cfg.seed)
    say(format_metrics(metrics))
    return metrics | {"logged": {}}


def run_or_explain(cfg: DictConfig) -> dict[str, Any]:
    """Run; print a user's mistake in one line and exit with status 1, with 130 after Ctrl-C.

    In a sweep a mistake is logged, and the result is ``{"failed": message}``.
    """
    try:
        return run(cfg)
    except (*USER_ERRORS, KeyboardInterrupt) as error:
        log.debug("traceback", exc_info=True)
        return _explain(error, cfg)


def _explain(error: BaseException, cfg: DictConfig) -> dict[str, Any]:
    is_stopped = isinstance(error, KeyboardInterrupt)
    message, status = ("interrupted", 130) if is_stopped else (_format_mistake(error), 1)
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN and not is_stopped:
        log.error("this run of the sweep failed: %s", message)
        return {"failed": message}
    if is_follower() and isinstance(error, DivergedError | RankError | KeyboardInterrupt):  # rank 0 prints it
        raise SystemExit(status)
    how = None if isinstance(error, ResumeError) else offer(Path(cfg.paths.output))
    if how:
        message += f"\ncreased: {how}"
    elif is_stopped:
        message += ": nothing was saved yet"
    print(f"creased: {message}", file=sys.stderr)
    raise SystemExit(status)


def _format_mistake(error: BaseException) -> str:
    """Format an error for the user; of an exception that Hydra wrapped, the cause."""
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        return str(error.__cause__)
    if isinstance(error, MissingMandatoryValue):
        return f"give a value: {error.full_key}=..."
    if isinstance(error, MisconfigurationException):
        return f"{error} (options of trainer: accelerator, devices, max_epochs, ...)"
    return str(error)


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


def _make_module(
    cfg: DictConfig, shape: Target, domain: Box, regularizers: dict[str, Regularization]
) -> SDFModule:
    return SDFModule(
        network=instantiate(cfg.model),
        losses=instantiate(cfg.loss),
        optimizer=instantiate(cfg.optimizer),
        schedule=instantiate(cfg.schedule),
        regularizers=regularizers,
        domain=domain,
        shape=shape,
    )


def shape_of(cfg: DictConfig) -> DictConfig:
    """Configure the shape; that of a user's file has the facts that were given, and the name of the file."""
    if cfg.shape.path is None:
        return cfg.shape
    own: dict[str, Any] = {"source": None, "name": label_shape(cfg.shape.name, cfg.shape.path)}
    own |= dict.fromkeys({"licence", "credit"} - given_facts(), "")
    return OmegaConf.merge(cfg.shape, own)  # type: ignore[return-value]


def _settle_config(cfg: DictConfig, shape: Target) -> dict[str, Any]:
    """Resolve the configuration; add name, licence, credit and hash of what was read."""
    plain: dict[str, Any] = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    plain["shape"] |= {"name": shape.name, "licence": shape.licence, "credit": shape.credit}
    if cfg.shape.path is not None:
        plain["shape"] |= {"source": None, "path": str(as_named(cfg.shape.path).absolute())}
    return plain | {"shape_sha256": shape.sha256}


def _make_trainer(cfg: DictConfig, plain: Any, callbacks: list[L.Callback]) -> L.Trainer:
    loggers: list[Logger] = [instantiate(logger) for logger in cfg.logger.values()]
    for logger in loggers:
        logger.log_hyperparams(plain)
    has_bar = any(isinstance(callback, ProgressBar) for callback in callbacks)
    trainer: L.Trainer = instantiate(cfg.trainer, _partial_=True)(
        callbacks=callbacks, logger=loggers, enable_progress_bar=has_bar
    )
    return trainer


def _evaluate(cfg: DictConfig, shape: Target, module: SDFModule, trainer: L.Trainer) -> dict[str, Any]:
    """Extract the level set of the final weights, certify it, and compare it with the shape."""
    program = module.program().detach().to("cpu", torch.float64)
    start = time.perf_counter()
    options: dict[str, Any] = OmegaConf.to_container(cfg.evaluation)  # type: ignore[assignment]
    is_to_certify = options.pop("certify", False)
    if program.grid is not None:
        options["method"] = "auto"  # marching is for networks without a grid
    level_set = _last_level_set(module)
    if level_set is None:
        level_set = extract_level_set(program, module.domain, **options)
        seconds = time.perf_counter() - start
    else:
        seconds = float(trainer.callback_metrics["extract_s"])
    certificate = certify(level_set, program) if is_to_certify else None
    is_older = module.surface.level_set is not None and not module.surface.is_current
    if is_older or level_set.is_complete or (certificate and certificate.is_certified):
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, SaveMesh):  # the mesh again, its metadata now with the certificate
                callback.write(level_set, program, module.to_domain, certificate)
    run_facts = {
        "shape": shape.name,
        "shape_sha256": shape.sha256,
        "licence": shape.licence,
        "credit": shape.credit,
        "epochs": trainer.current_epoch,
        "extraction_seconds": seconds,
        "certificate": certificate_as_dict(certificate),
        "logged": {name: float(value) for name, value in sorted(trainer.callback_metrics.items())},
    }
    found = evaluate(shape, module.domain, program, level_set, cfg.seed)
    if found.mesh and found.comparison and shape.surface:
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, DrawLevelSet):
                pair = (found.mesh, shape.surface)
                callback.draw_errors(trainer, module.domain, *pair, found.comparison, shape.to_domain.unit)
    metrics: dict[str, Any] = run_facts | found.metrics
    if metrics.get("differences"):
        quality = cfg.quality.name if program.grid is not None else None
        metrics["advice"] = advise(metrics, quality, cfg.data.n_samples)
    return metrics


def _last_level_set(module: SDFModule) -> LevelSet | None:
    """Return the level set of the last epoch where it is that of the final weights, whole and in float64."""
    found = module.surface.level_set
    if found is None or found.is_empty or not module.surface.is_current:
        return None
    is_as_good = found.is_complete and found.vertices.dtype == torch.float64
    return found.to("cpu") if is_as_good else None


def _report(metrics: dict[str, Any], folder: Path) -> None:
    words = f"meshes, pictures, metrics and checkpoints are in {folder}"
    say(format_metrics(metrics), f"{words}\n{next_commands(folder, metrics['epochs'])}".rstrip())
