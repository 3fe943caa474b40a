"""Values of a program at the vertices of its complex, and their signs without rounding."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import WORD, RowLayout
from creased.core.certificates.proven_signs import exact_rows_of, sign_filter_of
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.grids.unweld import Unwelded
from creased.core.program.program import Program

AT_ONCE = 1 << 26  # signs that are proven in one go


class VertexValues(NamedTuple):
    """A function at vertices; at one at infinity as far out along its edge as need be."""

    values: Tensor  # (V,) float64, rounded; infinite where it grows or falls without bound along a ray
    signs: Tensor  # (V,) int8 in {-1, 0, 1}: of the values, exact


def values_at_vertices(
    complex_: PolyhedralComplex, program: Program, parts: Unwelded | None = None
) -> VertexValues:
    """Evaluate a program at the vertices of its complex.

    Signs are proven in floating point, with a bound on what rounding may have done, else found in rationals.

    Args:
        complex_: without outputs, of float64, its signs exact.
        program: of one output, in float64, on the coordinates of the complex.
        parts: the complex simplex by simplex, where the program is on a grid.

    Raises:
        ArithmeticError: a vertex does not exist, as signs of the complex are wrong.
    """
    points, is_ray = complex_.vertices, complex_.is_ray()
    values = program.outputs_at(points)[:, 0]
    codes, layout = _with_an_output(complex_, parts)
    row = layout.first_output
    codes.words[:, row // WORD] |= (values > 0).long() << (row % WORD)
    proof = sign_filter_of(program, complex_.domain, layout, points)
    batches = torch.arange(len(points)).split(max(AT_ONCE // layout.n_rows, 1))
    unsure = [proof.by_slopes(points[batch], codes.choose(batch))[:, row] for batch in batches]
    in_doubt = (torch.cat(unsure) | is_ray).nonzero()[:, 0]
    signs = values.sign().to(torch.int8)
    if in_doubt.numel():
        every, rows = torch.arange(len(in_doubt), device=points.device), torch.full_like(in_doubt, row)
        exact = exact_rows_of(program, complex_.domain, layout)
        decided = exact.signs_at(codes.choose(in_doubt), points[in_doubt], every, rows)
        if not bool(decided.exists.all()):
            raise ArithmeticError("topology: rounding left signs of the complex wrong")
        signs[in_doubt] = decided.signs
    found = VertexValues(values.masked_fill(signs == 0, 0), signs)
    return _far_out(complex_, found, is_ray) if complex_.layout.at_infinity else found


def _with_an_output(complex_: PolyhedralComplex, parts: Unwelded | None) -> tuple[CellCodes, RowLayout]:
    """Codes of the vertices with room for the sign of an output, and how their rows are numbered."""
    if parts is None:
        codes, layout = CellCodes(complex_.words, complex_.zero_ids), complex_.layout
    else:
        codes, layout = parts.codes, parts.layout
    wider = replace(layout, n_outputs=1)
    n_rows_words = layout.n_words - layout.on_grid  # the word of a simplex stays the last
    rows, simplex = codes.words[:, :n_rows_words], codes.words[:, n_rows_words:]
    room = rows.new_zeros((len(rows), wider.n_words - layout.n_words))
    return CellCodes(torch.cat([rows, room, simplex], dim=1), codes.zero_ids), wider


def _far_out(complex_: PolyhedralComplex, found: VertexValues, is_ray: Tensor) -> VertexValues:
    """Give rays, which have the signs of slopes, infinite values, or that of their edge where it is level."""
    edges = complex_.edges.long()
    unbounded = is_ray[edges].any(1).nonzero()[:, 0]
    ends = edges[unbounded]
    ends = torch.where(is_ray[ends[:, :1]], ends.flip(1), ends)  # finite, far
    near, far = ends.unbind(1)
    is_level = found.signs[far] == 0
    values, signs = found.values.clone(), found.signs.clone()
    values[far] = torch.where(is_level, found.values[near], found.signs[far].double() * torch.inf)
    signs[far] = torch.where(is_level, found.signs[near], found.signs[far])
    return VertexValues(values, signs)
