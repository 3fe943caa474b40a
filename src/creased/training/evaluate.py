"""Evaluate a finished run: audit of the mesh, distances to the shape, and the table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.core.program.program import Program
from creased.geometry.measures import edge_lengths
from creased.meshes.open3d_checks import ask_open3d
from creased.shapes.metrics import compare_functions, compare_meshes
from creased.shapes.shape import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.table import Table

N_SURFACE = 20_000  # fresh points on the shape
N_VOLUME = 200_000  # fresh points in the domain
N_MESH = 50_000  # points on each mesh


def evaluate(shape: Shape, domain: Box, program: Program, level_set: LevelSet, seed: int) -> dict[str, Any]:
    """Audit the exact mesh of a trained function and measure its distances to the shape, in plain values."""
    rng = np.random.default_rng([seed, 1])  # another stream than that of the training samples

    def function(points: NDArray[Any]) -> NDArray[Any]:
        rows = torch.from_numpy(np.asarray(points)).to(program.device, program.dtype)
        return program.outputs_at(rows)[:, 0].cpu().numpy()

    result: dict[str, Any] = level_set.audit().as_dict()
    result |= compare_functions(shape, domain, function, N_SURFACE, N_VOLUME, rng)
    result["open3d"] = ask_open3d(level_set)
    if level_set.triangles().shape[0]:
        result["edge_length_total"] = float(edge_lengths(level_set.vertices, level_set.edges).sum())
        vertices, triangles = level_set.vertices.cpu().numpy(), level_set.triangles().cpu().numpy()
        result |= compare_meshes(shape, vertices, triangles, N_MESH, rng)
    provenance = {"guarantee": level_set.guarantee, "status": level_set.status}
    return result | provenance | {"is_complete": level_set.is_complete}


def format_metrics(metrics: dict[str, Any]) -> Table:
    """Format the metrics as a table for people."""
    from rich.table import Table

    table = Table(title=f"{metrics['shape']}: exact mesh of the trained network", title_justify="left")
    table.add_column("quantity")
    table.add_column("value", justify="right")
    table.add_column("unit or note", style="dim")
    for name, value, note in _lines(metrics):
        table.add_row(name, value, note)
    return table


def _open3d_agrees(answers: dict[str, bool] | None) -> str:
    if answers is None:
        return "open3d was not asked"
    denied = [name.replace("_", " ") for name, answer in answers.items() if not answer]
    return f"open3d: not {', not '.join(denied)}" if denied else "open3d agrees"


def _certified(certificate: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    if certificate is None:
        return []
    if not certificate["is_certified"]:
        return [("certified", "no", certificate["words"])]
    n, n_rational = certificate["n_signs"], certificate["n_rational"]
    return [("certified", "yes", f"{n:,} signs exact, {n_rational:,} by rationals; every edge in its place")]


def _lines(metrics: dict[str, Any]) -> list[tuple[str, str, str]]:
    if metrics["n_vertices"] == 0:
        return [("level set", "empty", metrics["status"])]
    closed = "yes" if metrics["is_closed"] else f"no: {metrics['n_boundary_edges']} boundary edges"
    sound = "yes" if metrics["is_oriented"] and metrics["is_manifold"] else "no"
    fresh = f"domain units, {N_SURFACE:,} fresh points"
    euler, components = str(metrics["euler_characteristic"]), f"{metrics['n_components']} component(s)"
    lines = [
        ("faces", f"{metrics['n_polygons']:,}", "convex planar polygons"),
        ("vertices", f"{metrics['n_vertices']:,}", ""),
        ("edges", f"{metrics['n_edges']:,}", ""),
        ("Euler characteristic", euler, components),
        ("closed", closed, metrics["status"]),
        ("nothing missing", "proven" if metrics["is_complete"] else "not proven", metrics["guarantee"]),
        *_certified(metrics["certificate"]),
        ("oriented manifold", sound, _open3d_agrees(metrics["open3d"])),
        ("max |f| at vertices", f"{metrics['max_residual']:.1e}", "in the program's own evaluation"),
        ("mean |f| on the shape", f"{metrics['surface_error_mean']:.5f}", fresh),
        ("IoU", f"{metrics['iou']:.4f}", f"volumetric, {N_VOLUME:,} fresh points"),
    ]
    if "chamfer_l1_mean" in metrics:
        to_surface = "mean of both directed means, point to surface"
        lines += [
            ("total edge length", f"{metrics['edge_length_total']:.1f}", "domain units"),
            ("chamfer_l1_mean", f"{metrics['chamfer_l1_mean']:.5f}", to_surface),
            ("hausdorff_sampled", f"{metrics['hausdorff_sampled']:.4f}", f"{N_MESH:,} points a surface"),
            ("normal consistency", f"{metrics['normal_consistency']:.4f}", "mean |cosine|"),
        ]
    return lines + [(f"seconds: {part}", f"{taken:.1f}", "") for part, taken in metrics["seconds"].items()]
