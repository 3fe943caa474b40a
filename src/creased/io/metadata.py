"""Write metadata beside a mesh, `mesh.ply.json` beside `mesh.ply`: audit, provenance, transform, digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from creased.core.certificates.certify import Certificate
from creased.core.complexes.level_set import LevelSet
from creased.io.atomic_write import write_whole
from creased.io.export import Boundary
from creased.io.similarity import Similarity
from creased.io.single_precision import about_centre
from creased.io.units import parse_unit
from creased.meshes.mesh_audit import MeshAudit
from creased.meshes.polygon_mesh import PolygonMesh


@dataclass(frozen=True)
class Written:
    """A mesh that was written to a file, and how it was made."""

    path: Path  # of the mesh
    level_set: LevelSet  # its source
    audit: MeshAudit  # of the mesh in the file, after capping and decimation
    to_domain: Similarity  # from the file's coordinates to those of the domain
    boundary: Boundary  # the treatment of the boundary where walls cut the surface
    is_exact: bool = True  # False if it was decimated
    check: dict[str, Any] | None = None  # of `check_written`; None: not requested
    certificate: Certificate | None = None  # of the level set; None: not requested
    errors: dict[str, Any] | None = None  # of `creased.shapes.comparison`; None: not requested


def check_written(mesh: PolygonMesh, path: Path) -> dict[str, Any]:
    """Check a mesh in its file's precision: watertight by trimesh, self-intersections by open3d."""
    from creased.meshes.self_intersections import precision_of, self_intersections

    precision = precision_of(path)
    pairs = self_intersections(about_centre(mesh).mesh if path.suffix.lower() == ".glb" else mesh, precision)
    found = mesh.to_trimesh()
    return {
        "precision": precision,
        "n_triangles": len(found.faces),
        "is_watertight": bool(found.is_watertight and found.is_winding_consistent),
        "n_self_intersections": None if pairs is None else len(pairs),  # pairs; None: no open3d
    }


def format_check(check: dict[str, Any]) -> str:
    """Format a check as a sentence."""
    n = check["n_self_intersections"]
    crossing = "not checked without open3d" if n is None else f"{n} pairs of triangles" if n else "none"
    closed = "watertight and oriented" if check["is_watertight"] else "not watertight"
    return (
        f"checked in {check['precision']}: {check['n_triangles']:,} triangles, {closed}, "
        f"self-intersections: {crossing}"
    )


def certificate_as_dict(certificate: Certificate | None) -> dict[str, Any] | None:
    """Convert a certificate to plain values, None to None."""
    if certificate is None:
        return None
    return {"words": str(certificate), "is_certified": certificate.is_certified} | asdict(certificate)


def unit_beside(path: Path) -> str | None:
    """Read the unit of a mesh from the metadata beside it; None if it has none, or is of another mesh."""
    beside = path.with_name(f"{path.name}.json")
    if not beside.is_file():
        return None
    try:
        record = json.loads(beside.read_text())
        is_its = record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        return parse_unit(record["units"]) if is_its else None
    except (KeyError, TypeError, ValueError):
        return None


def write_metadata(written: Written) -> None:
    """Write the metadata of a mesh that is already in a file."""
    path, level_set = written.path, written.level_set
    record = {
        "is_exact": written.is_exact,
        "level": level_set.level,
        "output": level_set.output,
        "guarantee": level_set.guarantee,
        "is_complete": level_set.is_complete,
        "status": level_set.status,
        "boundary": written.boundary,
        "domain": {"lower": level_set.domain.lower, "upper": level_set.domain.upper},
        "audit": written.audit.as_dict(),
        "level_set_audit": level_set.audit().as_dict(),
        "certificate": certificate_as_dict(written.certificate),
        "check": written.check,
        "errors": written.errors,
    }
    write_beside(path, written.to_domain, record)


def write_beside(path: Path, to_domain: Similarity, record: Mapping[str, Any]) -> None:
    """Write a record beside a mesh in a file, with the file's digest, its coordinates and their unit."""
    default = "millimeter" if path.suffix.lower() == ".3mf" else "the user's own"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    whole = {
        "file": path.name,
        "sha256": digest,
        "to_domain": to_domain.as_dict() | {"formula": "(x - centre) * scale"},
        "units": to_domain.unit or default,
        **record,
    }
    write_whole(path.with_name(f"{path.name}.json"), (json.dumps(whole, indent=2) + "\n").encode())
