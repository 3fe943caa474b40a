"""Resume a run, or start one from the weights of another, after checking that the checkpoint fits."""

from __future__ import annotations

import logging
from logging.handlers import MemoryHandler
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from creased.core.program.program import Program
from creased.io.atomic_write import write_whole
from creased.io.checkpoint import Record, load_plain, read_record
from creased.training.folders import ResumeError, find_checkpoint
from creased.training.module import SDFModule

log = logging.getLogger(__name__)


def resume_from(cfg: DictConfig, module: SDFModule) -> str | None:
    """Find the checkpoint to resume, and check that it fits.

    Raises:
        CheckpointError: it cannot be read.
        ResumeError: it is of another shape or another network, or has no epochs left to run.
    """
    if cfg.ckpt_path is None:
        return None
    path = find_checkpoint(cfg.ckpt_path, cfg.paths.runs, module.shape_name, module.shape_sha256)
    record = read_record(path)
    if record.shape != module.shape_name:
        raise ResumeError(f"{path} was trained on {record.shape}, not on {module.shape_name}")
    _require_same_network(record, module, path)
    if cfg.trainer.max_epochs is not None and record.epoch >= cfg.trainer.max_epochs:
        raise ResumeError(f"{path} has already done {record.epoch} epochs: raise trainer.max_epochs")
    log.info("resuming %s", path)
    return str(path)


def start_from(cfg: DictConfig, module: SDFModule) -> None:
    """Load the weights of another run, and nothing else of it.

    Raises:
        CheckpointError: it cannot be read.
        ResumeError: it is of another network.
    """
    if cfg.start_from is None:
        return
    if cfg.ckpt_path is not None:
        raise ResumeError("start_from begins a new run and ckpt_path resumes an old one: give one of them")
    path = find_checkpoint(cfg.start_from, cfg.paths.runs, module.shape_name)
    _require_same_network(read_record(path), module, path)
    module.load_state_dict(load_plain(path)["state_dict"])
    log.info("starting from the weights of %s", path)


def accept(cfg: DictConfig, folder: Path) -> None:
    """Write Hydra's files to the folder of a run that is accepted, and what it has logged so far."""
    if HydraConfig.initialized():
        own = HydraConfig.get()
        (folder / ".hydra").mkdir(exist_ok=True)
        files = {"config": cfg, "hydra": {"hydra": own}, "overrides": own.overrides.task}
        for name, value in files.items():
            write_whole(folder / ".hydra" / f"{name}.yaml", OmegaConf.to_yaml(value).encode())
    for handler in _held_logs():
        handler.capacity = 1
        handler.flush()


def refuse() -> None:
    """Drop what a run has logged that was refused, which the folder that it resumes does not get."""
    for handler in _held_logs():
        handler.buffer.clear()


def _held_logs() -> list[MemoryHandler]:
    """List the handlers of `configs/hydra/job_logging` that hold messages until a run is accepted."""
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, MemoryHandler)]


def _require_same_network(record: Record, module: SDFModule, path: Path) -> None:
    found, asked = record.program, module.program()
    if [tensor.shape for tensor in found.tensors()] != [tensor.shape for tensor in asked.tensors()]:
        raise ResumeError(
            f"{path} has {_sizes_of(found)}, the model {_sizes_of(asked)}: give the model.* that it was "
            "trained with, such as model.width and model.depth"
        )


def _sizes_of(program: Program) -> str:
    widths = f"hidden widths {program.widths}"
    return widths if program.grid is None else f"{widths} on grids of {program.grid.levels} cubes an axis"
