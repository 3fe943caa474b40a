"""Compare a trained function and its exact mesh with a shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.core.program.program import Program
from creased.geometry.measures import edge_lengths
from creased.meshes.mesh_audit import ask_trimesh
from creased.meshes.polygon_mesh import PolygonMesh
from creased.shapes.comparison import Comparison
from creased.shapes.surface import Surface
from creased.shapes.target import Sizes, Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_SURFACE = 20_000  # fresh points on the shape
N_VOLUME = 200_000  # fresh points in the domain
N_MESH = 50_000  # points on each mesh


class Evaluation(NamedTuple):
    """What is known of a finished run."""

    metrics: dict[str, Any]  # in units of the domain, but for ``comparison``, which is in the user's
    mesh: Surface | None  # None if the level set is empty
    comparison: Comparison | None  # of the mesh with the shape


def evaluate(shape: Target, domain: Box, program: Program, level_set: LevelSet, seed: int) -> Evaluation:
    """Audit the exact mesh of a trained function, and compare function and mesh with the shape."""
    rng = np.random.default_rng([seed, 1])  # another stream than that of the training samples

    def function(points: NDArray[Any]) -> NDArray[Any]:
        rows = torch.from_numpy(np.asarray(points)).to(program.device, program.dtype)
        return program.outputs_at(rows)[:, 0].cpu().numpy()

    metrics: dict[str, Any] = level_set.audit().as_dict()
    metrics |= {"guarantee": level_set.guarantee, "status": level_set.status}
    metrics |= {"is_complete": level_set.is_complete, "unit": shape.to_domain.unit}
    is_cut = bool(level_set.is_on_wall().any())
    metrics["cut_at"] = float(max(domain.upper)) if is_cut else None  # half the width of the domain
    is_empty = level_set.polygons.n == 0
    mesh = None if is_empty else Surface(PolygonMesh.of_level_set(level_set))
    sizes = Sizes(N_SURFACE, N_VOLUME, N_MESH)
    found = shape.measure(function, mesh, domain, sizes, rng)
    if mesh is not None:
        metrics["edge_length_total"] = float(edge_lengths(level_set.vertices, level_set.edges).sum())
        metrics["trimesh"] = ask_trimesh(mesh.mesh)
    return Evaluation(metrics | found.metrics, mesh, found.comparison)
