"""How far a mesh is from the one that it was made after, both ways, in the user's coordinates.

Points are drawn on either surface; their distances are to the other *surface*, found in single precision
relative to the size of the source. The source is taken as it is, holes and all: nothing is repaired, so what
was closed for training counts as an error of the mesh.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.io.similarity import HALF_WIDTH, Similarity
from creased.shapes.errors import ShapeError
from creased.shapes.metrics import measure_both_ways
from creased.shapes.procedural import box, bracket, sphere, torus
from creased.shapes.shape import Shape
from creased.shapes.sources import BunnyScan, Download, File, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from trimesh import Trimesh

N = 50_000  # points on either surface
KNOWN = {f"creased.shapes.{source.__name__}": source for source in (BunnyScan, Download, File)} | {
    f"creased.shapes.procedural.{source.__name__}": source for source in (box, bracket, sphere, torus)
}


def error_report(
    vertices: NDArray[Any], triangles: NDArray[Any], source: Trimesh, name: str, n: int = N
) -> dict[str, Any]:
    """Distances between a mesh and its source: mean, largest, root of the mean square, and normals.

    Args:
        vertices: of the mesh, (V, 3), in the user's coordinates.
        triangles: (T, 3), at least one.
        source: the mesh to compare with, in the same coordinates; not changed.
        name: of the source, for the report.
        n: points on either surface; the largest distance is that of the points, a lower bound.
    """
    there = source.copy()
    to_unit = Similarity.of_bounds(*there.bounds)
    there.vertices = to_unit.apply(there.vertices)
    shape = Shape(name, there, to_unit, "z", 0.0, "", "")
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
    """A report in words."""
    ways = (("to", "to_source"), ("from", "from_source"))
    told = [
        f"{word} it " + ", ".join(f"{name} {length:.3g}" for name, length in report[way].items())
        for word, way in ways
    ]
    return (
        f"against {report['source']} (longest side {report['source_longest_side']:.4g}): {'; '.join(told)}; "
        f"normals agree to {report['normal_consistency']:.4f}"
    )


def source_of_run(folder: Path) -> tuple[Source, str]:
    """What a run was trained on, by its `config.yaml`; sources of the project alone are made.

    Raises:
        ShapeError: it does not say, or names something else.
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
        name, kind = str(shape["name"]), KNOWN[options.pop("_target_")]
        source: Source = kind(**options)
    except Exception as error:  # of a file that is no configuration of a run nearly anything is raised
        raise ShapeError(f"{path} does not say what was trained on: give --against FILE") from error
    return source, name
