"""What is known of a mesh, as a JSON file beside it: `mesh.ply.json` beside `mesh.ply`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from creased.core.certificates.certify import Certificate
from creased.core.complexes.level_set import LevelSet
from creased.io.atomic_write import write_whole
from creased.io.export import Boundary
from creased.io.similarity import Similarity
from creased.meshes.mesh_audit import MeshAudit
from creased.meshes.polygon_mesh import PolygonMesh
from creased.meshes.self_intersections import precision_of, self_intersections


@dataclass(frozen=True)
class Written:
    """A mesh in a file, and how it came there."""

    path: Path  # of the mesh
    level_set: LevelSet  # of which it was made
    audit: MeshAudit  # of the mesh as it is in the file, capped or decimated
    to_domain: Similarity  # from the coordinates in the file to those of the domain
    boundary: Boundary  # how it was treated where walls cut it
    is_exact: bool = True  # False where it was decimated
    unit: str | None = None  # of a 3MF file; None: the millimetre
    check: dict[str, Any] | None = None  # of `check_written`; None if it was not asked for
    certificate: Certificate | None = None  # of the level set; None if it was not asked for
    errors: dict[str, Any] | None = None  # of `creased.shapes.error_report`; None if it was not asked for


def check_written(mesh: PolygonMesh, path: Path) -> dict[str, Any]:
    """Whether the mesh as its file holds it is watertight (trimesh), and meets itself (open3d)."""
    pairs = self_intersections(mesh, precision_of(path))
    found = mesh.to_trimesh()
    return {
        "precision": precision_of(path),
        "n_triangles": len(found.faces),
        "is_watertight": bool(found.is_watertight and found.is_winding_consistent),
        "n_self_intersections": None if pairs is None else len(pairs),  # pairs; None: open3d is not there
    }


def format_check(check: dict[str, Any]) -> str:
    """A check in words."""
    n = check["n_self_intersections"]
    crossing = "not looked for, without open3d" if n is None else f"{n} pairs of triangles" if n else "none"
    closed = "watertight and oriented" if check["is_watertight"] else "not watertight"
    return (
        f"checked in {check['precision']}: {check['n_triangles']:,} triangles, {closed}, "
        f"self-intersections: {crossing}"
    )


def certificate_as_dict(certificate: Certificate | None) -> dict[str, Any] | None:
    """A certificate in plain values; None where there is none."""
    if certificate is None:
        return None
    return {"words": str(certificate), "is_certified": certificate.is_certified} | asdict(certificate)


def write_sidecar(written: Written) -> Path:
    """Write what is known of a mesh that is already in a file, and return where."""
    path, level_set = written.path, written.level_set
    record = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "is_exact": written.is_exact,
        "level": level_set.level,
        "output": level_set.output,
        "guarantee": level_set.guarantee,
        "is_complete": level_set.is_complete,
        "status": level_set.status,
        "boundary": written.boundary,
        "domain": {"lower": level_set.domain.lower, "upper": level_set.domain.upper},
        "to_domain": written.to_domain.as_dict() | {"formula": "(x - centre) * scale"},
        "units": (written.unit or "millimeter") if path.suffix.lower() == ".3mf" else "the user's own",
        "audit": written.audit.as_dict(),
        "level_set_audit": level_set.audit().as_dict(),
        "certificate": certificate_as_dict(written.certificate),
        "check": written.check,
        "errors": written.errors,
    }
    beside = path.with_name(f"{path.name}.json")
    write_whole(beside, (json.dumps(record, indent=2) + "\n").encode())
    return beside
