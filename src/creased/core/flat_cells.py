"""Detect a level that is taken on full-dimensional cells."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from creased.core.complexes.complex import find_regions
from creased.core.complexes.level_set import LevelSet
from creased.core.domains.domain import Domain
from creased.core.extract_complex import extract_complex
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.program import Program
from creased.core.provenance import Finding, Note

FEW_CELLS = 30_000  # that are looked through for it


def with_flat_note(found: LevelSet, program: Program, domain: Domain, zero_sign: int) -> LevelSet:
    """Note where the program, less the level, vanishes on a full-dimensional cell."""
    if math.comb(program.n_neurons, domain.dim) > FEW_CELLS or not is_flat_somewhere(program, domain):
        return found
    side = "above" if zero_sign > 0 else "below"
    note = f"the function takes the value {found.level:g} on cells of full dimension, which count as {side}"
    return replace(found, provenance=found.provenance.noting(Note(Finding.FLAT, note)))


@torch.no_grad()
def is_flat_somewhere(program: Program, domain: Domain) -> bool:
    """Tell if a program with one output vanishes on a full-dimensional cell of a bounded domain."""
    program = program.detach().to("cpu", torch.float64)
    complex_ = extract_complex(program, domain, level=None)
    if not complex_.is_whole:
        return False
    regions = find_regions(complex_)
    masks = regions.layout.masks(regions.words, program.dtype)
    is_flat = (program.gradients_on(masks) == 0).all(1)
    is_flat[is_flat.clone()] = program.maps_on(masks[is_flat])[:, -1, -1] == 0
    offsets, corners = regions.vertices()
    for region in is_flat.nonzero()[:, 0].tolist():
        points = complex_.vertices[corners[offsets[region] : offsets[region + 1]]]
        extents = torch.linalg.svdvals(points - points.mean(0))
        if float(extents[-1]) > get_epsilon(points.dtype) * float(points.abs().max()):
            return True
    return False
