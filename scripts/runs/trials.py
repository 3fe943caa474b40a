"""Run trainings for the figures about regularizers, and process plain meshes instead.

A run is `train.py` in a process of its own, on one thread; one that was finished before with the same
settings is read, not run again. Meshes are triangles in the coordinates of the domain.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import creased
from creased.io.checkpoint import read_record
from creased.meshes.decimation import decimate
from creased.meshes.polygon_mesh import PolygonMesh
from creased.shapes import Shape
from creased.shapes.comparison import Comparison
from creased.shapes.comparison import compare as compare_surfaces
from creased.shapes.surface import Surface
from scripts import ROOT

if TYPE_CHECKING:
    import trimesh

QUIET = ["callbacks.save=null", "callbacks.progress=null", "evaluation.complete=false"]
N_POINTS = 50_000  # on each surface that is compared


@dataclass(frozen=True)
class Trial:
    """A finished run."""

    folder: Path
    metrics: dict[str, Any]  # as in its metrics.json

    def level_set(self) -> creased.LevelSet:
        """Extract the exact level set of the final network."""
        record = read_record(self.folder / "checkpoints" / "last.ckpt")
        torch.set_num_threads(1)
        return creased.extract_level_set(record.program, record.domain, method="march", dtype=torch.float64)

    def mesh(self) -> trimesh.Trimesh:
        """Extract its exact mesh."""
        return self.level_set().to_trimesh()


def train(folder: Path, *overrides: str, draw: bool = False) -> Trial:
    """Run `train.py` with these overrides, or read an earlier result; ``draw`` keeps a picture of each epoch.

    Raises:
        RuntimeError: the run failed; what it said is in `log.txt` of the folder.
    """
    settings, metrics = folder / "overrides.json", folder / "metrics.json"
    chosen = [*QUIET, *([] if draw else ["callbacks.draw=null"]), *overrides]
    if not (metrics.exists() and settings.exists() and json.loads(settings.read_text()) == chosen):
        folder.mkdir(parents=True, exist_ok=True)
        metrics.unlink(missing_ok=True)
        command = [sys.executable, str(ROOT / "train.py"), f"paths.output={folder}", *chosen]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        with (folder / "log.txt").open("w") as log:
            done = subprocess.run(command, stdout=log, stderr=log, env=environment, check=False)  # noqa: S603, ourselves
        if done.returncode or not metrics.exists():
            raise RuntimeError(f"train: {' '.join(command)} failed, see {folder / 'log.txt'}")
        settings.write_text(json.dumps(chosen))
    return Trial(folder, json.loads(metrics.read_text()))


def train_all(jobs: Iterable[tuple[Path, Sequence[str]]], at_once: int) -> list[Trial]:
    """Train several runs, so many at a time; return them in order."""

    def one(job: tuple[Path, Sequence[str]]) -> Trial:
        trial = train(job[0], *job[1])
        print(f"{job[0].name}: {format_figures(trial.metrics)}", flush=True)
        return trial

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, jobs))


def format_figures(metrics: dict[str, Any]) -> str:
    """Format the figures of a run that the tables show."""
    return f"{metrics['n_polygons']:,} faces, Chamfer {metrics.get('chamfer_l1_mean', float('nan')):.2e}"


def decimated(mesh: trimesh.Trimesh, n_triangles: int) -> trimesh.Trimesh:
    """Decimate a mesh by open3d to at most so many triangles."""
    return decimate(PolygonMesh.of_triangles(mesh.vertices, mesh.faces), n_triangles).to_trimesh()


def compare(shape: Shape, mesh: trimesh.Trimesh) -> Comparison:
    """Measure distances of a mesh from a shape, in units of the domain."""
    surface, rng = Surface.of_triangles(mesh.vertices, mesh.faces), np.random.default_rng(0)
    return compare_surfaces(surface, shape.surface, shape.name, 1.0, rng, N_POINTS)


def load_shape_of(folder: Path) -> Shape:
    """Load the shape that a run was trained on."""
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    return instantiate(OmegaConf.load(folder / "config.yaml").shape)
