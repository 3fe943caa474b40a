"""Compare training on points with Poisson reconstruction (open3d), by distances to the mesh of the points.

    ./run python -m scripts.runs.compare_points --folder logs/points --json points.json

The bunny, made a solid, is sampled at 20,000 points with normals; positions get Gaussian noise of a share of
the longest side, normals are tilted likewise. `train.py` gets the points alone, at its defaults. Poisson
reconstruction (Kazhdan and Hoppe 2013) is at the depths given; trimmed: without the vertices of the least
density, one in a hundred; smoothed: of the points as creased has smoothed them. Distances are in thousandths
of the longest side, from 50,000 points on either surface to the other, seconds those of the CPU.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
import trimesh

import creased
from creased.io.checkpoint import read_record
from creased.meshes.import_open3d import import_open3d
from creased.meshes.point_index import PointIndex
from creased.shapes import BunnyScan, Shape, load_shape
from creased.shapes.smoothing import smooth
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser
from scripts.runs.trials import compare, train

if TYPE_CHECKING:
    from numpy.typing import NDArray

N = 20_000
NOISES = {"none": (0.0, 0.0), "0.5 %": (0.005, 0.2), "1 %": (0.01, 0.3)}  # of positions; tilt of normals
DEPTHS = (6, 8, 9)
TRIMMED = 0.01  # share of the vertices


class Made(NamedTuple):
    """A surface made of points."""

    mesh: trimesh.Trimesh  # in the domain of the shape
    seconds: float


def main() -> None:
    """Sample, reconstruct, measure."""
    parser = make_parser(__doc__, numbers=True)
    parser.add_argument("--folder", type=Path, required=True, help="of the runs")
    parser.add_argument("--options", nargs="*", default=[], help="of train.py, such as quality=high")
    chosen = parser.parse_args()
    shape = load_shape("bunny", BunnyScan())
    rows, numbers = [], {}
    for noise, (share, tilt) in NOISES.items():
        points, normals = sample(shape, share, tilt)
        makers = {"creased": lambda p=points, n=normals, s=noise: learn(shape, p, n, chosen, s)}
        for depth in DEPTHS:
            makers[f"Poisson, depth {depth}"] = lambda p=points, n=normals, d=depth: poisson(p, n, d)
        makers["Poisson, depth 9, trimmed"] = lambda p=points, n=normals: poisson(p, n, 9, trimmed=TRIMMED)
        makers["Poisson, depth 8, smoothed"] = lambda p=points, n=normals: poisson(*smoothed(p, n), 8)
        for name, make in makers.items():
            figures = measure(shape, make())
            numbers[f"{noise}: {name}"] = figures
            rows.append([noise, name, *map(str, figures.values())])
            print(rows[-1], flush=True)
    print(as_table(["noise", "by", *figures], rows))
    write_numbers(chosen.json, results=numbers)


def sample(shape: Shape, noise: float, tilt: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw points with normals (n, 3), in the domain; noise is a share of the longest side."""
    rng = np.random.default_rng(0)
    points, triangles = shape.surface.sample(N, rng)
    normals = shape.surface.normals(triangles)
    longest = np.ptp(shape.surface.vertices, axis=0).max()
    points = points + noise * longest * rng.standard_normal(points.shape)
    normals = normals + tilt * rng.standard_normal(normals.shape)
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def learn(shape: Shape, points: NDArray[Any], normals: NDArray[Any], chosen: Any, noise: str) -> Made:
    """Train on the points by `train.py`."""
    folder = (chosen.folder / noise.replace(" ", "").replace("%", "")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "points.xyz"
    np.savetxt(path, np.concatenate([points, normals], axis=1), fmt="%.17g")
    start = cpu_seconds()
    train(folder, f"shape.path={path}", *chosen.options)
    seconds = cpu_seconds() - start
    record = read_record(folder / "checkpoints" / "last.ckpt")
    found = creased.extract_level_set(record.program, record.domain, dtype=torch.float64)
    mesh = trimesh.Trimesh(
        record.to_domain.invert(found.vertices).numpy(), found.triangles().numpy(), process=False
    )
    return Made(mesh, seconds)


def smoothed(points: NDArray[Any], normals: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smooth points and normals (n, 3) as training does."""
    found = smooth(PointIndex(points, normals), np.random.default_rng(0)).points
    return found.points, found.normals


def poisson(points: NDArray[Any], normals: NDArray[Any], depth: int, trimmed: float = 0.0) -> Made:
    """Reconstruct by open3d on one thread."""
    open3d = import_open3d()
    start = cpu_seconds()
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    cloud.normals = open3d.utility.Vector3dVector(normals)
    make = open3d.geometry.TriangleMesh.create_from_point_cloud_poisson
    mesh, density = make(cloud, depth=depth, n_threads=1)
    if trimmed:
        mesh.remove_vertices_by_mask(np.asarray(density) < np.quantile(density, trimmed))
    seconds = cpu_seconds() - start
    made = trimesh.Trimesh(np.asarray(mesh.vertices), np.asarray(mesh.triangles), process=False)
    return Made(made, seconds)


def cpu_seconds() -> float:
    """Return the seconds that this process and its children have taken."""
    return sum(os.times()[:4])


def measure(shape: Shape, made: Made) -> dict[str, Any]:
    """Measure a surface against the shape."""
    found = compare(shape, made.mesh)
    longest = found.longest_side

    def per_mille(length: float) -> float:
        return round(1000 * length / longest, 2)

    return {
        "mean to it": per_mille(found.to_reference.mean),
        "p99": per_mille(found.to_reference.p99),
        "max": per_mille(found.to_reference.max),
        "mean from it": per_mille(found.from_reference.mean),
        "p99 ": per_mille(found.from_reference.p99),
        "max ": per_mille(found.from_reference.max),
        "normals": round(found.normal_consistency, 3),
        "components": found.mesh.n_components,
        "closed": "yes" if found.mesh.is_closed else "no",
        "seconds": round(made.seconds, 1),
    }


if __name__ == "__main__":
    main()
