"""Choose run folders: a new one for a run, or that of the run to resume; resolvers for Hydra."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError  # type: ignore[import-untyped]

from creased.io.checkpoint import CheckpointError, load_plain, read_record
from creased.io.runs import LAST, TIME, as_named, checkpoint_of, newest_first
from creased.shapes import ShapeError
from creased.shapes.shape import sha256_of_file
from creased.shapes.sources.mesh_file import sha256_of_mesh
from creased.training.options.shape import label_shape
from creased.training.quality import recipe_name

WANDB_RUN = "creased_wandb_run"  # entry of a checkpoint: the id of its W&B run
RUN_FOLDER = "CREASED_RUN_FOLDER"  # environment variable by which rank 0 passes the folder to further ranks
RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")  # variables of launchers; the first that is set counts


class ResumeError(ValueError):
    """A run that cannot be resumed, or has no folder; the message says why."""


def find_checkpoint(ckpt_path: str, root: str, sha256: str = "") -> Path:
    """Find the checkpoint that ``ckpt_path`` or ``start_from`` names: a file, a run folder, or "last".

    Args:
        ckpt_path: "last" is the run under ``root`` that has a checkpoint and began last.
        root: the folder of run folders.
        sha256: of what is read for the shape; with it "last" is the last run of this very shape.

    Raises:
        ResumeError: there is none.
    """
    if ckpt_path == "last" and is_follower() and RUN_FOLDER in os.environ:
        ckpt_path = os.environ[RUN_FOLDER]  # another run may have become the newest
    if ckpt_path == "last":
        runs = [run for _, run in newest_first(Path(root)) if (run / LAST).is_file()]
        if not runs:
            raise ResumeError(f"last: no run under {root} has a checkpoint yet")
        if found := next((run for run in runs if not sha256 or hash_of_shape(run) == sha256), None):
            return found / LAST
        raise ResumeError(
            f"last: no run under {root} is of this shape; the newest is {runs[0].name}: "
            f"ckpt_path={runs[0]} alone resumes it, start_from={runs[0]} takes its weights"
        )
    path = checkpoint_of(as_named(ckpt_path))
    if not path.is_file():
        raise ResumeError(f"there is no checkpoint {path}")
    return path


def run_of(checkpoint: Path) -> Path | None:
    """Return the run folder that a checkpoint lies in; None if it lies elsewhere."""
    return checkpoint.parent.parent if checkpoint.parent.name == LAST.parent.name else None


def hash_of_shape(run: Path) -> str:
    """Read the SHA-256 of what a run has read for its shape; empty if that is not known."""
    try:
        return str(OmegaConf.load(run / "config.yaml").shape_sha256)
    except (AttributeError, OSError, ValueError, YAMLError):
        try:
            return read_record(run / LAST).sha256
        except CheckpointError:
            return ""


def hash_of_given(shape: DictConfig) -> str:
    """Hash what is read for a configured shape; empty if nothing is read."""
    if shape.get("path") is not None:
        return sha256_of_file(shape.path)
    return "" if shape.get("source") is None else sha256_of_mesh(instantiate(shape.source)())


def is_follower() -> bool:
    """Return True on any rank but 0."""
    return next((os.environ[name] != "0" for name in RANKS if name in os.environ), False)


def require_agreement() -> None:
    """Refuse to choose a folder if a launcher started all ranks, each of which would choose its own.

    Raises:
        ResumeError: torchrun or Slurm started several processes.
    """
    if is_follower() or ("TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"):
        raise ResumeError(
            "processes that torchrun or Slurm starts can't agree on a run folder: give paths.output=FOLDER"
        )


def choose_run_folder(root: str, shape: str, checkpoint: Path | None) -> str:
    """Create a new folder under ``root``, or return that of the run to resume.

    A new one is named by the time and the shape; where the clock was set back, by the time of the newest run.
    """
    if checkpoint is not None and (run := run_of(checkpoint)):
        return str(run)
    stamps = [f"{datetime.now():{TIME}}", *(stamp for stamp, _ in newest_first(Path(root))[:1])]
    name = f"{max(stamps, key=lambda stamp: (len(stamp), stamp))}_{shape}"
    for count in itertools.count(1):
        folder = Path(root) / (name if count == 1 else f"{name}~{count}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue  # another run of the shape began in the same second
        return str(folder)
    raise AssertionError("unreachable")


def require_writable(folder: str) -> None:
    """Make the folder and write a byte to it.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0")


def _resolve_run_folder(root: str, shape: DictConfig, ckpt_path: str | None) -> str:
    """Resolve the run folder for Hydra; in a sweep it is that of Hydra's job, unless a run is resumed.

    Prints a mistake in one line and exits, as Hydra would print a traceback.
    """
    if is_follower() and RUN_FOLDER in os.environ:
        return os.environ[RUN_FOLDER]
    try:
        require_agreement()
        config = HydraConfig.get() if HydraConfig.initialized() else None
        if config is not None and config.mode == RunMode.MULTIRUN and ckpt_path is None:
            folder = str(Path(config.sweep.dir) / config.sweep.subdir)
        else:
            label = label_shape(shape.name, shape.get("path"))
            folder = choose_run_folder(root, label, _resumed(root, shape, ckpt_path))
        require_writable(folder)
    except (InstantiationException, ResumeError, ShapeError, OSError) as error:
        print(f"creased: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    return folder


def _resumed(root: str, shape: DictConfig, ckpt_path: str | None) -> Path | None:
    if ckpt_path is None:
        return None
    return find_checkpoint(ckpt_path, root, hash_of_given(shape) if ckpt_path == "last" else "")


def read_wandb_run(root: str, shape: DictConfig, ckpt_path: str | None) -> str | None:
    """Read the id of the W&B run that a resumed checkpoint was logged to.

    None if nothing is resumed, if it was not logged, and if the checkpoint cannot be read, which the run
    itself reports.
    """
    try:
        checkpoint = _resumed(root, shape, ckpt_path)
        run_id = None if checkpoint is None else load_plain(checkpoint).get(WANDB_RUN)
    except (InstantiationException, OSError, ValueError):
        return None
    return None if run_id is None else str(run_id)


def register_resolvers() -> None:
    """Register the resolvers ``creased.*`` of `configs/` with OmegaConf.

    ``run_folder`` and ``wandb_run`` take root, shape and ckpt_path; ``label`` name and path of a shape;
    ``recipe`` the target of a model.
    """
    register = OmegaConf.register_new_resolver
    register("creased.recipe", recipe_name, replace=True)
    register("creased.label", label_shape, replace=True)
    register("creased.run_folder", _resolve_run_folder, use_cache=True, replace=True)
    register("creased.wandb_run", read_wandb_run, use_cache=True, replace=True)
    register("creased.wandb_offline", _is_without_wandb_key, replace=True)


def _is_without_wandb_key() -> bool:
    """Return True if no W&B account is set up, so that runs are kept offline."""
    netrc = as_named("~/.netrc")
    has_login = netrc.is_file() and "wandb" in netrc.read_text()
    return not (os.environ.get("WANDB_API_KEY") or has_login)
