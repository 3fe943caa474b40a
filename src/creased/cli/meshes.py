"""`creased check MESH...` and `creased compare MESH SHAPE`: audits of meshes and distances between them."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from creased.core.domains.box import Box
from creased.extras import how_to_install
from creased.io.metadata import unit_beside
from creased.io.units import SHORT, UnitError, conversion, with_unit
from creased.meshes.polygon_mesh import PolygonMesh
from creased.meshes.self_intersections import self_intersections
from creased.render.camera import View
from creased.render.error_picture import error_panels, side_by_side
from creased.render.images import needs, save_png
from creased.shapes.comparison import Facts, compare, place_together
from creased.shapes.differences import find_differences
from creased.shapes.sources import File, ShapeError
from creased.shapes.sources.of_run import NAMED
from creased.shapes.thickness import measure_widths, thinnest

SOLID = "a solid"
UNKNOWN = f"not known to be a solid: open3d looks whether it crosses itself: {how_to_install('open3d')}"
DOMAIN = Box.cube(3, 0.5)


def check(chosen: argparse.Namespace) -> int:
    """Print for each file whether it is a solid, and why not; return 0 if all are, 1 otherwise."""
    are_solid = []
    for path in chosen.files:
        try:
            is_solid, report = check_mesh(*read_mesh(path))
        except ShapeError as error:
            print(f"creased: {error}", file=sys.stderr)
            is_solid = False
        else:
            print(f"{path}: {report}")
        are_solid.append(is_solid)
    return 0 if all(are_solid) else 1


def check_mesh(mesh: PolygonMesh, name: str | None) -> tuple[bool, str]:
    """Decide whether a mesh, in a unit of that name, is a solid, and report in lines what is known of it.

    A solid is closed, oriented outward and manifold, and no two of its triangles intersect; without open3d
    no mesh is known to be one.
    """
    surface, _, unit = place_together(mesh, mesh)
    audit, facts = surface.audit, Facts.of_surface(surface, unit)
    are_so = (audit.is_closed, audit.is_oriented, audit.is_manifold)
    faults = [answer for answer, is_so in zip(audit.answers(), are_so, strict=True) if not is_so]
    if facts.volume is not None and facts.volume <= 0:
        faults.append("inside out" if facts.volume < 0 else "without an inside")
    pairs = self_intersections(surface.mesh)
    crossing = "not looked for without open3d" if pairs is None else f"{len(pairs):,}" if len(pairs) else "no"
    if pairs is not None and len(pairs):
        faults.append("crosses itself")
    verdict = f"not a solid: {', '.join(faults)}" if faults else UNKNOWN if pairs is None else SOLID
    lines = [verdict, str(audit), format_size(facts, name)]
    if facts.volume:
        walls = thinnest(measure_widths(surface, np.random.default_rng(0))[0]) * unit
        lines[-1] += f", walls from {with_unit(f'{walls:.3g}', name)}" if np.isfinite(walls) else ""
    lines.append(f"pairs of triangles that intersect: {crossing}")
    return verdict == SOLID, "\n  ".join(lines)


def compare_files(chosen: argparse.Namespace) -> int:
    """Print distances, topologies and sizes of two meshes; return 1 if they differ, 0 otherwise."""
    if chosen.out is not None:
        needs("PIL")
        needs("matplotlib")
    (mesh, its), (shape, theirs) = map(read_mesh, (chosen.mesh, chosen.shape))
    if its and theirs:
        mesh = PolygonMesh(mesh.vertices * conversion(its, theirs), mesh.polygons)
    elif its or theirs:
        known, other = (chosen.mesh, chosen.shape) if its else (chosen.shape, chosen.mesh)
        unit_known = f"{known} is in {SHORT[its or theirs or '']}, the unit of {other} is not known"
        print(f"note: {unit_known}: numbers are compared as they are")
    name = theirs or its
    if chosen.within is not None and chosen.within.unit and name is None:
        raise UnitError("--within: neither mesh states its unit: give a number in the units of the meshes")
    within = None if chosen.within is None else chosen.within.within(name)
    here, there, unit = place_together(mesh, shape)
    found = compare(here, there, chosen.shape.name, unit, np.random.default_rng(0), within=within)
    found = replace(found, unit_name=name)
    differences = find_differences(found)
    print(f"{chosen.mesh}: {format_topology(found.mesh)}; {format_size(found.mesh, name)}")
    print(f"{chosen.shape}: {format_topology(found.reference)}; {format_size(found.reference, name)}")
    print(found)
    for difference in differences:
        print(f"they differ: {difference}")
    if not differences:
        print(f"no difference within {with_unit(f'{found.tolerance:.3g}', name)}")
    if chosen.out is not None:
        view = View(chosen.azimuth, up=chosen.up)
        picture = side_by_side(error_panels(here, there, found, domain=DOMAIN, view=view, unit=name))
        save_png(picture, chosen.out)
        print(f"{chosen.out}: both, and the distances between them")
    return 1 if differences else 0


def read_mesh(path: Path) -> tuple[PolygonMesh, str | None]:
    """Read the triangles of a mesh file, of a run folder's mesh, or of a shape by its name, and their unit.

    The unit is that which the file states, or that was written beside it; None: it is not known.

    Raises:
        ShapeError: there is no such file, it cannot be read, or a vertex is not finite.
    """
    if path.is_dir() and not (path / "mesh.ply").is_file():
        raise ShapeError(f"{path} is a folder without a mesh.ply, and not that of a run")
    file = path / "mesh.ply" if path.is_dir() else path
    named = None if path.exists() else NAMED.get(str(path))
    mesh = (named or File(str(file)))()
    if not np.isfinite(mesh.vertices).all():
        raise ShapeError(f"{path} has vertices at NaN or infinity")
    if not np.ptp(mesh.vertices, axis=0).any():
        raise ShapeError(f"{path} has all its vertices in one point")
    return PolygonMesh.of_triangles(mesh.vertices, mesh.faces), mesh.metadata.get("unit") or unit_beside(file)


def format_topology(facts: Facts) -> str:
    """Format the topology of a surface."""
    is_closed = "closed" if facts.is_closed else "not closed"
    return (
        f"{is_closed}, {facts.n_components} component(s), Euler characteristic {facts.euler_characteristic}"
    )


def format_size(facts: Facts, unit: str | None) -> str:
    """Format the extent, the area and, of a closed surface, the volume, with the unit where it is known."""
    sides = with_unit(" x ".join(f"{side:.4g}" for side in facts.extent), unit)
    volume = "" if facts.volume is None else f", volume {with_unit(f'{facts.volume:.5g}', unit, 3)}"
    return f"{sides}, area {with_unit(f'{facts.area:.5g}', unit, 2)}{volume}"
