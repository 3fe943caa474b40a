"""The polyhedral complex of a network on a domain: vertices, edges and their codes.

Cells of higher dimension are not stored. On a generic complex they can be read off: each vertex lies on D
rows, and moving k of its zeros to + or - names the k-cells around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cells import CellsAround, number_regions
from creased.core.arrangement.cofaces import arrange
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.orthants import own_vertices
from creased.core.arrangement.signs import RowLayout, sign_vectors
from creased.core.arrangement.skeleton import Skeleton, own_edges
from creased.core.complexes.regions import Regions
from creased.core.complexes.unperturbed import TrueCells
from creased.core.domains.domain import Domain
from creased.core.domains.essential import Essential
from creased.core.formatting import format_number_of, require_kind
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tensors import map_tensors
from creased.core.provenance import Provenance

MOST_KEYS = 3_000_000  # about as many as are sorted to print an f-vector


class Own(NamedTuple):
    """Cells that belong to a piece."""

    vertices: Tensor  # (V,) bool
    edges: Tensor  # (E,) bool


@dataclass(frozen=True)
class PolyhedralComplex:
    """The domain cut by every hidden neuron and, unless left out, by the zero set of each output."""

    vertices: Tensor  # (V, D) floating; where the domain is unbounded see `is_ray`
    zero_ids: Tensor  # (V, D) int32: rows that vanish at the vertex, ascending
    words: Tensor  # (V, W) int64: packed signs, bit 0 at the zero ids
    edges: Tensor  # (E, 2) int32
    edge_zero_ids: Tensor  # (E, D - 1) int32
    layout: RowLayout  # how rows are numbered
    domain: Domain
    provenance: Provenance  # how it was extracted
    corners: Tensor | None = None  # (V, 2^D) int32, see `arrangement.orthants`; only where this is a piece
    true: TrueCells | None = None  # the cells unperturbed, where ``degeneracy="contract"`` was asked for
    own: Own | None = None  # the same where this is a piece of a complex on a grid
    counts: tuple[int, ...] | None = None  # cells by dimension, where vertices do not tell them: on a grid
    regions: Regions | None = None  # there, too, of a whole complex
    part: Essential | None = None  # what this is the complex of, where directions were divided out

    @property
    def status(self) -> str:
        """A sentence about anything unusual; empty if there is nothing."""
        return self.provenance.status

    @property
    def is_whole(self) -> bool:
        """False where extraction was given up before it took more memory than allowed."""
        return self.provenance.is_whole

    @property
    def is_piece(self) -> bool:
        """True for a piece of a larger complex; see `stream_complex`."""
        return self.corners is not None or self.own is not None

    @property
    def n_inconsistent(self) -> int:
        """2-faces that rounding left with other than two cuts; 0 on generic networks."""
        return self.provenance.n_inconsistent

    @property
    def dim(self) -> int:
        """Ambient dimension D."""
        return self.vertices.shape[1]

    def to(self, device: torch.device | str) -> PolyhedralComplex:
        """Move the complex to another device."""
        return map_tensors(self, lambda t: t.to(device))

    def sign_vectors(self, which: slice = slice(None)) -> Tensor:
        """Unpacked signs (n, n_rows) int8 in {-1, 0, +1} of the vertices in a slice."""
        return sign_vectors(self.words[which], self.zero_ids[which], self.layout.n_rows)

    def is_ray(self) -> Tensor:
        """True (V,) for vertices at infinity: their entry in ``vertices`` is a direction of unit length.

        Each has one edge, which is unbounded; what lies at infinity altogether is left out.
        """
        return self.layout.is_ray(self.zero_ids)

    def f_vector(self) -> tuple[int, ...]:
        """Numbers of cells of dimension 0, 1, ..., D, each counted as a relatively open cell.

        Those of ``true`` where that was asked for, else the perturbed ones. What lies at infinity is not
        counted, so that the cells of the whole space are those of an arrangement.

        Counted from the vertices alone, so that the entry for edges is a check on ``edges``. The memory is
        that of C(D, k) 2^k keys a vertex for the k-cells. Of a piece its own cells are counted.
        """
        if self.true is not None:
            return self.true.f_vector()
        if self.counts is not None:
            return self.counts
        codes, rows = CellCodes(self.words, self.zero_ids), arrange(self.layout, self.words.device)
        corners, is_counted = self.corners, self.is_own_vertex()
        if self.layout.at_infinity:  # every cell that is not at infinity has a vertex that is not
            finite = (~self.is_ray()).nonzero()[:, 0]
            codes, is_counted = codes.choose(finite), is_counted[finite]
            corners = None if corners is None else corners[finite]
        higher = (CellsAround(codes, corners, k, rows).count() for k in range(1, self.dim + 1))
        return (int(is_counted.sum()), *higher)

    def is_own_vertex(self) -> Tensor:
        """True (V,) for vertices that belong to no earlier piece; all of a whole complex."""
        return self.own.vertices if self.own else own_vertices(self.vertices, self.corners)

    def is_own_edge(self) -> Tensor:
        """True (E,) for edges that belong to no earlier piece; all of a whole complex."""
        if self.own:
            return self.own.edges
        return own_edges(self.skeleton(), self.corners, arrange(self.layout, self.words.device))

    def skeleton(self) -> Skeleton:
        """Vertices and edges with their codes."""
        return Skeleton(self.vertices, self.zero_ids, self.words, self.edges, self.edge_zero_ids)

    def euler_characteristic(self) -> int:
        """Alternating sum of the f-vector: 1 for a closed box, (-1)^D for the whole space."""
        return sum((-1) ** k * count for k, count in enumerate(self.f_vector()))

    def __repr__(self) -> str:
        what = "piece of a complex" if self.is_piece else "complex" if self.is_whole else "part of a complex"
        return f"{what} in {self.domain}: {self._format_cells()}; {self.provenance}"

    def _format_cells(self) -> str:
        """Format the f-vector where counting it takes no second, else vertices and edges."""
        n_vertices, n_edges = self.vertices.shape[0], self.edges.shape[0]
        is_counted = self.true is not None or self.counts is not None
        if self.is_whole and (is_counted or n_vertices * 3**self.dim <= MOST_KEYS):
            return f"f-vector {self.f_vector()}{' unperturbed' * (self.true is not None)}"
        numbers = format_number_of(n_vertices, "vertex", "vertices"), format_number_of(n_edges, "edge")
        return f"{numbers[0]}, {numbers[1]} (f_vector() counts the others)"


@as_written
def find_regions(complex_: PolyhedralComplex) -> Regions:
    """Find the regions of a whole complex.

    Raises:
        TypeError: it is no complex.
        ValueError: it is a piece of a larger one, or was given up.
    """
    require_kind("find_regions", complex_, PolyhedralComplex, ": see creased.extract_complex")
    if complex_.is_piece:
        raise ValueError("find_regions: needs a whole complex, got a piece of one: see stream_complex")
    if not complex_.is_whole:
        raise ValueError(f"find_regions: needs a whole complex, this one was {complex_.status}")
    if complex_.regions is not None:
        return complex_.regions
    rows = arrange(complex_.layout, complex_.words.device)
    corners, words = number_regions(CellCodes(complex_.words, complex_.zero_ids), rows)
    return Regions(words, corners, complex_.zero_ids, complex_.layout, complex_.domain)
