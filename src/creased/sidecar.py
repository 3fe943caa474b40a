"""What is known of a mesh, as a JSON file beside it: `mesh.json` beside `mesh.ply`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from creased.core.level_set import LevelSet
from creased.files import write_whole
from creased.geometry.polygon_mesh import PolygonMesh
from creased.self_intersections import precision_of, self_intersections
from creased.similarity import Similarity


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


def say_check(check: dict[str, Any]) -> str:
    """A check in words."""
    n = check["n_self_intersections"]
    crossing = "not looked for, without open3d" if n is None else f"{n} pairs of triangles" if n else "none"
    closed = "watertight and oriented" if check["is_watertight"] else "not watertight"
    return (
        f"checked in {check['precision']}: {check['n_triangles']:,} triangles, {closed}, "
        f"self-intersections: {crossing}"
    )


def write_sidecar(
    level_set: LevelSet,
    path: Path,
    to_domain: Similarity,
    boundary: str,
    check: dict[str, Any] | None = None,
    *,
    is_exact: bool = True,
) -> Path:
    """Write what is known of a mesh that is already in a file, and return where.

    Args:
        level_set: of which the mesh was made.
        path: of the mesh.
        to_domain: from the coordinates in the file to those of the domain.
        boundary: how it was treated; see `creased.export`.
        check: of `check_written`; None if it was not asked for.
        is_exact: False where the mesh was decimated.
    """
    record = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "is_exact": is_exact,
        "level": level_set.level,
        "output": level_set.output,
        "guarantee": level_set.guarantee,
        "is_complete": level_set.is_complete,
        "status": level_set.status,
        "boundary": boundary,
        "domain": {"lower": level_set.domain.lower, "upper": level_set.domain.upper},
        "to_domain": to_domain.as_dict() | {"formula": "(x - centre) * scale"},
        "units": "millimeter" if path.suffix.lower() == ".3mf" else "the user's own",
        "audit": level_set.audit().as_dict(),  # of the level set in the domain, before any cap
        "check": check,
    }
    beside = path.with_suffix(".json")
    write_whole(beside, (json.dumps(record, indent=2) + "\n").encode())
    return beside
