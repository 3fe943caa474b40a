"""`creased parts FILE --out parts.glb`: the inside of a level set as convex parts, or as tetrahedra."""

from __future__ import annotations

import argparse
import time

from creased.cli.values import in_bytes, level_of
from creased.decomposition import convex_parts, tetrahedra
from creased.decomposition.convex_parts import PartsKeywords
from creased.io.bodies import TETRAHEDRA_FORMATS, save_parts, save_tetrahedra
from creased.io.bodies.part_files import require_part_writer
from creased.io.checkpoint import Record
from creased.io.export import ExportError


def write_parts(record: Record, chosen: argparse.Namespace) -> None:
    """Divide the inside, write it, and print what was written.

    Raises:
        ValueError: it cannot be divided or written as asked; the message says why.
    """
    if record.program.in_dim != 3:
        raise ExportError(f"parts takes networks of three inputs, got {record.program.in_dim}")
    is_mesh = chosen.out.suffix.lower() in TETRAHEDRA_FORMATS
    if not is_mesh:
        require_part_writer(chosen.out)
    elif chosen.error is not None:
        raise ExportError(f"--error is of convex parts, and {chosen.out} would hold tetrahedra")
    keywords: PartsKeywords = {"output": chosen.output, "memory": in_bytes(chosen.memory), "progress": print}
    if chosen.max_cells is not None:
        keywords["max_cells"] = chosen.max_cells
    to_domain, level = record.to_domain.in_unit(chosen.unit), level_of(record, chosen)
    start = time.perf_counter()
    if is_mesh:
        mesh = tetrahedra(record.program, record.domain, level, **keywords)
        save_tetrahedra(mesh, chosen.out, to_domain)
        print(f"{chosen.out}: {mesh}, in units of the domain; {time.perf_counter() - start:.2f} s")
        return
    error = 0.0 if chosen.error is None else chosen.error.within(to_domain.unit) * to_domain.scale
    found = convex_parts(record.program, record.domain, level, error, **keywords)
    save_parts(found, chosen.out, to_domain, chosen.density)
    print(f"{chosen.out}: {found}, in units of the domain; {time.perf_counter() - start:.2f} s")
