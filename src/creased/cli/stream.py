"""`creased extract --stream`: a mesh larger than memory, written sub-box by sub-box."""

from __future__ import annotations

import argparse
import sys
import time

import torch

from creased.cli.progress import clear_progress, show_progress
from creased.cli.values import in_bytes, level_of
from creased.core.domains.box import Box
from creased.io.checkpoint import Record
from creased.io.export import ExportError
from creased.io.metadata import write_beside
from creased.io.similarity import Similarity
from creased.io.stream import stream_level_set

ITS_OWN = {
    "method": ("auto", "march"),
    "degeneracy": ("perturb",),
    "dtype": ("float64",),
    "boundary": ("open",),
}
OF_HELD_MESHES = ("against", "triangles", "decimate", "check", "complete", "budget", "exact", "certify")


def stream(record: Record, chosen: argparse.Namespace, to_domain: Similarity) -> None:
    """Stream a level set to a file, write its metadata, and print what was found.

    Raises:
        ExportError: another option needs the whole mesh, or the mesh cannot be written.
    """
    _refuse_others(record, chosen)
    torch.set_num_threads(max(chosen.threads, 1))
    is_watched, level, start = sys.stderr.isatty(), level_of(record, chosen), time.perf_counter()
    made = stream_level_set(
        record.program,
        record.domain,
        chosen.out,
        level,
        to_domain=to_domain,
        output=chosen.output,
        memory=in_bytes(chosen.memory),
        progress=show_progress if is_watched else None,
    )
    if is_watched:
        clear_progress()
    found = made.provenance
    known = {
        "is_exact": True,
        "level": level,
        "output": chosen.output,
        "guarantee": found.guarantee,
        "is_complete": found.is_complete,
        "status": found.status,
        "boundary": "open",
        "domain": {"lower": record.domain.lower, "upper": record.domain.upper},
        "audit": made.audit_as_dict(),
    }
    write_beside(chosen.out, to_domain, known)
    print(made)
    print(f"{found.guarantee}; {time.perf_counter() - start:.2f} s")
    if found.status:
        print(f"note: {found.status}")


def _refuse_others(record: Record, chosen: argparse.Namespace) -> None:
    given = [f"--{name}" for name in OF_HELD_MESHES if getattr(chosen, name)]
    given += [
        f"--{name} {getattr(chosen, name)}"
        for name, may in ITS_OWN.items()
        if getattr(chosen, name) not in may
    ]
    if given:
        raise ExportError(f"--stream: {given[0]} needs the whole mesh in memory: leave one of them out")
    if not isinstance(record.domain, Box):
        raise ExportError("--stream: sub-boxes are parts of a box: leave --slice out")
