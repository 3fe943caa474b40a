"""Evaluate the function of a checkpoint against the shape of its run, or against another."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from creased.core.certificates.certify import certify
from creased.core.extract_level_set import extract_level_set
from creased.evaluation.advice import UNKNOWN, advise
from creased.evaluation.measure import evaluate
from creased.io.checkpoint import Record, read_record
from creased.io.metadata import certificate_as_dict
from creased.shapes import File, PointCloud, Shape, ShapeError, load_shape
from creased.shapes.sources.of_run import NAMED, options_of_run
from creased.shapes.target import Target

BUDGET = 60.0  # seconds for the proof that no component is missing


def evaluate_checkpoint(
    path: Path, shape: str | None = None, *, is_to_certify: bool = False, seed: int = 0
) -> dict[str, Any]:
    """Extract the exact mesh of a checkpoint, and compare function and mesh with a shape.

    Args:
        path: of the checkpoint.
        shape: a file, or the name of a shape that needs no file; None: that of the checkpoint's run.
        is_to_certify: prove in exact arithmetic that the surface is right.
        seed: of the points drawn for the comparison.

    Returns:
        The metrics, named as in a run's `metrics.json`.

    Raises:
        CheckpointError: the file is missing or no checkpoint of creased.
        ShapeError: the shape cannot be loaded, or is another than the run was trained on.
    """
    record = read_record(path)
    target = load_target(path, record.sha256, shape)
    return evaluate_record(record, target, is_to_certify=is_to_certify, seed=seed)


def evaluate_record(
    record: Record, target: Target, *, is_to_certify: bool = False, seed: int = 0
) -> dict[str, Any]:
    """Extract the exact mesh of a trained function, and compare both with a shape; see `evaluate_checkpoint`.

    Raises:
        ShapeError: the shape is of points, and not what the function was trained on.
    """
    start = time.perf_counter()
    if target.to_domain != record.to_domain:
        if not isinstance(target, Shape):
            raise ShapeError(f"{target.name} is of points, and not what {record.shape} was: give a mesh")
        target = target.placed(record.to_domain)
    program = record.program.to(dtype=torch.float64)
    prepared = time.perf_counter()
    found = extract_level_set(program, record.domain, method="auto", complete=True, budget=BUDGET)
    seconds = time.perf_counter() - prepared
    certificate = certify(found, program) if is_to_certify else None
    metrics = evaluate(target, record.domain, program, found, seed).metrics
    metrics |= {
        "shape": target.name,
        "shape_sha256": target.sha256,
        "epochs": record.epoch,
        "extraction_seconds": seconds,
        "certificate": certificate_as_dict(certificate),
    }
    if metrics.get("differences"):
        metrics["advice"] = advise(metrics, None if program.grid is None else UNKNOWN)
    return metrics | {"seconds": {"total": time.perf_counter() - start}}


def load_target(path: Path, sha256: str, shape: str | None) -> Shape | PointCloud:
    """Load the shape that is named, or that of the run whose checkpoint this is.

    Raises:
        ShapeError: it cannot be loaded, or has changed since the run.
    """
    if shape in NAMED:
        return load_shape(str(shape), NAMED[str(shape)])
    if shape is not None:
        return load_shape("", File(shape), path=shape, repair="lenient")
    target = load_shape(**options_of_run(path.parent.parent))
    if sha256 and target.sha256 != sha256:
        raise ShapeError(f"{target.name} is another mesh now than the run was trained on: give --shape FILE")
    return target
