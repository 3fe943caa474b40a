"""Full-dimensional cells found by the engine in float64, for networks too large for integers.

The engine treats degenerate arrangements as if perturbed, which adds cells without volume. A region is kept
if the mean of its vertices is inside of all its rows by more than rounding can have moved it, or, where that
is in doubt, if the intersection of its half-spaces is full-dimensional in integers. So every cell that is
kept is one. That none is missing rests on the engine's signs, which are decided in float64.
"""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.signs import unpack_rows
from creased.core.complexes.complex import find_regions
from creased.core.complexes.regions import Regions
from creased.core.domains.domain import Domain
from creased.core.exact.elimination import primitive
from creased.core.extract_complex import extract_complex
from creased.core.numerics.memory import CellLimitError, free_bytes
from creased.core.numerics.tolerance import may_coincide
from creased.core.program.program import Program
from creased.tropical.cells.cells import require_few_corners, start_cone
from creased.tropical.cells.exact_network import ExactNetwork, PartialCell
from creased.tropical.polyhedra.cones import Cone, intersection

REGIONS = 36  # finding the regions takes this many times the memory of the complex


class EngineCells(NamedTuple):
    """Regions of a complex, with a mask of those that have a volume."""

    regions: Regions
    is_cell: Tensor  # (R,) bool: has a volume
    masks: Tensor  # (R, n_neurons) bool: activation patterns


def engine_cells(
    program: Program, box: Domain, *, memory: int | None = None, at_once: int | None = None
) -> EngineCells:
    """Find the activation cells of a program in a box by the engine.

    Args:
        program: moved to the CPU and to float64.
        box: any bounded domain.
        memory: bytes that the work may take; what is free by default.
        at_once: vertices that are cut at once; see `creased.extract_complex`.

    Raises:
        CellLimitError: the complex would take more memory than allowed, or the box has too many dimensions.
        ArithmeticError: rounding left faces open.
    """
    require_few_corners(box)
    program = program.detach().to("cpu", torch.float64)
    allowed = free_bytes(program.device) if memory is None else memory
    share = None if allowed is None else allowed // REGIONS
    complex_ = extract_complex(program, box, level=None, memory=share, at_once=at_once)
    if not complex_.is_whole:
        raise CellLimitError(f"engine_cells: the complex was {complex_.status}")
    if complex_.n_inconsistent:
        raise ArithmeticError(f"engine_cells: rounding left {complex_.n_inconsistent} faces open")
    return cells_among(program, box, find_regions(complex_), complex_.vertices)


def cells_among(program: Program, box: Domain, regions: Regions, vertices: Tensor) -> EngineCells:
    """Tell which regions have a volume.

    Args:
        program: on the CPU, in float64.
        box: the domain.
        regions: of a complex without outputs.
        vertices: of the complex.
    """
    masks = unpack_rows(regions.words, box.n_walls, program.n_neurons)
    is_cell = _is_clearly_cell(program, vertices, regions)
    in_doubt = (~is_cell).nonzero()[:, 0]
    found = cones_of(program, box, masks[in_doubt], regions.words[in_doubt, -1])
    is_cell[in_doubt] = torch.tensor([cone is not None for cone in found], dtype=torch.bool)
    return EngineCells(regions, is_cell, masks)


def cones_of(program: Program, box: Domain, masks: Tensor, simplices: Tensor) -> list[Cone | None]:
    """Build the cones over cells; None for those without volume.

    Args:
        program: with finite weights.
        box: the domain.
        masks: activation patterns (n, n_neurons).
        simplices: (n,) int64, in which they lie; ignored without a grid.
    """
    exact, domain = ExactNetwork(program), start_cone(program, box)
    parts = (exact.start(domain, simplex) for simplex in simplices.tolist())
    pairs = zip(parts, masks, strict=True)
    return [None if part is None else _cone_of(exact, part, mask) for part, mask in pairs]


def _cone_of(program: ExactNetwork, start: PartialCell, mask: Tensor) -> Cone | None:
    pattern = [1 if active else -1 for active in mask.tolist()]
    state, cone, done = start.state, start.cone, 0
    for block in program.blocks:
        z = block.affine(state).rows
        signs = pattern[done : done + block.n_neurons]
        rows = (primitive([sign * x for x in row]) for row, sign in zip(z, signs, strict=True))
        kept = intersection(cone, zip(rows, count(start.cone.rows.bit_length() + done)))
        if kept is None:
            return None
        cone, state = kept, block.advance(state, z, signs)
        done += block.n_neurons
    return cone


def _is_clearly_cell(program: Program, places: Tensor, regions: Regions) -> Tensor:
    """Tell (R,) where the mean of a region's vertices is inside by more than rounding."""
    offsets, vertices = regions.vertices()
    owner = torch.repeat_interleave(torch.arange(regions.n), offsets.diff())
    sums = torch.zeros((regions.n, regions.dim), dtype=torch.float64)
    centres = sums.index_add_(0, owner, places[vertices]) / offsets.diff()[:, None]
    halfspaces = regions.halfspaces(program)
    owner = torch.repeat_interleave(torch.arange(regions.n), halfspaces.offsets.diff())
    terms = halfspaces.normals * centres[owner]
    size = terms.abs().sum(1) + halfspaces.constants.abs()
    depth = (terms.sum(1) + halfspaces.constants) / size
    in_doubt = owner[(depth <= 0) | may_coincide(depth, 1.0) | depth.isnan()]
    return torch.ones(regions.n, dtype=torch.bool).index_fill_(0, in_doubt, value=False)
