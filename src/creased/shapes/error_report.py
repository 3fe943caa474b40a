"""Measure distances between a mesh and its source, both ways, in the user's coordinates.

Points are drawn on either surface; their distances are to the other *surface*, found in single precision
relative to the size of the source. The source is not repaired: where a hole was closed for training, the
distance counts as an error of the mesh.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.io.similarity import HALF_WIDTH, Similarity
from creased.shapes.metrics import measure_both_ways
from creased.shapes.procedural import box, bracket, sphere, torus
from creased.shapes.shape import Shape
from creased.shapes.sources import BunnyScan, Download, File, ShapeError, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from trimesh import Trimesh

N = 50_000  # points on either surface
SOURCES = {source.__name__: source for source in (BunnyScan, Download, File, box, bracket, sphere, torus)}


def error_report(
    vertices: NDArray[Any], triangles: NDArray[Any], source: Trimesh, name: str, n: int = N
) -> dict[str, Any]:
    """Measure mean, largest and root mean square distances, and the agreement of normals.

    Args:
        vertices: of the mesh, (V, 3), in the user's coordinates.
        triangles: of the mesh, (T, 3), at least one.
        source: the mesh to compare with, in the same coordinates; not changed.
        name: of the source, for the report.
        n: points on either surface; their largest distance is a lower bound of the Hausdorff distance.
    """
    reference = source.copy()
    to_unit = Similarity.of_bounds(*reference.bounds)
    reference.vertices = to_unit.apply(reference.vertices)
    shape = Shape(name, reference, to_unit, "z", 0.0, "", "")
    found = measure_both_ways(shape, to_unit.apply(vertices), triangles, n, np.random.default_rng(0))
    return {
        "source": name,
        "n_points": n,
        "to_source": _summary(found.to_there / to_unit.scale),
        "from_source": _summary(found.to_here / to_unit.scale),
        "source_longest_side": 2 * HALF_WIDTH / to_unit.scale,
        "normal_consistency": found.normal_consistency,
    }


def _summary(distances: NDArray[Any]) -> dict[str, float]:
    distances = distances.astype(np.float64)
    return {
        "mean": float(distances.mean()),
        "max": float(distances.max()),
        "rms": float(np.sqrt(np.square(distances).mean())),
    }


def format_errors(report: dict[str, Any]) -> str:
    """Format a report as a sentence."""
    ways = (("to", "to_source"), ("from", "from_source"))
    distances = [
        f"{word} it " + ", ".join(f"{name} {length:.3g}" for name, length in report[way].items())
        for word, way in ways
    ]
    return (
        f"against {report['source']} (longest side {report['source_longest_side']:.4g}): "
        f"{'; '.join(distances)}; normals agree to {report['normal_consistency']:.4f}"
    )


def source_of_run(folder: Path) -> tuple[Source, str]:
    """Make the source of a run's training shape, and its name, from the run's `config.yaml`.

    Raises:
        ShapeError: there is no such file, or it names no source of `creased.shapes`.
    """
    from omegaconf import OmegaConf

    path = folder / "config.yaml"
    if not path.is_file():
        raise ShapeError(f"--against shape needs a run folder with its config.yaml, got {folder}")
    try:
        shape = dict(OmegaConf.load(path))["shape"]
        if shape["path"] is not None:
            return File(str(shape["path"])), Path(shape["path"]).name
        options = dict(shape["source"])
        package, _, kind = str(options.pop("_target_")).rpartition(".")
        if not package.startswith("creased.shapes"):
            raise KeyError(package)
        name, source = str(shape["name"]), SOURCES[kind](**options)
    except Exception as error:  # nearly anything, if the file is no configuration of a run
        raise ShapeError(f"{path} does not name the training shape: give --against FILE") from error
    return source, name
