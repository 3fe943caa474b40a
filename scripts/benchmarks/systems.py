"""Run and measure the systems that the benchmarks compare.

Each system takes a network's program. Every measurement is a process of its own with one thread: CPU and
wall-clock seconds of the extraction after a warm-up, and by how much it raised the peak of memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import creased
from creased.meshes.queries import import_warp
from scripts import ROOT

Found = dict[str, float]
Mesh = tuple[Tensor, Tensor]  # vertices (V, 3) and triangles (T, 3)
Extract = Callable[[], tuple[Found, Mesh | None]]
N_COMPOSED = 20_000  # cells whose maps are composed, for the floor of what a face can cost


def measure(system: str, net: Path, peer: Path | None = None, mesh: Path | None = None) -> Found:
    """Run one system on a network in a process of its own.

    The triangles of the surface are written where ``mesh`` says, as npz.
    """
    command = [sys.executable, "-m", "scripts.benchmarks.systems", system, str(net.resolve())]
    for option, path in (("--peer", peer), ("--mesh", mesh)):
        command += [option, str(path.resolve())] if path else []
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603, ourselves
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


def _full(program: creased.Program, dtype: torch.dtype) -> Extract:
    box = creased.Box.cube(program.in_dim, 0.5)

    def extract() -> tuple[Found, None]:
        complex_ = creased.extract_complex(program, box, dtype=dtype)
        return {"vertices": complex_.vertices.shape[0], "edges": complex_.edges.shape[0]}, None

    return extract


def _level_set(program: creased.Program, **options: bool | str | torch.dtype) -> Extract:
    box = creased.Box.cube(program.in_dim, 0.5)

    def extract() -> tuple[Found, Mesh]:
        surface = creased.extract_level_set(program, box, **options)
        n_faces = surface.polygons.n if surface.dim == 3 else surface.edges.shape[0]
        found = {"vertices": surface.vertices.shape[0], "faces": n_faces}
        return found, (surface.vertices, surface.triangles())

    return extract


def _compose(program: creased.Program) -> Extract:
    """Compose the affine maps of cells: the least arithmetic of marching."""
    weights = [affine.weight.T.contiguous() for affine in _affines(program)]

    @torch.inference_mode()
    def extract() -> tuple[Found, None]:
        columns = torch.rand((512 * 4, 3), dtype=torch.float64)
        for _ in range(N_COMPOSED // 512):
            state = columns
            for weight in weights:
                state = state @ weight
        return {"faces": N_COMPOSED // 512 * 512}, None

    return extract


def _marching_cubes(program: creased.Program, n: int) -> Extract:
    """Run warp's marching cubes, with the evaluation of the network in float32 on its grid, in batches."""
    program, axis = program.to(dtype=torch.float32), torch.linspace(-0.5, 0.5, n)

    @torch.no_grad()
    def extract() -> tuple[Found, Mesh]:
        planes = []
        for x in axis:
            grid = torch.stack([x.expand(n, n), *torch.meshgrid(axis, axis, indexing="ij")], dim=-1)
            planes.append(program.outputs_at(grid.reshape(-1, 3)).reshape(n, n))
        wp = import_warp()
        field = wp.array(torch.stack(planes).numpy(), dtype=wp.float32, device="cpu")
        from warp.geometry import IsoSurfaceMarchingCubes

        corners = {"lower": (-0.5,) * 3, "upper": (0.5,) * 3}
        vertices, indices = IsoSurfaceMarchingCubes.extract(field, 0.0, **corners)
        points: Tensor = torch.from_numpy(vertices.numpy())
        triangles: Tensor = torch.from_numpy(indices.numpy()).reshape(-1, 3)
        found = {"vertices": points.shape[0], "faces": triangles.shape[0]}
        return found, (points, triangles)

    return extract


def _published(program: creased.Program, peer: Path) -> Extract:
    sys.path.insert(0, str(peer))
    from edge_subdivision import skeletal_subdivision
    from NN import Net

    net = Net([program.in_dim, *program.widths, program.out_dim])
    for linear, affine in zip(net.fcs, _affines(program), strict=True):
        linear.weight.data, linear.bias.data = affine.weight.float(), affine.bias.float()

    @torch.no_grad()
    def extract() -> tuple[Found, None]:
        found = skeletal_subdivision(net, device="cpu", bbox=(-0.5, 0.5), verbose=False, prune=False)
        return {"vertices": len(found[0])}, None

    return extract


def _affines(program: creased.Program) -> list[creased.Affine]:
    return [*(block.affine for block in program.blocks), program.head]


def _make(system: str, program: creased.Program, peer: Path) -> Extract:
    if system.startswith("marching"):
        return _marching_cubes(program, int(system.removeprefix("marching")))
    makers: dict[str, Callable[[], Extract]] = {
        "full": lambda: _full(program, torch.float64),
        "full32": lambda: _full(program, torch.float32),
        "level_set": lambda: _level_set(program),
        "level_set32": lambda: _level_set(program, dtype=torch.float32),
        "march": lambda: _level_set(program, method="march"),
        "complete": lambda: _level_set(program, method="march", complete=True),
        "unpruned": lambda: _level_set(program, prune=False),
        "compose": lambda: _compose(program),
        "published": lambda: _published(program, peer),
    }
    return makers[system]()


def _small(program: creased.Program) -> creased.Program:
    """Make a small network of the same kind."""
    torch.manual_seed(0)
    dim = program.in_dim
    network = creased.MLP(dim, 8, 1) if program.grid is None else creased.GridMLP(dim, levels=(2, 4))
    return creased.lower(network).detach().to(dtype=torch.float64)


def _work(system: str, net: Path, peer: Path, mesh: Path | None) -> Found:
    program = creased.load_program(net).to(dtype=torch.float64)
    _make("marching64" if system.startswith("marching") else system, _small(program), peer)()
    extract = _make(system, program, peer)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before, wall, cpu = _status("VmRSS"), time.perf_counter(), time.process_time()
    found, surface = extract()
    seconds = {"seconds": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    figures = found | seconds | {"megabytes": _status("VmHWM") - before}
    if surface:
        heights = program.outputs_at(surface[0].to(program.dtype)).abs()
        figures["error"] = float(heights.max()) if len(heights) else 0.0
    if mesh and surface:
        np.savez(mesh, vertices=surface[0].numpy(), triangles=surface[1].numpy())
    return figures


def _status(name: str) -> float:
    """Read a size in MB from /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("system")
    parser.add_argument("net", type=Path)
    parser.add_argument("--peer", type=Path, default=Path())
    parser.add_argument("--mesh", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(_work(chosen.system, chosen.net, chosen.peer, chosen.mesh)))
