"""Triangulate all cells of a complex without new vertices, and compute the volumes of its regions.

Every cell is the union of the cones from its vertex of least number over those facets that do not hold it
(pulling; Lee and Santos 2017, section 16.3). Facets are cut in the same way from both sides. Cells that
perturbation leaves without extent get simplices of volume 0, or none where vertices in one place have one
number: a perturbed cell has the extreme points of the true one as vertices, each once or more, and is pulled
as that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import arrange
from creased.core.arrangement.facets import Facets, find_lattice
from creased.core.arrangement.hash_keys import CellCodes, find_words
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.complexes.regions import Regions
from creased.core.grids.unweld import Unwelded
from creased.core.numerics.tensors import ranges_of
from creased.core.program.kuhn_grid import KuhnGrid

BATCH = 1 << 16  # simplices that are measured in one go


class Triangulation(NamedTuple):
    """Simplices of a complex, of full dimension."""

    simplices: Tensor  # (T, D + 1) int64: vertices of the complex, or places
    region: Tensor  # (T,) int64: that each is a part of

    def __repr__(self) -> str:
        return f"{len(self.simplices):,} simplices of dimension {self.simplices.shape[1] - 1}"


def triangulate(
    complex_: PolyhedralComplex, regions: Regions, grid: KuhnGrid | None = None, place: Tensor | None = None
) -> Triangulation:
    """Triangulate a whole complex; of the whole space rays are vertices as any other.

    Args:
        complex_: perturbed.
        regions: its regions.
        grid: of its network, if that has one.
        place: (V,) int64: numbers of vertices, the same for those in one place. Simplices are then on places:
            facets that cells without extent keep apart are cut in the same way, and these have no simplices.
    """
    every = torch.arange(len(complex_.vertices), device=complex_.vertices.device)
    numbers = every if place is None else place
    if grid is None:
        codes, layout = CellCodes(complex_.words, complex_.zero_ids), complex_.layout
        lowest = numbers
    else:  # each region is in one simplex of the grid
        parts = Unwelded(complex_.skeleton(), grid, complex_.domain, complex_.layout)
        soup = parts.soup.skeleton
        codes, layout = CellCodes(soup.words, soup.zero_ids), parts.layout
        lowest = numbers[parts.soup.vertex]
    lattice = find_lattice(codes, arrange(layout, codes.words.device))
    simplices, owner = lowest[:, None], torch.arange(len(lowest), device=lowest.device)
    for cells, facets in zip(lattice.codes[1:], lattice.facets, strict=True):
        simplices, owner, lowest = _cones(simplices, owner, lowest, facets, len(cells.words))
    words = lattice.codes[-1].words
    words = words if grid is None else parts.welder.polygon_words(words)
    return Triangulation(simplices, find_words(words, regions.words)[owner])


def _cones(
    simplices: Tensor, owner: Tensor, lowest: Tensor, facets: Facets, n_cells: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Join simplices of facets to least vertices of cells; return the new ones, their cells, the least."""
    least = torch.full((n_cells,), torch.iinfo(torch.int64).max, device=lowest.device)
    least.scatter_reduce_(0, facets.cell, lowest[facets.facet], "amin")
    far = (lowest[facets.facet] != least[facets.cell]).nonzero()[:, 0]
    cell, facet = facets.cell[far], facets.facet[far]
    counts = torch.bincount(owner, minlength=len(lowest))
    source, place = ranges_of((counts.cumsum(0) - counts)[facet], counts[facet])
    base = simplices[owner.argsort(stable=True)][place]
    owners = cell[source]
    return torch.cat([least[owners, None], base], dim=1), owners, least


def simplex_volumes(vertices: Tensor, simplices: Tensor) -> Tensor:
    """Compute the volumes (T,) of simplices (T, D + 1) on vertices (V, D)."""
    return torch.cat([vertices.new_zeros(0), *_volumes(vertices, simplices)])


def _volumes(vertices: Tensor, simplices: Tensor) -> Iterator[Tensor]:
    factorial = math.factorial(vertices.shape[1])
    for batch in simplices.split(BATCH):
        corners = vertices[batch]
        yield torch.linalg.det(corners[:, 1:] - corners[:, :1]).abs() / factorial


def region_volumes(complex_: PolyhedralComplex, regions: Regions, grid: KuhnGrid | None = None) -> Tensor:
    """Compute the volumes (R,) of the regions of a complex; infinite where they are not bounded."""
    found = triangulate(complex_, regions, grid)
    volumes = simplex_volumes(complex_.vertices, found.simplices)
    is_far = complex_.is_ray()[found.simplices].any(1)
    volumes = volumes.masked_fill(is_far, torch.inf)
    return torch.zeros(regions.n).to(volumes).index_add_(0, found.region, volumes)


def boundary_faces(simplices: Tensor) -> Tensor:
    """Return the faces (n, D) of one simplex alone, outward where simplices (T, D + 1) are oriented."""
    dim, faces = simplices.shape[1] - 1, []
    for k in range(dim + 1):
        face = simplices[:, [j for j in range(dim + 1) if j != k]]
        faces.append(face if k % 2 == 0 else face[:, [1, 0, *range(2, dim)]])
    every = torch.cat(faces)
    _, which, counts = every.sort(1).values.unique(dim=0, return_inverse=True, return_counts=True)
    return every[counts[which] == 1]
