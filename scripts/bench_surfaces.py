"""Times the exact level set, pruned and not, beside marching cubes on the same network.

    ./run python scripts/bench_surfaces.py

Single-threaded, CPU seconds, medians; systems alternate in one process. Marching cubes (warp-lang) includes
the evaluation of the network, in float32, on its grid; its error is the greatest |f| at its vertices.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from nets import SHARED, as_program, fit, load
from rich.console import Console
from rich.table import Table

import creased
from creased.mesh_queries import import_warp

Found = tuple[int, float]  # vertices, greatest |f| there
BOX = creased.Box.cube(3, 0.5)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    table = Table(title=f"level sets, one thread, medians of {repeats}, {date.today()}")
    for column in ("net", "system", "vertices", "max |f|", "CPU s"):
        table.add_column(column, justify="left" if column in ("net", "system") else "right")
    with TemporaryDirectory() as folder:
        for name, path in _nets(Path(folder)).items():
            for system, (seconds, (n_vertices, error)) in _alternate(load(path), repeats).items():
                table.add_row(name, system, f"{n_vertices:,}", f"{error:.0e}", f"{seconds:.2f}")
    Console(width=100).print(table)


def _nets(folder: Path) -> dict[str, Path]:
    nets = {f"3,{d}x{w} fitted": fit(folder / f"{d}x{w}.npz", d, w) for d, w in ((4, 24), (4, 40), (3, 96))}
    shared = {"3,3x16 bunny": "bunny_3d_3x16", "3,8x32 bunny": "bunny_3d_8x32"}
    return nets | {k: SHARED / f"{v}.npz" for k, v in shared.items() if (SHARED / f"{v}.npz").exists()}


def _alternate(layers: list, repeats: int) -> dict[str, tuple[float, Found]]:
    exact, single = as_program(layers, torch.float64), as_program(layers, torch.float32)
    systems: dict[str, Callable[[], Found]] = {
        "exact, pruned": lambda: _exact(exact, prune=True),
        "exact, not pruned": lambda: _exact(exact, prune=False),
        "marching cubes 128^3": lambda: _marching_cubes(single, 128),
        "marching cubes 256^3": lambda: _marching_cubes(single, 256),
    }
    if exact.n_neurons > 200:
        del systems["exact, not pruned"]  # minutes
    _marching_cubes(single, 8)
    runs: dict[str, list[tuple[float, Found]]] = {system: [] for system in systems}
    for _ in range(repeats):
        for system, extract in systems.items():
            start = time.process_time()
            found = extract()
            runs[system].append((time.process_time() - start, found))
    return {system: (statistics.median(t for t, _ in found), found[0][1]) for system, found in runs.items()}


def _exact(program: creased.Program, *, prune: bool) -> Found:
    surface = creased.extract_level_set(program, BOX, prune=prune)
    return surface.vertices.shape[0], float(surface.residual.max())


@torch.no_grad()
def _marching_cubes(program: creased.Program, n: int) -> Found:
    axis = torch.linspace(-0.5, 0.5, n)
    planes = []
    for x in axis:
        grid = torch.stack([x.expand(n, n), *torch.meshgrid(axis, axis, indexing="ij")], dim=-1)
        planes.append(program(grid.reshape(-1, 3)).reshape(n, n))
    wp = import_warp()
    field = wp.array(torch.stack(planes).numpy(), dtype=wp.float32, device="cpu")
    from warp.geometry import IsoSurfaceMarchingCubes

    vertices, _ = IsoSurfaceMarchingCubes.extract(field, 0.0, lower=(-0.5,) * 3, upper=(0.5,) * 3)
    points = torch.from_numpy(vertices.numpy())
    return points.shape[0], float(program(points).abs().max()) if len(points) else 0.0


if __name__ == "__main__":
    main()
