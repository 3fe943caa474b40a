"""Compare a run with its shape: what its grid may lose, and at the end its function and its mesh."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import nn

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.core.program.program import Program
from creased.geometry.measures import edge_lengths
from creased.io.units import SHORT
from creased.meshes.mesh_audit import ask_trimesh
from creased.meshes.polygon_mesh import PolygonMesh
from creased.networks.models.grid_mlp import grids_of
from creased.shapes.comparison import Comparison
from creased.shapes.differences import Kind
from creased.shapes.surface import Surface
from creased.shapes.target import Sizes, Target
from creased.training.folders import is_follower

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.table import Table

log = logging.getLogger(__name__)

N_SURFACE = 20_000  # fresh points on the shape
N_VOLUME = 200_000  # fresh points in the domain
N_MESH = 50_000  # points on each mesh
WIDER = 1.2  # a domain that is advised where walls cut the surface
FAITHFUL = "faithful to the shape"  # the first line of the table


def warn_of_thin_parts(shape: Target, network: nn.Module, quality: str) -> dict[str, Any] | None:
    """Log which walls and gaps of a shape are thinner than a cell of the network's grid; None without one."""
    if not (grids := grids_of(network)) or is_follower():
        return None
    finest = min(grids, key=lambda grid: grid.half_width / grid.levels[-1])
    n_cells = finest.levels[-1]
    rng = np.random.default_rng(0)
    found = shape.measure_thinness(n_cells, 2 * finest.half_width / n_cells, rng)
    if found is None:
        return None
    for sentence in found.sentences(1 / shape.to_domain.scale, shape.to_domain.unit):
        log.warning("shape %s: %s; %s is finer", shape.name, sentence, finer_grid(quality))
    return found.as_dict()


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


def format_metrics(metrics: dict[str, Any]) -> Table:
    """Format the metrics as a table for people."""
    from rich.table import Table

    table = Table(title=f"{metrics['shape']}: exact mesh of the trained network", title_justify="left")
    table.add_column("quantity")
    table.add_column("value", justify="right")
    table.add_column("unit or note", style="dim")
    for name, value, note in _lines(metrics):
        table.add_row(name, value, note, style="bold" if (name, value) == (FAITHFUL, "no") else None)
    return table


def advise(metrics: Mapping[str, Any], quality: str | None, n_samples: int) -> str:
    """Say which options bring a mesh nearer to its shape; specks come from places with few samples."""
    kinds = [difference["kind"] for difference in metrics.get("differences", [])]
    advice = [finer_grid(quality), f"data.n_samples={2 * n_samples}"]
    if kinds[:1] == [Kind.SPECKS.name]:
        advice.reverse()
    if metrics["cut_at"] and Kind.OPEN.name in kinds:
        advice.insert(0, f"domain.half_width={WIDER * metrics['cut_at']:.3g}")
    return ", or ".join(advice)


def finer_grid(quality: str | None) -> str:
    """Name the option for the next finer grid than that of a quality; None: the network is on no grid."""
    finer = {None: "model=grid", "draft": "quality=normal", "normal": "quality=high", "high": "quality=ultra"}
    return finer.get(quality, "a further level in model.levels")


def _trimesh_agrees(metrics: dict[str, Any]) -> str:
    denied = [name for name, answer in metrics["trimesh"].items() if answer != metrics[name]]
    return f"trimesh disagrees: {', '.join(denied)}" if denied else "trimesh agrees"


def _faithful(metrics: dict[str, Any]) -> tuple[str, str, str]:
    compared = metrics["comparison"]
    if metrics["differences"]:
        words = "; ".join(difference["words"] for difference in metrics["differences"])
        return (FAITHFUL, "no", f"{words}: {metrics['advice']}")
    largest = max(compared[way]["max"] for way in ("to_reference", "from_reference"))
    share = 100 * largest / max(compared["reference"]["extent"])
    return (FAITHFUL, "yes", f"same topology, nowhere farther than {share:.2g} % of its size")


def _yours(metrics: dict[str, Any]) -> str:
    """Name the unit of the user's coordinates."""
    return SHORT[metrics["unit"]] if metrics["unit"] else "your units"


def _distances(metrics: dict[str, Any]) -> list[tuple[str, str, str]]:
    lines = []
    for name, key, yours in (
        ("shape to mesh", "shape_to_mesh", "from_reference"),
        ("mesh to shape", "mesh_to_shape", "to_reference"),
    ):
        for label, unit, found in (
            (name, "domain units", metrics[key]),
            ("", _yours(metrics), metrics["comparison"][yours]),
        ):
            note = f"mean, in {unit}; p99 {found['p99']:.3g}, max {found['max']:.3g}"
            lines.append((label, f"{found['mean']:.3g}", note))
    return lines


def _repaired(metrics: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Say what a repair changed, and how far the mesh is from what was read."""
    repair, original = metrics["repair"], metrics["original"]
    words = repair["summary"]
    if repair["change"] is None or original is None:
        return [("repaired", "no", words or "learnt as it was read")]
    change = repair["change"]
    lost, invented = (100 * change[name]["share"] for name in ("lost", "invented"))
    lines = [("repaired", "yes", f"{lost:.2g} % lost, {invented:.2g} % invented, before training: {words}")]
    for name, way in (("as read, to mesh", "from_reference"), ("mesh to what was read", "to_reference")):
        found = original[way]
        note = f"mean, in {_yours(metrics)}; p99 {found['p99']:.3g}, max {found['max']:.3g}"
        lines.append((name, f"{found['mean']:.3g}", note))
    return lines


def _certified(certificate: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    if certificate is None:
        return []
    if not certificate["is_certified"]:
        return [("certified", "no", certificate["words"])]
    n, n_rational = certificate["n_signs"], certificate["n_rational"]
    return [("certified", "yes", f"{n:,} signs exact, {n_rational:,} by rationals; every edge in its place")]


def _lines(metrics: dict[str, Any]) -> list[tuple[str, str, str]]:
    if metrics["n_polygons"] == 0:
        return [("level set", "empty", metrics["status"])]
    shape = metrics["comparison"]["reference"] if "comparison" in metrics else {}
    closed = "yes" if metrics["is_closed"] else f"no: {metrics['n_boundary_edges']} boundary edges"
    sound = "yes" if metrics["is_oriented"] and metrics["is_manifold"] else "no"
    lines = [
        _faithful(metrics) if shape else _made_of_points(metrics),
        ("faces", f"{metrics['n_polygons']:,}", "convex planar polygons"),
        ("vertices", f"{metrics['n_vertices']:,}", ""),
        ("edges", f"{metrics['n_edges']:,}", ""),
        _count("components", "n_components", metrics, shape),
        _count("Euler characteristic", "euler_characteristic", metrics, shape),
        ("closed", closed, metrics["status"]),
        ("nothing missing", "proven" if metrics["is_complete"] else "not proven", metrics["guarantee"]),
        *_certified(metrics["certificate"]),
        ("oriented manifold", sound, _trimesh_agrees(metrics)),
        ("max |f| at vertices", f"{metrics['max_residual']:.1e}", "in the program's own evaluation"),
        *(_against_shape(metrics) if shape else _against_points(metrics)),
        ("total edge length", f"{metrics['edge_length_total']:.1f}", "domain units"),
    ]
    return lines + [(f"seconds: {part}", f"{taken:.1f}", "") for part, taken in metrics["seconds"].items()]


def _count(name: str, key: str, metrics: dict[str, Any], shape: Mapping[str, Any]) -> tuple[str, str, str]:
    return (name, f"{metrics[key]}", f"the shape has {shape[key]}" if shape else "not known of points")


def _against_shape(metrics: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        *_errors(metrics, "on the shape", f"{N_SURFACE:,} fresh points"),
        ("IoU", f"{metrics['iou']:.4f}", f"volumetric, {N_VOLUME:,} fresh points"),
        *_distances(metrics),
        *_repaired(metrics),
        ("chamfer_l1_mean", f"{metrics['chamfer_l1_mean']:.5f}", "mean of both means, domain units"),
        ("normal consistency", f"{metrics['normal_consistency']:.4f}", "mean |cosine|"),
    ]


def _against_points(metrics: dict[str, Any]) -> list[tuple[str, str, str]]:
    lines = _errors(metrics, "at the points", f"{metrics['points']['n_measured']:,} of them")
    for name, key in (("points to mesh", "points_to_mesh"), ("mesh to nearest point", "mesh_to_points")):
        for label, unit, found in (
            (name, "domain units", metrics[key]),
            ("", _yours(metrics), metrics["points"][key]),
        ):
            note = f"mean, in {unit}; p99 {found['p99']:.3g}, max {found['max']:.3g}"
            lines.append((label, f"{found['mean']:.3g}", note))
    return [
        *lines,
        ("normals at the points", f"{metrics['normal_agreement']:.4f}", "mean cosine with the mesh's"),
    ]


def _errors(metrics: dict[str, Any], where: str, how_many: str) -> list[tuple[str, str, str]]:
    return [
        (f"{name} |f| {where}", f"{metrics[f'surface_error_{name}']:.5f}", f"domain units, {how_many}")
        for name in ("mean", "p99")
    ]


def _made_of_points(metrics: dict[str, Any]) -> tuple[str, str, str]:
    points = metrics["points"]
    noise = f"noise about {points['noise']:.2g} in {_yours(metrics)}"
    note = f"{noise}; no solid is known: no IoU, no topology to compare"
    return ("made of points", f"{points['n']:,}", note)
