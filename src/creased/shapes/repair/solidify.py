"""Make a mesh a solid: closed, outward, without internal walls; or refuse it, saying why.

Weld, remove what bounds nothing, cut into manifold parts, close each or set it aside, arrange and unite; then
measure what that changed, and compare it with the limits.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from creased.io.similarity import Similarity
from creased.meshes.queries import TriangleIndex
from creased.meshes.self_intersections import self_intersections
from creased.shapes.repair.change import Change, measure_change
from creased.shapes.repair.edges import areas
from creased.shapes.repair.options import Limits, RepairOptions
from creased.shapes.repair.parts import Part, join_parts, split_parts
from creased.shapes.repair.report import Frame, Report
from creased.shapes.repair.sheets import close_parts, settle_sheets
from creased.shapes.repair.solids import Arranged, arrange
from creased.shapes.repair.walls import remove_walls
from creased.shapes.repair.weld import weld
from creased.shapes.sources import ShapeError
from creased.shapes.surface import OuterSurface, Surface

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from trimesh import Trimesh

log = logging.getLogger(__name__)

N_CROSSING = 10_000  # points by which a surface is searched for walls inside
CLOSE = 1e-4  # from the surface to the points on its sides, in the domain
UNSAID = 0.001  # of the surface: less of it inside is not spoken of
N_VOLUME = 100_000  # points by which volumes before and after a union are compared


@dataclass(frozen=True)
class Solid:
    """A mesh that is learnt, and how it came from what was read."""

    surface: Surface  # in the domain
    to_domain: Similarity  # from the user's coordinates
    original: Surface | None  # what was read, in the domain; None if it is the same surface
    report: Report


def solidify(mesh: Trimesh, name: str, options: RepairOptions | None = None) -> Solid:
    """Make a mesh a solid in the domain.

    Args:
        mesh: any triangle mesh; not changed. ``metadata["unit"]`` is named in messages.
        name: of the shape, for messages.
        options: how, and what is refused.

    Raises:
        ShapeError: a part cannot be closed, it encloses no volume, a vertex is not finite, or the repair
            changes it beyond the limits.
    """
    options = options or RepairOptions()
    frame, vertices, triangles = _normalise(mesh, name)
    if options.mode == "off":
        parts, report = _cut(vertices, triangles, 0.0)
        report = replace(report, unit=frame.unit_name)
        _require_closed(parts, name)
        return _finish(name, frame, parts, Arranged(parts, parts), report, options, parts)
    parts, report = _cut(vertices, triangles, options.weld)
    report = replace(report, unit=frame.unit_name)
    found = close_parts(parts, options)
    solids, asked, report = settle_sheets(name, frame, found, parts, report, options)
    if not solids and report.left_out:
        raise ShapeError(f"shape {name}: no part of it is closed: shape.open=drop leaves nothing")
    if not solids:
        raise ShapeError(f"shape {name}: the mesh encloses no volume, so there is no inside to learn")
    arranged = arrange(solids, options.weld)
    openings = tuple(
        o._replace(perimeter=o.perimeter * frame.unit, extent=o.extent * frame.unit) for o in found.openings
    )
    report = replace(report, n_closed=found.n_closed, openings=openings)
    counts = ("n_reversed", "n_cavities", "n_united", "n_inside", "n_not_united")
    report = replace(report, **{count: getattr(arranged, count) for count in counts})
    return _finish(name, frame, parts, arranged, report, options, asked)


def _normalise(mesh: Trimesh, name: str) -> tuple[Frame, NDArray[np.float64], NDArray[np.int64]]:
    vertices = np.asarray(mesh.vertices, dtype=np.float64)
    triangles = np.asarray(mesh.faces, dtype=np.int64).reshape(-1, 3)
    if not np.isfinite(vertices).all():
        raise ShapeError(f"shape {name}: the mesh has vertices at NaN or infinity")
    used = vertices[np.unique(triangles)]
    low, high = (used.min(axis=0), used.max(axis=0)) if len(used) else (np.zeros(3), np.zeros(3))
    frame = Frame((low + high) / 2, float((high - low).max()), mesh.metadata.get("unit"))
    if not frame.unit > 0:
        raise ShapeError(f"shape {name}: the mesh has no extent, so there is no inside to learn")
    vertices = (vertices - frame.origin) / frame.unit
    if not areas(vertices, triangles).any():
        raise ShapeError(f"shape {name}: the mesh has no area, so there is no inside to learn")
    return frame, vertices, triangles


def _cut(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64], tolerance: float
) -> tuple[list[Part], Report]:
    """Weld triangles, remove what bounds nothing, and cut them into manifold parts."""
    welded = weld(vertices, triangles, tolerance)
    walls = remove_walls(welded.vertices, welded.triangles)
    parts, n_turned = split_parts(welded.vertices, walls.triangles)
    return parts, Report(
        n_parts=len(parts),
        n_merged=welded.n_merged,
        n_split=welded.n_split,
        n_repeated=walls.n_repeated,
        n_internal=walls.n_internal,
        n_turned=n_turned,
    )


def _require_closed(parts: list[Part], name: str) -> None:
    n_open = sum(not part.is_closed for part in parts)
    if n_open:
        raise ShapeError(
            f"shape {name}: the mesh is not watertight (open parts: {n_open} of {len(parts)}), and "
            "shape.repair=off forbids to close it: shape.repair=strict"
        )
    if not sum(part.volume for part in parts) > 0:
        raise ShapeError(f"shape {name}: the mesh is inside out or encloses no volume: shape.repair=strict")


def _finish(
    name: str,
    frame: Frame,
    read: list[Part],
    arranged: Arranged,
    report: Report,
    options: RepairOptions,
    asked: list[Part],
) -> Solid:
    """Bring the solid into the domain; measure and log what was changed; refuse what is beyond the limits."""
    vertices, triangles = join_parts(arranged.parts)
    in_frame = Similarity.of_bounds(vertices.min(axis=0), vertices.max(axis=0))
    learnt = Surface.of_triangles(in_frame.apply(vertices), triangles)
    x, y, z = (float(c) for c in np.asarray(in_frame.centre) * frame.unit + frame.origin)
    to_domain = Similarity((x, y, z), in_frame.scale / frame.unit)
    original = None
    if not report.is_unchanged:
        hides = bool(arranged.has_union or report.not_bounding)
        original, compared = (_surface(parts, in_frame, learnt if hides else None) for parts in (read, asked))
        volume = None
        if all(part.is_closed for part in read):
            volume = _volume_read(learnt, arranged, in_frame) / to_domain.scale**3
        unit = 1 / to_domain.scale
        change = measure_change(learnt, compared, name, unit, hides=hides, volume_read=volume)
        found = replace(change.comparison, unit_name=frame.unit_name)
        report = replace(report, change=replace(change, comparison=found))
    report = replace(report, crossing=_share_inside(learnt))
    if report.crossing:
        pairs = self_intersections(learnt.mesh)
        report = replace(report, n_crossings=None if pairs is None else len(pairs))
    _log(name, report, len(learnt.triangles))
    if options.mode == "strict" and report.change is not None:
        _require_within(name, report.change, report, Limits(**options.limits))
    return Solid(learnt, to_domain, original, report)


def _surface(parts: list[Part], in_frame: Similarity, solid: Surface | None) -> Surface:
    """Bring parts into the domain; what lies inside the solid is hidden, if one is given."""
    vertices, triangles = join_parts(parts)
    surface = Surface.of_triangles(in_frame.apply(vertices), triangles)
    return surface if solid is None else OuterSurface(surface.mesh, solid)


def _volume_read(learnt: Surface, arranged: Arranged, in_frame: Similarity) -> float:
    """Compute the volume of closed parts before their union, in the domain; by points if they met."""
    volume = sum(part.volume for part in arranged.parts) * in_frame.scale**3
    if not arranged.has_union:
        return volume
    vertices, triangles = join_parts(arranged.before)
    low, high = learnt.vertices.min(axis=0), learnt.vertices.max(axis=0)
    points = np.random.default_rng(0).uniform(low, high, (N_VOLUME, 3))
    before = TriangleIndex(in_frame.apply(vertices), triangles).contains(points)
    difference = float(before.mean() - learnt.index.contains(points).mean())
    return volume + difference * float((high - low).prod())


def _share_inside(learnt: Surface) -> float:
    """Estimate which share of a surface has the solid on both sides, where it crosses itself."""
    points, triangles = learnt.sample(N_CROSSING, np.random.default_rng(0))
    step = CLOSE * learnt.normals(triangles)
    share = float((learnt.index.contains(points + step) & learnt.index.contains(points - step)).mean())
    return share if share > UNSAID else 0.0


def _log(name: str, report: Report, n_faces: int) -> None:
    sentences = report.sentences()
    if not sentences:
        log.info("shape %s: watertight as it is, %s faces", name, f"{n_faces:,}")
    for sentence in sentences:
        log.warning("shape %s: %s", name, sentence)
    if report.change is not None:
        log.warning("shape %s: %s", name, report.change)


def _require_within(name: str, change: Change, report: Report, limits: Limits) -> None:
    beyond = change.beyond(limits)
    if beyond:
        done = "; ".join(report.sentences())
        raise ShapeError(
            f"shape {name}: to make it a solid changes it too much: {'; '.join(beyond)}. {done}. {change}. "
            "shape.repair=lenient accepts that, and each limit is a setting"
        )
