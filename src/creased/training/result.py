"""Measure what a run ended with: the exact level set of its final weights, compared with the shape."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import lightning as L
import torch
from omegaconf import DictConfig, OmegaConf

from creased.core.certificates.certify import certify
from creased.core.complexes.level_set import LevelSet
from creased.core.extract_level_set import extract_level_set
from creased.evaluation.advice import advise
from creased.evaluation.checkpoint import evaluate_record
from creased.evaluation.measure import evaluate
from creased.evaluation.table import format_metrics
from creased.io.checkpoint import read_record
from creased.io.metadata import certificate_as_dict
from creased.io.runs import LAST
from creased.shapes import Target
from creased.training.announce import next_commands
from creased.training.callbacks.draw import DrawLevelSet
from creased.training.callbacks.save import SaveMesh
from creased.training.console import say
from creased.training.module import SDFModule


def evaluate_result(cfg: DictConfig, shape: Target, module: SDFModule, trainer: L.Trainer) -> dict[str, Any]:
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


def report(cfg: DictConfig, metrics: dict[str, Any], folder: Path) -> None:
    """Print the table of the metrics, what is in the folder, and the commands that come next."""
    kinds = {"meshes": "mesh.*", "pictures": "*.png", "metrics": "metrics.json", "checkpoints": str(LAST)}
    written = [name for name, pattern in kinds.items() if any(folder.glob(pattern))]
    words = f"{', '.join(written[:-1])} and {written[-1]} are in {folder}" if written[1:] else f"see {folder}"
    say(format_metrics(metrics), f"{words}\n{next_commands(cfg, folder, metrics['epochs'])}".rstrip())


def evaluate_again(cfg: DictConfig, checkpoint: Path, shape: Target) -> dict[str, Any]:
    """Evaluate a checkpoint as `creased eval` does, and write nothing."""
    certify_too = bool(cfg.evaluation.get("certify", False))
    metrics = evaluate_record(read_record(checkpoint), shape, is_to_certify=certify_too, seed=cfg.seed)
    say(format_metrics(metrics))
    return metrics | {"logged": {}}
