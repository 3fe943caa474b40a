"""Say before the work what a run is going to do and to take, and after it what to type next."""

from __future__ import annotations

import math
import shlex
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from textwrap import fill

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from omegaconf import DictConfig

from creased.io.runs import LAST
from creased.shapes import Target
from creased.training.callbacks.draw import DrawLevelSet
from creased.training.callbacks.extract import ExtractLevelSet
from creased.training.callbacks.live_view import LiveView
from creased.training.callbacks.logged_values import EpochTable
from creased.training.callbacks.save import KeepEpochs
from creased.training.module import SDFModule
from creased.training.quality import expected_of, format_expectation
from creased.training.runs.commands import creased_command, sync_command, train_command

TRIALS = 3  # steps that are timed
PER_STEP = 1.5  # times forward and backward: the optimizer, the batches
BYTES = 4  # of a weight
WIDTH = 80  # columns of a terminal
STATES = 3  # a weight and the optimizer's two moments


def announcement(
    cfg: DictConfig, shape: Target, module: SDFModule, callbacks: Sequence[L.Callback], folder: Path
) -> str:
    """Format the block: shape, folder, network, seed, threads, time, memory, disk, how to watch it."""
    program = module.program()
    n_weights = sum(parameter.numel() for parameter in module.network.parameters())
    widths = ", ".join(map(str, program.widths))
    grid = (
        "" if program.grid is None else f", grids of {', '.join(map(str, program.grid.levels))} cubes an axis"
    )
    lines = {
        "shape": shape.name,
        "folder": str(folder),
        "network": f"{type(module.network).__name__}, {n_weights:,} weights, hidden widths {widths}{grid}",
        "training": f"{_format_length(cfg)} of {cfg.data.batch_size:,} points, seed {cfg.seed}, "
        f"CPU threads {cfg.threads}",
        "expect": _format_costs(cfg, module, n_weights),
        "quality": format_expectation(cfg),
        "watch": _format_watch(cfg, callbacks, folder),
    }
    return "\n".join(_format_line(name, value) for name, value in lines.items() if value)


def _format_line(name: str, value: str) -> str:
    """Format a line of the block, broken at its width; not one that holds a path or a command."""
    line = f"  {name:<9} {value}"
    is_of_words = name not in ("folder", "watch")
    return fill(line, WIDTH, subsequent_indent=12 * " ", break_on_hyphens=False) if is_of_words else line


def _format_length(cfg: DictConfig) -> str:
    epochs, steps = n_epochs_of(cfg), n_steps_of(cfg)
    many = f"{epochs} epoch{'s' * (epochs != 1)}" if _bounds(cfg) else "any number of epochs"
    return f"{many} of {steps:,} step{'s' * (steps != 1)}"


def _format_watch(cfg: DictConfig, callbacks: Sequence[L.Callback], folder: Path) -> str:
    """Name what shows the run as it goes on: what its callbacks and loggers write; empty if they do not."""
    kinds = {type(each) for each in callbacks}
    names = {str(each.filename) for each in callbacks if isinstance(each, ModelCheckpoint)}
    ways = []
    if KeepEpochs in kinds or (LAST.stem in names and not is_short(cfg)):
        ways.append(creased_command("view", str(folder)))
    if LiveView in kinds:
        ways.append("the page whose address is printed below")
    if "tensorboard" in cfg.logger and not is_short(cfg):
        ways.append(f"tensorboard --logdir {shlex.quote(str(folder))}")
    files = [(each.path.name, 1) for each in callbacks if isinstance(each, EpochTable)]
    if DrawLevelSet in kinds:
        files += [
            ("preview.png", each.every_n_epochs) for each in callbacks if isinstance(each, ExtractLevelSet)
        ]
    for every, group in groupby(sorted(files, key=itemgetter(1)), key=itemgetter(1)):
        shown = ", ".join(name for name, _ in group)
        ways.append(f"{shown}, {'each epoch' if every == 1 else f'every {every} epochs'}")
    return "; ".join(ways)


def next_commands(cfg: DictConfig, folder: Path, n_epochs: int) -> str:
    """Format the commands that come next; none without a checkpoint. To resume is to train as long again."""
    if not (folder / LAST).is_file():
        return ""
    run = str(folder)
    lines = {
        "view": creased_command("view", run),
        "extract": creased_command("extract", run, "--out", "mesh.3mf", "--boundary", "cap"),
        "resume": train_command(f"ckpt_path={run}", *longer(cfg, n_epochs)),
    }
    if offline := sorted(folder.glob("wandb/offline-run-*")):
        lines["sync"] = sync_command(str(offline[-1]))
    return "\n".join(f"  {name:<8} {command}" for name, command in lines.items())


def longer(cfg: DictConfig, n_epochs: int) -> list[str]:
    """List the words by which a run that ended goes on; what had ended it is raised, or taken away."""
    steps, epochs = cfg.trainer.get("max_steps") or -1, cfg.trainer.max_epochs
    words = [] if epochs == -1 and steps > 0 else [f"trainer.max_epochs={2 * n_epochs}"]
    words += [f"+trainer.max_steps={2 * steps}"] if steps > 0 else []
    return words + (["~trainer.max_time"] if cfg.trainer.get("max_time") else [])


def _format_costs(cfg: DictConfig, module: SDFModule, n_weights: int) -> str:
    n_epochs = n_epochs_of(cfg)
    known, source = expected_of(cfg), "as measured on one CPU core"
    if known is not None:
        seconds, gigabytes = known
    else:
        seconds = PER_STEP * _seconds_of_step(module, cfg.data.batch_size) * n_steps_of(cfg) * n_epochs
        source = "steps alone, timed on the CPU; each epoch's mesh and picture come on top"
        gigabytes = (_peak_bytes() + (STATES + 1) * BYTES * n_weights) / 2**30
    megabytes = (
        2 * (STATES + 1) + n_epochs
    ) * BYTES * n_weights / 2**20 + 10  # checkpoints; meshes, pictures
    minutes = "less than a minute" if seconds < 50 else f"about {max(1, round(seconds / 60))} min"
    return f"{minutes} ({source}), {gigabytes:.1f} GB of memory, {megabytes:,.0f} MB on disk"


def n_epochs_of(cfg: DictConfig) -> int:
    """Count the epochs that ``max_epochs`` and ``max_steps`` allow; 1 where neither is given."""
    return min(_bounds(cfg), default=1)


def _bounds(cfg: DictConfig) -> list[int]:
    """List the numbers of epochs that ``max_epochs``, ``max_steps`` and ``fast_dev_run`` allow."""
    epochs, steps = cfg.trainer.max_epochs, cfg.trainer.get("max_steps")
    bounds = [1] if is_short(cfg) else []
    bounds += [epochs] if (epochs or -1) > 0 else []
    return bounds + ([math.ceil(steps / n_steps_of(cfg))] if (steps or -1) > 0 else [])


def n_steps_of(cfg: DictConfig) -> int:
    """Count the steps of an epoch, which ``limit_train_batches`` and ``fast_dev_run`` bound."""
    n_batches, limit = cfg.data.n_batches, cfg.trainer.get("limit_train_batches")
    if is_short(cfg):
        return min(n_batches, int(cfg.trainer.fast_dev_run))
    if isinstance(limit, float):
        return max(1, int(limit * n_batches))
    return n_batches if limit is None else min(n_batches, limit)


def is_short(cfg: DictConfig) -> bool:
    """Return True for a trial of a few steps, of which Lightning keeps no checkpoints and logs nothing."""
    return bool(cfg.trainer.get("fast_dev_run"))


def _peak_bytes() -> int:
    """Return the most memory that the process has had; 0 where the system does not tell."""
    if find_spec("resource") is None:  # Windows
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _seconds_of_step(module: SDFModule, batch_size: int) -> float:
    """Time forward and backward passes of the network; weights and random numbers stay as they are."""
    generator = torch.Generator().manual_seed(0)
    points = torch.rand((batch_size, module.domain.dim), generator=generator) - 0.5
    taken = []
    for _ in range(TRIALS):
        start = time.perf_counter()
        module(points).abs().mean().backward()
        taken.append(time.perf_counter() - start)
    module.zero_grad(set_to_none=True)
    return min(taken)
