"""Detect a level that is taken on full-dimensional cells."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import torch
from torch import Tensor

from creased.core.complexes.complex import find_regions
from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.regions import Regions
from creased.core.domains.domain import Domain
from creased.core.exact.integer_program import IntegerProgram
from creased.core.extract_complex import extract_complex
from creased.core.grids.cut import SimplexCutter
from creased.core.grids.exact_grid import ExactGrid
from creased.core.grids.grid_regions import GridRegions
from creased.core.numerics.memory import Resources
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.program import Program
from creased.core.provenance import Finding, Note
from creased.core.subdivision.problem import Numbers, make_problem

FEW_CELLS = 30_000  # that are looked through for it


def with_flat_note(found: LevelSet, program: Program, domain: Domain, zero_sign: int) -> LevelSet:
    """Note where the program, less the level, vanishes on a full-dimensional cell."""
    if not is_flat_somewhere(program, domain):
        return found
    side = "above" if zero_sign > 0 else "below"
    note = f"the function takes the value {found.level:g} on cells of full dimension, which count as {side}"
    return replace(found, provenance=found.provenance.noting(Note(Finding.FLAT, note)))


@torch.no_grad()
def is_flat_somewhere(program: Program, domain: Domain) -> bool:
    """Tell if a program with one output vanishes on a full-dimensional cell of a bounded domain.

    Of large programs no more than the first cells are looked at.
    """
    program = program.detach().to("cpu", torch.float64)
    found = _in_one_complex(program, domain) if program.grid is None else _in_simplices(program, domain)
    return any(_has_flat(program, regions, vertices) for regions, vertices in found)


def _in_one_complex(program: Program, domain: Domain) -> Iterator[tuple[Regions, Tensor]]:
    if math.comb(program.n_neurons, domain.dim) <= FEW_CELLS:
        complex_ = extract_complex(program, domain, level=None)
        if complex_.is_whole:
            yield find_regions(complex_), complex_.vertices


def _in_simplices(program: Program, domain: Domain) -> Iterator[tuple[Regions, Tensor]]:
    """Regions in simplices of a grid in which the output may be zero, batch by batch."""
    problem = make_problem(program, domain, None, Numbers(torch.float64), Resources(), prune=True)
    cutter, n_cells = SimplexCutter(problem), 0
    for _, piece in cutter.pieces():
        regions = GridRegions.alone(piece.skeleton, cutter)
        yield regions, piece.skeleton.vertices
        n_cells += regions.n
        if n_cells > FEW_CELLS:
            return


def _has_flat(program: Program, regions: Regions, vertices: Tensor) -> bool:
    """Tell if the output vanishes on one of some regions, and that has a volume."""
    maps = regions.maps(program).abs()
    noise = get_epsilon(maps.dtype) * float(maps.max()) if maps.numel() else 0.0
    candidates = (maps <= noise).flatten(1).all(1).nonzero()[:, 0].tolist()
    if not candidates:
        return False
    exact, (offsets, corners) = IntegerProgram.of(program.inner), regions.vertices()
    for region in candidates:
        if not _vanishes(exact, program, regions, region):
            continue
        points = vertices[corners[offsets[region] : offsets[region + 1]]]
        extents = torch.linalg.svdvals(points - points.mean(0))
        if float(extents[-1]) > get_epsilon(points.dtype) * float(points.abs().max()):
            return True
    return False


def _vanishes(exact: IntegerProgram, program: Program, regions: Regions, region: int) -> bool:
    """Tell in rationals if the output is zero on a region, or on what it extends to."""
    words = regions.words[region : region + 1]
    mask = regions.layout.masks(words, program.dtype)[0].tolist()
    pattern = sum(1 << neuron for neuron, is_active in enumerate(mask) if is_active)
    state = exact.inputs() if program.grid is None else ExactGrid(program.grid).encoder(int(words[0, -1]))
    *_, output = exact.rows(state, pattern)
    return not any(chain(*output.rows))
