"""Choose run folders: a new one for a run, or that of the run to resume; resolvers for Hydra."""

from __future__ import annotations

import itertools
import os
import re
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import InstantiationException
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from creased.io.checkpoint import KEY, CheckpointError, load_plain
from creased.shapes import ShapeError
from creased.shapes.shape import sha256_of_file
from creased.shapes.sources.mesh_file import sha256_of_mesh
from creased.training.quality import recipe_name

LAST = Path("checkpoints") / "last.ckpt"
WANDB_RUN = "creased_wandb_run"  # entry of a checkpoint: the id of its W&B run
RUN_FOLDER = "CREASED_RUN_FOLDER"  # environment variable by which rank 0 passes the folder to further ranks
RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")  # variables of launchers; the first that is set counts
TIME = "%Y-%m-%d_%H-%M-%S"  # of a run's start, at the front of its folder's name
# A folder's name: a time or the number of a job, the shape, and a counter within a second.
NAME = r"(?:(?P<stamp>\d{{4}}-\d\d-\d\d_\d\d-\d\d-\d\d|\d+)_)?{shape}(?:~(?P<count>\d+))?"


class ResumeError(ValueError):
    """A run that cannot be resumed, or has no folder; the message says why."""


def find_checkpoint(ckpt_path: str, root: str, shape: str, sha256: str = "") -> Path:
    """Find the checkpoint that ``ckpt_path`` or ``start_from`` names: a file, a run folder, or "last".

    "last" is the run of this shape under ``root`` that has a checkpoint and began last, by the names of the
    folders. With the hash of what is read for the shape, runs of other meshes of the same name do not count.

    Raises:
        ResumeError: there is none, or it is of another mesh.
    """
    if ckpt_path == "last" and is_follower() and RUN_FOLDER in os.environ:
        ckpt_path = os.environ[RUN_FOLDER]  # another run may have become the newest
    if ckpt_path == "last":
        runs = [folder / LAST for _, folder in _newest_first(root, shape) if (folder / LAST).is_file()]
        if not runs:
            raise ResumeError(f"last: no run of shape {shape} under {root} has a checkpoint yet")
        if found := next((path for path in runs if _may_be_of(path, sha256)), None):
            return found
        raise ResumeError(f"last: the runs under {root} are of other meshes called {shape}")
    path = Path(ckpt_path).expanduser()
    path = path / LAST if path.is_dir() else path
    if not path.is_file():
        raise ResumeError(f"there is no checkpoint {path}")
    if not _may_be_of(path, sha256):
        raise ResumeError(f"{path} was trained on another mesh than the {shape} that is given now")
    return path


def _newest_first(root: str, shape: str) -> list[tuple[str, Path]]:
    """List stamps and folders of the runs of a shape by when they began.

    That is told by their names alone: copies and clocks of file servers change the times of files. Times come
    before numbers of jobs, and these before a name with neither.
    """
    name = re.compile(NAME.format(shape=re.escape(shape)))
    found = [(match, folder) for folder in Path(root).glob("*") if (match := name.fullmatch(folder.name))]
    runs = [(match["stamp"] or "", int(match["count"] or 1), folder) for match, folder in found]
    runs.sort(key=lambda run: (len(run[0]), *run), reverse=True)
    return [(stamp, folder) for stamp, _, folder in runs]


def _may_be_of(checkpoint: Path, sha256: str) -> bool:
    """Return False if the hashes of what was read are known and differ; what cannot be read fails later."""
    if not sha256:
        return True
    try:
        record = load_plain(checkpoint).get(KEY)
    except CheckpointError:
        return True
    known = record.get("sha256") if isinstance(record, dict) else None
    return not known or known == sha256


def _hash_of_resumed(shape: DictConfig, ckpt_path: str | None) -> str:
    """Hash what is read for a shape, if a run is to be resumed; empty if none is, or nothing is read."""
    if ckpt_path is None:
        return ""
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


def label_shape(name: str, path: str | None) -> str:
    """Name a shape: by its own name, or the one given for a user's file, or else by that of the file."""
    return name if path is None or "name" in given_facts() else Path(path).stem


def given_facts() -> set[str]:
    """List the options of a shape that the command line gives, or the job of a sweep, such as ``name``."""
    if not HydraConfig.initialized():
        return set()
    parsed = OverridesParser.create().parse_overrides(list(HydraConfig.get().overrides.task))
    keys = [override.key_or_group for override in parsed]
    return {key.removeprefix("shape.") for key in keys if key.startswith("shape.")}


def choose_run_folder(root: str, shape: str, ckpt_path: str | None, sha256: str = "") -> str:
    """Create a new folder under ``root``, or return that of the run to resume; see `find_checkpoint`.

    A new one is named by the time; where the clock was set back, by that of the newest run of the shape.
    """
    if ckpt_path is not None:
        checkpoint = find_checkpoint(ckpt_path, root, shape, sha256)
        if checkpoint.parent.name == LAST.parent.name:
            return str(checkpoint.parent.parent)
    stamps = [f"{datetime.now():{TIME}}", *(stamp for stamp, _ in _newest_first(root, shape)[:1])]
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
            sha256, label = _hash_of_resumed(shape, ckpt_path), label_shape(shape.name, shape.get("path"))
            folder = choose_run_folder(root, label, ckpt_path, sha256)
        require_writable(folder)
    except (InstantiationException, ResumeError, ShapeError, OSError) as error:
        print(f"creased: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    return folder


def read_wandb_run(root: str, shape: DictConfig, ckpt_path: str | None) -> str | None:
    """Read the id of the W&B run that a resumed checkpoint was logged to.

    None if nothing is resumed, if it was not logged, and if the checkpoint cannot be read, which the run
    itself reports.
    """
    if ckpt_path is None:
        return None
    try:
        sha256, label = _hash_of_resumed(shape, ckpt_path), label_shape(shape.name, shape.get("path"))
        run_id = load_plain(find_checkpoint(ckpt_path, root, label, sha256)).get(WANDB_RUN)
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
    netrc = Path("~/.netrc").expanduser()
    has_login = netrc.is_file() and "wandb" in netrc.read_text()
    return not (os.environ.get("WANDB_API_KEY") or has_login)
