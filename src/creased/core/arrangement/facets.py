"""Number the cells of every dimension around vertices, and list the facets of each with their incidence.

A facet of a cell has one more zero. All cofaces of a cell are seen at any one of its vertices, so that each
incidence is found once, without sorting, by looking at the first vertex of the facet alone.

Incidence numbers need an orientation of every cell, which codes give without positions: a cell is cooriented
by the gradients of its zero rows, in ascending order. Rows of later layers bend along those of earlier ones
only by multiples of their gradients, so that the wedge product is the same from all sides of the cell. With
r the row that a facet adds, at place p among its zeros, and s = 1, -1 the cell's sign of r, the incidence
number is s (-1)^p: boundaries of boundaries cancel, as r and r' added in the other order change the place of
one of them by one.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cells import CellsAround
from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.hash_keys import CellCodes


class Facets(NamedTuple):
    """Incidences of cells of one dimension with their facets."""

    cell: Tensor  # (n,) int64
    facet: Tensor  # (n,) int64: of one dimension less
    sign: Tensor  # (n,) int64: incidence number, 1 or -1


class CellLattice(NamedTuple):
    """Cells of all dimensions around vertices; those of dimension 0 are the vertices."""

    codes: tuple[CellCodes, ...]  # by dimension 0 to D
    facets: tuple[Facets, ...]  # of the cells of dimension 1 to D


def find_lattice(codes: CellCodes, rows: Arrangement) -> CellLattice:
    """Number the cells around the vertices (V, D) of a whole complex, and list their facets."""
    dim, device = codes.zero_ids.shape[1], codes.words.device
    every = torch.arange(len(codes.words), device=device)
    place, found, facets = every, [codes], []
    lower = CellsAround(codes, None, 0, rows)
    for k in range(1, dim + 1):
        around = CellsAround(codes, None, k, rows)
        numbers, firsts = around.number()
        at_vertices = torch.full((len(codes.words), around.n_choices), -1, device=device)
        at_vertices.view(-1)[around.place] = numbers.long()
        facets.append(_facets(place, at_vertices, lower))
        found.append(around.codes(firsts))
        place, lower = around.place[firsts], around
    return CellLattice(tuple(found), tuple(facets))


def _facets(place: Tensor, at_vertices: Tensor, lower: CellsAround) -> Facets:
    """List the incidences of cells with facets (n,) that are first seen at places of the table of choices."""
    vertex, choice = place // lower.n_choices, place % lower.n_choices
    cell = at_vertices[vertex[:, None], lower.cofaces.choice[choice]]
    facet, column = (cell >= 0).nonzero().unbind(1)
    return Facets(cell[facet, column], facet, lower.cofaces.sign[choice[facet], column])
