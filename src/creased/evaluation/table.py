"""Format the metrics of a run as a table for people, whose first line says whether the mesh is the shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from creased.evaluation import measure
from creased.io.units import SHORT

if TYPE_CHECKING:
    from rich.table import Table

FAITHFUL = "faithful to the shape"  # the first line of the table


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
        *_errors(metrics, "on the shape", f"{measure.N_SURFACE:,} fresh points"),
        ("IoU", f"{metrics['iou']:.4f}", f"volumetric, {measure.N_VOLUME:,} fresh points"),
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
