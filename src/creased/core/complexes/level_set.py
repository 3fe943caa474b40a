"""The level set of a network: vertices, edges, polygons and their provenance.

On a generic complex in three dimensions a level-set vertex lies on an edge of the complex (two rows and the
level), a level-set edge in a 2-face, a polygon in a region, where it is planar and convex. Polygons are
counter-clockwise seen from outside, outside being where the function is larger. In two dimensions the level
set is a set of polylines with the inside on their left; in other dimensions its skeleton is given.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from creased.core.arrangement.signs import RowLayout
from creased.core.complexes.audit import Audit, count_cells
from creased.core.complexes.polygons import Polygons
from creased.core.domains.domain import Domain
from creased.core.domains.essential import Essential
from creased.core.formatting import format_number_of
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tensors import map_tensors
from creased.core.program.program import Program
from creased.core.provenance import Provenance


@dataclass(frozen=True)
class LevelSet:
    """The set {f = level} in a domain; made by `extract_level_set`."""

    vertices: Tensor  # (V, D) floating, in the coordinates of the network's input; see `is_ray`
    zero_ids: Tensor  # (V, D) int32, ascending: the rows that vanish there; the last is the level's
    words: Tensor  # (V, W) int64: packed signs, bit 0 at the zero ids
    edges: Tensor  # (E, 2) int64; D = 2: directed, with the inside on the left
    edge_zero_ids: Tensor  # (E, D - 1) int32
    polygons: Polygons  # D = 3; else empty
    polygon_words: Tensor  # (F, W) int64: the sign vector of the region that holds the polygon
    polylines: Polygons  # D = 2: chains of vertices; a closed one does not repeat its first vertex
    function: Program  # a copy of the network, of which this is the zero set: one output, less the level
    layout: RowLayout  # how rows are numbered
    domain: Domain  # where it was looked for
    level: float
    output: int  # which output of the program
    provenance: Provenance  # how it was extracted, and what that proves
    part: Essential | None = None  # what this is the level set of, where directions were divided out

    @property
    def dim(self) -> int:
        """Ambient dimension D."""
        return self.vertices.shape[1]

    @property
    def guarantee(self) -> str:
        """A sentence about what extraction proves of completeness."""
        return self.provenance.guarantee

    @property
    def status(self) -> str:
        """A sentence about anything unusual; empty if there is nothing."""
        return self.provenance.status

    @property
    def is_complete(self) -> bool:
        """Whether it is proven that nothing in the domain is missing."""
        return self.provenance.is_complete

    @property
    def n_inconsistent(self) -> int:
        """Faces and polygons that rounding left open."""
        return self.provenance.n_inconsistent

    @property
    def is_empty(self) -> bool:
        """True if the level is not met in the domain."""
        return self.vertices.shape[0] == 0

    @cached_property
    @as_written
    def residual(self) -> Tensor:
        """Absolute values (V,) of f - level at the vertices, evaluated when first read; at rays the slope.

        For wide networks this takes up to a third of the time of a walk.
        """
        residual = self.function.outputs_at(self.vertices)[:, 0].abs()
        if self.layout.at_infinity:
            is_ray = self.is_ray()
            slopes = self.function.linear_part().outputs_at(self.vertices[is_ray])[:, 0]
            residual[is_ray] = slopes.abs()
        return residual

    def triangles(self) -> Tensor:
        """Triangles (T, 3) int64: each polygon as a fan from its first corner."""
        return self.polygons.triangles()[0]

    def activation_masks(self, words: Tensor | None = None) -> Tensor:
        """1 where a neuron is active at a vertex, else 0: (V, n_neurons), floating; 0 on its own crease.

        Args:
            words: packed signs (n, W) of some vertices alone.
        """
        words = self.words if words is None else words
        return self.layout.masks(words, self.vertices.dtype)

    def is_ray(self) -> Tensor:
        """True (V,) for vertices at infinity: their entry in ``vertices`` is a direction of unit length.

        Each has one edge, which is unbounded; an unbounded polygon goes from one ray to another, and its side
        between them is at infinity.
        """
        return self.layout.is_ray(self.zero_ids)

    @property
    def is_bounded(self) -> bool:
        """True if no vertex is at infinity."""
        return not bool(self.is_ray().any())

    def is_on_wall(self) -> Tensor:
        """True (V,) where a vertex lies on a wall of the domain; that of the whole space is at infinity."""
        return ((self.zero_ids >= 0) & (self.zero_ids < self.layout.n_walls)).any(dim=1)

    def audit(self) -> Audit:
        """Check the mesh from its polygons alone, once; see `creased.core.complexes.audit`."""
        return self._audit

    @cached_property
    def _audit(self) -> Audit:
        counts = asdict(count_cells(self.edges, self.polygons, self.vertices.shape[0], self.dim))
        n_rays = int(self.is_ray().sum())  # they bound edges, but are no points of the level set
        counts["euler_characteristic"] -= n_rays
        return Audit(
            **counts,
            dim=self.dim,
            n_wall_vertices=int(self.is_on_wall().sum()) - n_rays,
            n_inconsistent=self.n_inconsistent,
            max_residual=0.0 if self.is_empty else float(self.residual.max()),
        )

    def to(self, device: torch.device | str) -> LevelSet:
        """Move the level set to another device."""
        return map_tensors(self, lambda t: t.to(device))

    def to_trimesh(self) -> Any:
        """A `trimesh.Trimesh` of the fan triangles, vertices unmerged and in order; needs D = 3.

        Raises:
            ValueError: the level set is not a bounded surface in three dimensions.
            ImportError: trimesh is not installed.
        """
        if self.dim != 3:
            raise ValueError(f"LevelSet.to_trimesh: needs a surface in 3 dimensions, got D = {self.dim}")
        if not self.is_bounded:
            raise ValueError("LevelSet.to_trimesh: the level set is unbounded; extract it on a box")
        try:
            trimesh = import_module("trimesh")
        except ImportError as error:
            raise ImportError("LevelSet.to_trimesh needs trimesh: pip install 'creased[shapes]'") from error
        vertices = self.vertices.detach().cpu().double().numpy()
        return trimesh.Trimesh(vertices, self.triangles().cpu().numpy(), process=False)

    def __repr__(self) -> str:
        parts = [(self.vertices, "vertex", "vertices"), (self.edges, "edge", "")]
        counts = [format_number_of(len(found), one, several) for found, one, several in parts]
        counts += [str(self.polygons)] * (self.dim == 3)
        cells = "empty" if self.is_empty else ", ".join(counts)
        return f"level set f = {self.level:g} in {self.domain}: {cells}; {self.provenance}"
