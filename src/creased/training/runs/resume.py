"""Resume a run, or start one from the weights of another, after checking that the checkpoint fits."""

from __future__ import annotations

import logging
from contextlib import suppress
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from creased.core.program.program import Program
from creased.io.atomic_write import write_whole
from creased.io.checkpoint import Record, load_plain, read_record
from creased.io.runs import EPOCHS, LAST, readable_checkpoints
from creased.training.module import SDFModule
from creased.training.options.names import CONFIGS
from creased.training.options.roles import role_of
from creased.training.runs.commands import creased_command, train_command
from creased.training.runs.folders import ResumeError, find_checkpoint, hash_of_given, run_of

log = logging.getLogger(__name__)


def require_shape_of_checkpoint(cfg: DictConfig) -> None:
    """Compare what is read for the shape with the checkpoint to resume, before the shape is prepared.

    Raises:
        CheckpointError: it cannot be read.
        ResumeError: it is of another shape.
        ShapeError: the shape cannot be read.
    """
    if cfg.ckpt_path is None or not (sha256 := hash_of_given(cfg.shape)):
        return  # a shape of another kind, which `resume_from` compares once it is made
    path = find_checkpoint(cfg.ckpt_path, cfg.paths.runs, sha256)
    _require_same_shape(read_record(path), cfg.shape.name, sha256, path)


def resume_from(cfg: DictConfig, module: SDFModule, plain: dict[str, Any]) -> str | None:
    """Find the checkpoint to resume, and check that it fits.

    Args:
        cfg: the configuration.
        module: as configured.
        plain: the configuration as it is written to the run folder.

    Raises:
        CheckpointError: it cannot be read.
        ResumeError: it is of another shape or another network, an option differs that a run keeps, or no
            epochs are left.
    """
    if cfg.ckpt_path is None:
        if (Path(cfg.paths.output) / LAST).is_file():
            raise ResumeError(
                f"{cfg.paths.output} holds a run: {offer(Path(cfg.paths.output))}, or choose another folder"
            )
        return None
    path = find_checkpoint(cfg.ckpt_path, cfg.paths.runs, module.shape_sha256)
    record = read_record(path)
    _require_same_shape(record, module.shape_name, module.shape_sha256, path)
    changed = _changes(path, plain)
    if fixed := [name for name in changed if role_of(name).is_fixed]:
        was, asked = changed[fixed[0]]
        raise ResumeError(
            f"{path} was trained with {fixed[0]}={was}, and cannot go on with {asked}: "
            f"leave out {', '.join(fixed)}"
        )
    _require_same_network(record, module, path)
    if not cfg.train:
        return str(path)
    n_epochs = cfg.trainer.max_epochs
    if n_epochs is not None and 0 <= n_epochs <= record.epoch:
        more = train_command(f"ckpt_path={cfg.ckpt_path}", f"trainer.max_epochs={record.epoch + n_epochs}")
        raise ResumeError(
            f"{path} has already done {record.epoch} epochs: raise trainer.max_epochs, as {more}"
        )
    values, n_steps = load_plain(path), cfg.trainer.get("max_steps") or -1
    if "state_dict" not in values:
        raise ResumeError(
            f"{path} holds a function to extract, and no state of training: give the run folder"
        )
    if 0 <= n_steps <= values["global_step"]:
        n_more = values["global_step"] + n_steps
        more = train_command(f"ckpt_path={cfg.ckpt_path}", f"+trainer.max_steps={n_more}")
        raise ResumeError(f"{path} has already done {n_steps} steps: raise trainer.max_steps, as {more}")
    words = [f"{name} {was} -> {now}" for name, (was, now) in changed.items()]
    log.info(
        "resuming %s after epoch %d%s", path, record.epoch, f", changed: {', '.join(words)}" if words else ""
    )
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
    path = find_checkpoint(cfg.start_from, cfg.paths.runs, module.shape_sha256)
    _require_same_network(read_record(path), module, path)
    load_weights(module, path)
    log.info("starting from the weights of %s", path)


def load_weights(module: SDFModule, path: Path) -> None:
    """Load the weights of a checkpoint.

    Raises:
        CheckpointError: it cannot be read.
        ResumeError: it has no state of training.
    """
    values = load_plain(path)
    if "state_dict" not in values:
        raise ResumeError(f"{path} holds a function to extract, and no weights to train: give the run folder")
    module.load_state_dict(values["state_dict"])


def offer(run: Path) -> str:
    """Say how to go on with a run, by a file of it that was read; empty if none can be."""
    for path in readable_checkpoints(run):
        if path.parent.name == EPOCHS:
            return f"{path} is whole: {creased_command('extract', str(path), '--out', 'mesh.ply')}"
        named = run if path.name == LAST.name else path
        return f"resume with {train_command(f'ckpt_path={named}')}"
    return ""


def _require_same_shape(record: Record, name: str, sha256: str, path: Path) -> None:
    """Compare what was read for the shapes, or their names where that is not known."""
    known, given = (record.sha256, sha256) if record.sha256 and sha256 else (record.shape, name)
    if known != given:
        other = "another mesh called" if record.shape == name else f"{record.shape}, not on"
        raise ResumeError(f"{path} was trained on {other} {name}: {_how_to_give(record.shape, path)}")


def _how_to_give(shape: str, path: Path) -> str:
    """Say which options bring a checkpoint's own shape; a run folder brings them by itself."""
    if run_of(path) is not None:
        return "leave out shape"
    is_known = (CONFIGS / "shape" / f"{shape}.yaml").is_file()
    own = f"shape={shape}" if is_known else "shape.path=FILE"
    return f"outside of its run folder a checkpoint needs its options, {own} and model.*"


def _changes(path: Path, plain: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """List the options that are not those of the run of a checkpoint, with both values."""
    run = run_of(path)
    if run is None or not (run / "config.yaml").is_file():
        return {}
    before, now = _flat(OmegaConf.to_container(OmegaConf.load(run / "config.yaml"))), _flat(plain)
    return {
        name: (before.get(name), now.get(name))
        for name in {**before, **now}
        if role_of(name).is_compared and before.get(name) != now.get(name)
    }


def _flat(config: Any, prefix: str = "") -> dict[str, Any]:
    """List the options of a configuration by their full names; lists are values."""
    if not isinstance(config, dict) or not config:
        return {prefix: config}
    parts = [_flat(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in config.items()]
    return {name: value for part in parts for name, value in part.items()}


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


def refuse(cfg: DictConfig, folder: Path) -> None:
    """Drop the log of a run that was refused, and its folder if it is new; a job of a sweep keeps both."""
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN and cfg.ckpt_path is None:
        return
    for handler in _held_logs():
        handler.buffer.clear()
    with suppress(OSError):
        folder.rmdir()  # which only empty folders let do


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
