"""Time convex parts of a network, beside those of CoACD where that is installed, and print a table.

    ./run python -m scripts.benchmarks.parts ../shared/nets/bunny_3d_3x16.npz
    ./run python -m scripts.benchmarks.parts RUN/checkpoints/last.ckpt --errors 0.01 0.02 0.05

On [-0.5, 0.5]^3, one thread. How far parts stick out is measured at samples of their surfaces, by the nearest
of 400,000 samples of the exact surface; CoACD (pip install coacd) is given that surface, capped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

import creased
from creased import Box, Program
from creased.io.export import mesh_to_write
from scripts.common.numbers import as_table
from scripts.common.options import make_parser

HEADER = (
    "parts by",
    "parts",
    "CPU s",
    "volumes over the shape's",
    "stick out by at most",
    "measured",
)
SAMPLES = 400_000
THRESHOLDS = (0.05, 0.1)  # of CoACD


def measured(solids: Sequence[Any], program: Program, surface: Any) -> str:
    """Measure how far solids stick out of {f < 0}, at samples of their surfaces."""
    import numpy as np
    from scipy.spatial import cKDTree

    points = np.concatenate([solid.sample(max(8, SAMPLES // 4 // len(solids))) for solid in solids])
    outside = points[program(torch.as_tensor(points))[:, 0].numpy() > 1e-6]
    return f"{cKDTree(surface.sample(SAMPLES)).query(outside)[0].max():.3f}" if len(outside) else "0"


def main() -> None:
    """Measure and print a table."""
    import trimesh

    parser = make_parser(__doc__)
    parser.add_argument("net", type=Path, help="file of a network of three inputs")
    parser.add_argument("--errors", type=float, nargs="+", default=[0.0, 0.005, 0.01, 0.02, 0.05])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    program, box = creased.load_program(chosen.net).detach().to("cpu", torch.float64), Box.cube(3, 0.5)
    surface = mesh_to_write(creased.extract_level_set(program, box), boundary="cap", program=program)
    shape, rows = surface.to_trimesh(), []
    for error in chosen.errors:
        start = time.process_time()
        found = creased.convex_parts(program, box, error=error)
        seconds = f"{time.process_time() - start:.0f}"
        pairs = [(part.vertices.numpy(), part.facets.numpy()) for part in found.parts]
        solids = [trimesh.Trimesh(*pair, process=False) for pair in pairs]
        sticks = f"{found.largest_error:.3g}"
        ours = f"creased, error {error:g}", f"{found.n:,}", seconds, f"{found.overlap:.3f}", sticks
        rows.append((*ours, measured(solids, program, shape)))
    for threshold in THRESHOLDS if find_spec("coacd") else ():
        import coacd

        coacd.set_log_level("error")
        start = time.process_time()
        found = coacd.run_coacd(coacd.Mesh(shape.vertices, shape.faces), threshold=threshold)
        seconds = f"{time.process_time() - start:.0f}"
        solids = [trimesh.Trimesh(*part).convex_hull for part in found]
        ratio = f"{sum(solid.volume for solid in solids) / shape.volume:.3f}"
        theirs = f"CoACD, threshold {threshold:g}", f"{len(found):,}", seconds, ratio, "-"
        rows.append((*theirs, measured(solids, program, shape)))
    print(as_table(HEADER, rows))


if __name__ == "__main__":
    main()
