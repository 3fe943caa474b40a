"""Extract a level set that is larger than memory, sub-box by sub-box, and write it to a file.

Finished sub-boxes are kept in a folder beside the file until that is written: what was interrupted goes on
with them. See `creased.core.streaming`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, Unpack

import torch
from torch import Tensor

from creased.api import at_level
from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.polygons import Polygons
from creased.core.domains.box import Box
from creased.core.drivers import seeds_of
from creased.core.memory_estimate import expect
from creased.core.numerics.memory import Resources
from creased.core.numerics.surroundings import as_written
from creased.core.options import options_of, require_level
from creased.core.program.combine import select
from creased.core.program.program import Program
from creased.core.provenance import Completeness, Finding, Method, Note, Provenance, WalkCounts
from creased.core.streaming.piece import join
from creased.core.streaming.sub_box_grid import SubBoxGrid
from creased.core.streaming.walk_in_parts import TooLargeError, walk_in_parts
from creased.core.subdivision.problem import Numbers, SubdivisionProblem, make_problem
from creased.core.subdivision.sub_boxes import PLACES
from creased.io.atomic_write import replacing
from creased.io.export import TEXT_FORMATS, ExportError, TextFormat
from creased.io.similarity import Similarity
from creased.io.sub_box_folder import SubBoxFolder
from creased.networks.as_program import Network

FEWEST = 256  # cells of a sub-box that is divided because they are too many


@dataclass(frozen=True)
class StreamedMesh:
    """A mesh that was written without being held: its counts, and how it was made."""

    path: Path
    n_vertices: int
    n_edges: int
    n_faces: int
    n_parts: int  # sub-boxes that the level set meets
    is_closed: bool  # every edge has a polygon on each side, in opposite directions
    max_residual: float  # the largest |f - level| at every 16th vertex
    provenance: Provenance

    @property
    def euler_characteristic(self) -> int:
        """V - E + F."""
        return self.n_vertices - self.n_edges + self.n_faces

    def audit_as_dict(self) -> dict[str, Any]:
        """Plain values, under the names of `creased.meshes.mesh_audit`."""
        return {
            "n_polygons": self.n_faces,
            "n_vertices": self.n_vertices,
            "n_edges": self.n_edges,
            "is_closed": self.is_closed,
            "euler_characteristic": self.euler_characteristic,
        }

    def __repr__(self) -> str:
        closed = "closed and oriented" if self.is_closed else "open"
        return (
            f"{self.path}: {self.n_vertices:,} vertices, {self.n_edges:,} edges, {self.n_faces:,} faces from "
            f"{self.n_parts:,} sub-boxes: {closed}, Euler characteristic {self.euler_characteristic}; "
            f"max |f - level| {self.max_residual:.1e}"
        )


class StreamKeywords(TypedDict, total=False):
    """Keywords of `extract_level_set` that streaming takes too."""

    output: int
    seeds: int | Tensor | LevelSet
    memory: int | None
    device: torch.device | str | None
    progress: Callable[[str], None] | None


@as_written
def stream_level_set(
    network: Network,
    box: Box,
    path: str | Path,
    level: float = 0.0,
    *,
    to_domain: Similarity | None = None,
    per_axis: int | None = None,
    **keywords: Unpack[StreamKeywords],
) -> StreamedMesh:
    """Walk a level set in sub-boxes, and write it as a mesh of polygons: {f = level} in a box, D = 3.

    It has the vertices and polygons of `creased.extract_level_set` with ``method="march"``, in another order.
    What is held at a time is one sub-box, and the corners of polygons between them. Sub-boxes are made
    smaller, and all is begun anew, where one does not fit. In a folder ``PATH.parts`` finished ones are kept,
    each written whole or not at all; a call with the same network, box, level and seeds goes on with them,
    and the folder is removed when the mesh is written.

    Args:
        network: what to extract; not one on a grid, see `creased.parallel`.
        box: where.
        path: of the file, .ply or .obj; missing folders are created.
        level: the value of the output.
        to_domain: as of `creased.save`.
        per_axis: sub-boxes an axis to begin with; by default as many as the network is expected to need.
        **keywords: ``output``, ``seeds``, ``device`` and ``progress`` as of `creased.extract_level_set`;
            ``memory``: bytes that the walk of a sub-box may take, by default what is free.

    Raises:
        ValueError: the network has not three inputs, is on a grid, or lacks the output.
        ExportError: the ending is another, there is no surface, or the folder has sub-boxes of other calls.
        CellLimitError: the memory is too small for a walk.
        OSError: a file cannot be written; finished sub-boxes are kept.
    """
    path, options = Path(path), options_of("stream_level_set", keywords, StreamKeywords)
    resources, output = options.resources, options.output
    text = TEXT_FORMATS.get(path.suffix.lower())
    if text is None:
        raise ExportError(f"cannot stream to {path}: give it one of the endings {', '.join(TEXT_FORMATS)}")
    if per_axis is not None and per_axis < 1:
        raise ValueError(f"stream_level_set: per_axis must be 1 or more, got {per_axis}")
    program, level = at_level(network, level, output)
    require_level("stream_level_set", program, level, output)
    if program.in_dim != 3 or program.grid is not None:
        raise ValueError("stream_level_set: needs a network of three inputs without a grid")
    program = select(program, output)
    problem = make_problem(program, box, level, Numbers(torch.float64), resources, prune=True)
    found = seeds_of(problem, options.march.seeds)
    memory = resources.memory_on(problem.program.device) or math.inf
    folder = SubBoxFolder(path.with_name(f"{path.name}.parts"), _digest(program, box, level, found))
    n_bytes = expect(program, box.n_walls, Method.MARCH).n_bytes
    n = folder.n or per_axis or max(math.ceil(math.sqrt(n_bytes / memory)), 1)
    while not _is_walked(problem, SubBoxGrid(box, n, PLACES[0]), found, resources, folder):
        n *= 2
    counts = WalkCounts(len(found), sum(piece.n_cells for piece in folder.values()))
    start = replace(problem.provenance, method=Method.MARCH, completeness=Completeness.SEEDED, walk=counts)
    made = _write(folder, path, text, to_domain or Similarity.identity(), problem.rows.layout.n_rows, start)
    folder.remove()
    return made


def _is_walked(
    problem: SubdivisionProblem, grid: SubBoxGrid, seeds: Tensor, resources: Resources, folder: SubBoxFolder
) -> bool:
    """Walk all sub-boxes; False if one is too large."""
    folder.begin(grid.n)
    try:
        walk_in_parts(problem, grid, seeds, resources, folder)
    except TooLargeError as error:
        if error.n_cells < FEWEST:
            raise
        resources.report(f"of {grid.n} sub-boxes an axis one is too large: {error}")
        return False
    return True


def _digest(program: Program, box: Box, level: float, seeds: Tensor) -> str:
    buffer = BytesIO()
    torch.save([tensor.cpu() for tensor in (*program.tensors(), seeds)], buffer)
    return hashlib.sha256(f"{box} {level!r}".encode() + buffer.getvalue()).hexdigest()


class _Tally(NamedTuple):
    """Sums over polygons."""

    n_sides: int = 0
    check: int = 0  # of all sides, hashed, with a sign for their direction: 0 if each has its opposite

    def add(self, polygons: Polygons) -> _Tally:
        """Add those of more polygons, their vertices counted over all."""
        tails, heads = polygons.indices, polygons.heads()
        mixed = torch.minimum(tails, heads) * -0x61C8864680B583EB + torch.maximum(tails, heads)
        for factor in (-0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15):  # of splitmix64
            mixed = (mixed ^ (mixed >> 29)) * factor
        check = int((torch.where(tails < heads, 1, -1) * (mixed ^ (mixed >> 32))).sum())
        return _Tally(self.n_sides + len(tails), self.check + check)


def _write(
    pieces: SubBoxFolder,
    path: Path,
    text: TextFormat,
    to_domain: Similarity,
    n_rows: int,
    provenance: Provenance,
) -> StreamedMesh:
    """Write the vertices of all pieces, their polygons, and those between them."""
    cut, n_vertices, n_faces, n_wall_sides, n_inconsistent, residual = [], 0, 0, 0, 0, 0.0
    for piece in pieces.values():
        cut.append(piece.cut + piece.cut.new_tensor([0, 0, 0, 0, n_vertices]))
        n_vertices, n_faces = n_vertices + len(piece.vertices), n_faces + len(piece.sizes)
        n_wall_sides += piece.n_wall_sides
        n_inconsistent += piece.n_inconsistent
        residual = max(residual, float(piece.residual))
    if not n_vertices:
        pieces.remove()
        raise ExportError(f"cannot write {path}: no point was found where the function takes the value")
    joined, n_lost = join(torch.cat(cut), n_rows)
    n_faces += joined.n
    tally, first = _Tally().add(joined), 0
    with replacing(path) as file:
        file.write(text.format_header(n_vertices, n_faces).encode())
        for piece in pieces.values():
            file.write(text.format_vertices(to_domain.invert(piece.vertices)).encode())
        for piece in pieces.values():
            polygons = Polygons.of_sizes(piece.sizes, piece.corners + first)
            file.write(text.format_polygons(polygons).encode())
            tally, first = tally.add(polygons), first + len(piece.vertices)
        file.write(text.format_polygons(joined).encode())
    provenance = provenance.inconsistent(n_inconsistent + n_lost)
    if n_wall_sides:
        note = Note(Finding.CUT_BY_WALLS, f"cut open by the domain's walls along {n_wall_sides} edges")
        provenance = provenance.noting(note)
    return StreamedMesh(
        path=path,
        n_vertices=n_vertices,
        n_edges=(tally.n_sides + n_wall_sides) // 2,
        n_faces=n_faces,
        n_parts=len(cut),
        is_closed=tally.check % 2**64 == 0,
        max_residual=residual,
        provenance=provenance,
    )
