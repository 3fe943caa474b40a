"""`creased extract FILE --out mesh.ply`: extract, write the mesh and its metadata, report the checks."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from creased.cli.progress import clear_progress, show_progress
from creased.cli.stream import stream
from creased.cli.values import in_bytes, level_of
from creased.core.certificates.certify import Certificate, certify
from creased.core.complexes.level_set import LevelSet
from creased.core.extract_level_set import extract_level_set
from creased.core.memory_estimate import format_expected
from creased.core.options import LevelSetKeywords, options_of
from creased.io.checkpoint import Record
from creased.io.curves import CURVE_WRITERS, curves_of, write_curves
from creased.io.export import WITH_UNIT, ExportError, mesh_to_write, require_writer, write_mesh
from creased.io.metadata import Written, check_written, format_check, write_metadata
from creased.io.similarity import Similarity
from creased.meshes.decimation import decimate
from creased.meshes.mesh_audit import audit_mesh
from creased.meshes.polygon_mesh import PolygonMesh

if TYPE_CHECKING:
    from creased.shapes.comparison import Comparison

log = logging.getLogger(__name__)


def extract(record: Record, chosen: argparse.Namespace) -> None:
    """Extract a level set, write it with its metadata, and print what was checked and proven.

    Raises:
        ValueError: the options contradict each other, or the mesh cannot be written; the message says why.
    """
    if record.program.in_dim == 2:
        _extract_curves(record, chosen)
        return
    to_domain = _file_coordinates(record, chosen)
    in_unit = replace(record, to_domain=record.to_domain.in_unit(chosen.unit))
    if chosen.stream:
        stream(in_unit, chosen, to_domain)
        return
    require_writer(chosen.out)
    if chosen.certify and chosen.degeneracy == "contract":
        raise ValueError(
            "--certify: certificates are of perturbed level sets: leave --degeneracy contract out"
        )
    measure = _measure_against(record, chosen)
    start = time.perf_counter()
    level_set = _level_set(in_unit, chosen)
    seconds = time.perf_counter() - start
    certificate = certify(level_set, record.program) if chosen.certify else None
    mesh = _write(level_set, record, to_domain, chosen)
    in_domain = PolygonMesh(to_domain.apply(mesh.vertices), mesh.polygons)
    compared = measure(in_domain) if measure else None
    written = Written(
        path=chosen.out,
        level_set=level_set,
        audit=audit_mesh(mesh),
        to_domain=to_domain,
        boundary=chosen.boundary,
        is_exact=chosen.decimate is None,
        certificate=certificate,
        check=check_written(mesh, chosen.out) if chosen.check else None,
        errors=compared.as_dict() if compared else None,
    )
    _evaluate(level_set)
    write_metadata(written)
    print("\n".join(_report(written, compared)))
    _print_guarantee(level_set, seconds, certificate)


def _write(
    level_set: LevelSet, record: Record, to_domain: Similarity, chosen: argparse.Namespace
) -> PolygonMesh:
    """Make the mesh that the options ask for, write it, and return it.

    Raises:
        ValueError: it cannot be written.
    """
    failure = f"cannot write {chosen.out}"
    mesh = mesh_to_write(level_set, to_domain, chosen.boundary, failure, record.program)
    if chosen.decimate is not None:
        mesh = decimate(mesh, chosen.decimate)
    if chosen.triangles:
        mesh = mesh.triangulated()
    if loss := write_mesh(mesh, chosen.out, to_domain.unit):
        log.warning("%s", loss)
    return mesh


def _print_guarantee(level_set: LevelSet, seconds: float, certificate: Certificate | None) -> None:
    """Print what is proven of a level set, and what is to be noted of it."""
    print(f"{level_set.guarantee}; {seconds:.2f} s")
    if certificate is not None:
        print(certificate)
    if level_set.status:
        print(f"note: {level_set.status}")


def _extract_curves(record: Record, chosen: argparse.Namespace) -> None:
    """Extract and write the curves of a network of two inputs.

    Raises:
        ValueError: an option is of meshes alone, or the curves cannot be written.
    """
    if chosen.out.suffix.lower() not in CURVE_WRITERS:
        raise ExportError(f"cannot write curves to {chosen.out}: they are {', '.join(CURVE_WRITERS)}")
    names = ("against", "triangles", "decimate", "check", "unit", "stream")
    given = [f"--{name}" for name in names if getattr(chosen, name)]
    if given or chosen.boundary != "open":
        raise ExportError(
            f"{(*given, '--boundary')[0]}: of surfaces alone, and a network of two inputs has curves"
        )
    start = time.perf_counter()
    level_set = _level_set(record, chosen)
    seconds = time.perf_counter() - start
    curves = curves_of(level_set)
    write_curves(curves, chosen.out)
    n_closed = sum(curve.is_closed for curve in curves)
    print(f"{chosen.out}: {len(curves):,} curves, {n_closed:,} closed, {len(level_set.vertices):,} vertices")
    _print_guarantee(level_set, seconds, certify(level_set, record.program) if chosen.certify else None)


def _file_coordinates(record: Record, chosen: argparse.Namespace) -> Similarity:
    """Return the map from the coordinates of the file, in the unit of --unit, to the domain.

    Raises:
        ExportError: the run does not know its unit, and the format states none.
    """
    to_domain = record.to_domain if chosen.coordinates == "user" else Similarity.identity()
    is_used = chosen.out.suffix.lower() in WITH_UNIT or (chosen.offset is not None and chosen.offset.unit)
    if chosen.unit is not None and to_domain.unit is None and not is_used:
        raise ExportError(
            f"cannot write {chosen.out} in {chosen.unit}: the unit of the coordinates is not known, and only "
            f"{' and '.join(WITH_UNIT)} state one: leave --unit out"
        )
    return to_domain.in_unit(chosen.unit)


def _level_set(record: Record, chosen: argparse.Namespace) -> LevelSet:
    torch.set_num_threads(max(chosen.threads, 1))
    is_watched = sys.stderr.isatty()
    keywords: LevelSetKeywords = {
        "output": chosen.output,
        "method": chosen.method,
        "degeneracy": chosen.degeneracy,
        "exact": chosen.exact,
        "complete": chosen.complete,
        "budget": chosen.budget,
        "memory": in_bytes(chosen.memory),
        "dtype": getattr(torch, chosen.dtype),
        "progress": show_progress if is_watched else None,
    }
    print(format_expected(record.program, record.domain, options_of("extract", keywords)), flush=True)
    level_set = extract_level_set(record.program, record.domain, level_of(record, chosen), **keywords)
    if is_watched:
        clear_progress()
    return level_set


def _evaluate(level_set: LevelSet) -> None:
    """Evaluate the function at all vertices now, and say so: of wide networks it takes a while."""
    if sys.stderr.isatty():
        show_progress(f"evaluating f at {len(level_set.vertices):,} vertices")
    _ = level_set.residual  # is kept for the audit
    if sys.stderr.isatty():
        clear_progress()


def _report(written: Written, compared: Comparison | None) -> list[str]:
    """Format what was written and how it was checked, as lines."""
    changes = []
    if written.boundary == "cap" and bool(written.level_set.is_on_wall().any()):
        changes.append("capped along the walls")
    if not written.is_exact:
        changes.append("decimated, no longer exact")
    how = f" ({', '.join(changes)})" if changes else ""
    lines = [f"{written.path}{how}: {written.audit}"]
    if written.check:
        lines.append(format_check(written.check))
    if compared:
        lines.append(str(compared))
    found = written.level_set.audit()
    if changes:
        return [*lines, f"the level set before that: {found}"]
    return [*lines, f"max |f - level| at its vertices {found.max_residual:.1e}"]


def _measure_against(
    record: Record, chosen: argparse.Namespace
) -> Callable[[PolygonMesh], Comparison] | None:
    """Load the mesh of --against; return the function that compares a mesh in the domain with it.

    Raises:
        ValueError: there is no such mesh, or it cannot be read.
    """
    if chosen.against is None:
        return None
    from creased.shapes.comparison import compare_in_place
    from creased.shapes.sources import File, source_of_run

    to_domain = record.to_domain
    if chosen.against == "shape":
        source, name = source_of_run(chosen.file)
    elif not Path(chosen.against).is_file():
        raise ExportError(f"--against: there is no file {chosen.against}")
    else:
        source, name = File(chosen.against), Path(chosen.against).name
    found = source()  # read now, so that an unreadable file is refused before any work
    reference = PolygonMesh.of_triangles(found.vertices, found.faces)
    if chosen.against != "shape":  # the file may be in another unit than the run
        to_domain = to_domain.in_unit(found.metadata["unit"])

    def measure(mesh: PolygonMesh) -> Comparison:
        here = PolygonMesh(to_domain.invert(mesh.vertices), mesh.polygons)
        return replace(compare_in_place(here, reference, name), unit_name=to_domain.unit)

    return measure
