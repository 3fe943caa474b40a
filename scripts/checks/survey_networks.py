"""Load every ONNX file of a folder, and compare it with onnx's reference evaluator.

    ./run python -m scripts.checks.survey_networks FOLDER --seconds 30 --gigabytes 2

Each file is loaded in a process of its own. A line says whether it agreed to rounding, differed, was refused
(and why), or took more than was allowed; the last line counts.
"""

from __future__ import annotations

import argparse
import logging
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.reference
import torch

from creased.core.numerics.tolerance import get_epsilon
from creased.io.load import load_file
from creased.networks import UnsupportedModuleError
from scripts import ROOT

N_POINTS = 4  # on which a network is compared with the reference evaluator


def points_of(model: Any) -> tuple[str, tuple[int, ...], Any]:
    """Return name, shape and type of the input that is no initializer; axes that are open have one entry."""
    constants = {entry.name for entry in model.graph.initializer}
    (entry,) = (entry for entry in model.graph.input if entry.name not in constants)
    tensor = entry.type.tensor_type
    shape = tuple(max(axis.dim_value, 1) for axis in tensor.shape.dim)
    return entry.name, shape, onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)


def survey(path: Path) -> str:
    """Load a file; say what came of it."""
    start = time.perf_counter()
    try:
        loaded = load_file(path)
    except (ImportError, UnsupportedModuleError, ValueError) as error:
        return f"refused  {str(error).splitlines()[0]}"
    seconds = time.perf_counter() - start
    program = loaded.program
    model = onnx.load(str(path))
    name, shape, kind = points_of(model)
    evaluator = onnx.reference.ReferenceEvaluator(model)
    drawn = np.random.default_rng(0).standard_normal((N_POINTS, program.in_dim))
    points = torch.from_numpy(drawn.astype(kind)).to(program.dtype)
    n_each = program.in_dim
    batch = int(np.prod(shape)) // n_each  # in a file for a fixed number of points
    found, expected = program(points), []
    for point in points.numpy().astype(kind):
        (out, *_) = evaluator.run(None, {name: np.repeat(point[None], batch, 0).reshape(shape)})
        expected.append(np.asarray(out).reshape(batch, -1)[0])
    values = found if loaded.last is None else loaded.last(found)
    true = torch.from_numpy(np.stack(expected)).to(values.dtype)
    difference = float((values - true).abs().max() / (1 + true.abs().max()))
    said = "agreed " if difference <= get_epsilon(program.dtype) else "differs"
    size = f"{program.in_dim} inputs, {program.n_neurons:,} neurons, {program.out_dim} outputs"
    behind = "" if loaded.last is None else f", {loaded.last} taken off"
    return f"{said}  to {difference:.1e}; {size}{behind}; {seconds:.1f} s to load, {_peak():.2f} GB"


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def survey_apart(path: Path, seconds: float, gigabytes: float) -> str:
    """Survey a file in a process of its own, in so much time and memory."""
    command = [sys.executable, "-m", "scripts.checks.survey_networks", str(path.resolve()), "--alone"]
    command += ["--gigabytes", str(gigabytes)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=seconds + 60)  # noqa: S603
    except subprocess.TimeoutExpired:
        return f"too long over {seconds + 60:g} s"
    said = done.stdout.strip().splitlines()
    if not said:
        return f"failed   {(done.stderr.strip().splitlines() or [f'exit {done.returncode}'])[-1][:200]}"
    spent = [float(word) for word in said[-1].split() if word.replace(".", "", 1).isdigit()]
    is_over = " s to load" in said[-1] and (spent[-2] > seconds or spent[-1] > gigabytes)
    return f"over     {said[-1]}" if is_over else said[-1]


def main() -> None:
    """Survey a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--alone", action="store_true", help="a file, in this process")
    chosen = parser.parse_args()
    if chosen.alone:
        logging.disable()
        torch.set_num_threads(1)
        print(survey(chosen.folder))
        return
    counts: Counter[str] = Counter()
    for path in sorted(chosen.folder.rglob("*.onnx")):
        said = survey_apart(path, chosen.seconds, chosen.gigabytes)
        counts[said.split()[0]] += 1
        print(f"{path.relative_to(chosen.folder)}: {said}", flush=True)
    print(", ".join(f"{n} {name}" for name, n in counts.most_common()))


if __name__ == "__main__":
    main()
