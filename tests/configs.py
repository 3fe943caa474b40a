"""Configurations composed as `train.py` composes them, and `train.py` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from creased.training.runs.folders import register_resolvers

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"


def composed(*overrides: str, with_hydra: bool = False) -> DictConfig:
    """The configuration of a run, and perhaps Hydra's own beside it."""
    register_resolvers()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("train", list(overrides), return_hydra_config=with_hydra)


def names_of(group: str) -> list[str]:
    """The choices of a group of configurations."""
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def train(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `train.py` in a folder that holds its results."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = os.environ | {"CREASED_ROOT": str(folder), "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "train.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=250)
