"""Stable units: neurons whose preactivation has one weak sign on all of a domain.

Four ways to find them, each sound, from cheap to complete:

- "interval": interval arithmetic through the layers, rounded outward;
- "linear": then, for each neuron left, a backward linear bound over the box (`creased.core.program.bounds`);
- "exact": then, for those left, all cells of the layers before in integers: every stable unit is found;
- "engine": the signs of all cells of the engine's complex, in float64: also complete, and for larger
  networks, but it relies on the engine's signs;
- "auto": "exact" where the cells are few, else "linear".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.domains.box import Box
from creased.core.domains.domain import require_domain
from creased.core.exact.elimination import Vector, dot
from creased.core.exact.integer_program import IntegerProgram
from creased.core.numerics.memory import CellLimitError
from creased.core.numerics.surroundings import as_written
from creased.core.program.affine_arithmetic import AffineForms, gamma
from creased.core.program.bounds import Cells, Tail, excludes_zero
from creased.core.program.layers import Affine
from creased.core.program.program import Program
from creased.networks.as_program import of_networks
from creased.tropical.cells.cells import (
    MOST_CELLS,
    cut_by_block,
    depth_first,
    is_bounded,
    start_cone,
)
from creased.tropical.cells.engine_cells import engine_cells
from creased.tropical.cells.exact_network import PartialCell
from creased.tropical.polyhedra.cones import Cone

METHODS = ("auto", "interval", "linear", "exact", "engine")
FEW_CELLS = 5000  # tried in integers first; they take some seconds
SYMBOLS = 64  # of the affine forms in the linear bound, behind one for each axis of the box

GUARANTEES = {
    "interval": "proven by interval bounds, rounded outward",
    "linear": "proven by interval and linear bounds, rounded outward",
    "exact": "proven in integers: every stable unit is found",
    "engine": "read off the float64 complex: every stable unit is found, if its signs are right",
}


class StableUnits(NamedTuple):
    """Signs that are proven of each neuron on a domain."""

    signs: tuple[Tensor, ...]  # of each block (N,) int8: +1 never negative, -1 never positive, 0 unknown
    guarantee: str

    @property
    def n_active(self) -> int:
        """Number of neurons that are never negative."""
        return sum(int((signs > 0).sum()) for signs in self.signs)

    @property
    def n_inactive(self) -> int:
        """Number of neurons that are never positive."""
        return sum(int((signs < 0).sum()) for signs in self.signs)

    def __repr__(self) -> str:
        stable = f"{self.n_active:,} never negative, {self.n_inactive:,} never positive"
        return f"of {sum(map(len, self.signs)):,} neurons {stable}; {self.guarantee}"


@of_networks
@as_written
def stable_units(
    program: Program, domain: Box | None, method: str = "linear", *, most: int = MOST_CELLS
) -> StableUnits:
    """Find the neurons that have one weak sign on a domain.

    Args:
        program: with finite weights.
        domain: a box; None, all of space, for "exact" only.
        method: see the module.
        most: cells that "exact" may enumerate.

    Raises:
        ValueError: another method, an unbounded domain, or a weight is not finite.
        CellLimitError: "exact" found more cells than allowed.
    """
    if method not in METHODS:
        raise ValueError(f"stable_units: method must be one of {METHODS}, got {method!r}")
    program.require_no_grid("stable_units")
    program.require_finite("stable_units")
    require_domain("stable_units", domain)
    if domain is not None and domain.dim != program.in_dim:
        raise ValueError(
            f"stable_units: the program takes {program.in_dim} inputs, but the domain has {domain.dim} "
            "dimensions"
        )
    if method == "auto":
        try:
            return stable_units(program, domain, "exact", most=min(most, FEW_CELLS))
        except CellLimitError:
            method = "linear"
    if not is_bounded(domain) and method != "exact":
        raise ValueError(f"stable_units: method {method!r} needs a bounded domain, got {domain!r}")
    program = program.detach().to("cpu", torch.float64)
    signs = [torch.zeros(n, dtype=torch.int8) for n in program.widths]
    if domain is not None and is_bounded(domain):
        if method == "engine":
            return StableUnits(_by_engine(program, domain), GUARANTEES[method])
        signs = _by_intervals(program, domain)
        if method != "interval":
            _add_linear(program, domain, signs)
    if method == "exact":
        _add_exact(program, domain, signs, most)
    return StableUnits(tuple(signs), GUARANTEES[method])


def state_ranges(program: Program, box: Box) -> tuple[list[tuple[Tensor, Tensor]], list[Tensor]]:
    """Bound each block's preactivations by intervals (N,), (N,), and the sizes (S,) of each state.

    Sizes bound the absolute values of the position, then of the state behind each block.
    """
    low, high = (torch.tensor(bound, dtype=torch.float64) for bound in (box.lower, box.upper))
    ranges, sizes = [], [torch.maximum(low.abs(), high.abs())]
    for block in program.blocks:
        z = _interval(block.affine, low, high)
        ranges.append(z)
        hidden = (z[0].clamp(min=0), z[1].clamp(min=0))
        if block.has_passthrough:
            hidden = torch.cat([hidden[0], low]), torch.cat([hidden[1], high])
        if not block.is_plain:
            hidden = _interval(block.output_map(), *hidden)
        low, high = hidden
        sizes.append(torch.maximum(low.abs(), high.abs()))
    return ranges, sizes


def _interval(affine: Affine, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Bound an affine function of intervals, rounded outward."""
    plus, minus = affine.weight.clamp(min=0), affine.weight.clamp(max=0)
    size = affine.weight.abs() @ torch.maximum(low.abs(), high.abs()) + affine.bias.abs()
    lost = gamma(low.dtype, 2 * affine.weight.shape[1]) * size
    below = plus @ low + minus @ high + affine.bias - lost
    return below, plus @ high + minus @ low + affine.bias + lost


def _by_intervals(program: Program, box: Box) -> list[Tensor]:
    ranges, _ = state_ranges(program, box)
    return [(low >= 0).to(torch.int8) - (high <= 0).to(torch.int8) for low, high in ranges]


def _add_linear(program: Program, box: Box, signs: list[Tensor]) -> None:
    """Bound each neuron of unknown sign by a linear functional of the position."""
    low, high = (torch.tensor(bound, dtype=torch.float64) for bound in (box.lower, box.upper))
    start = _form_of_box(low, high)
    corners, reach = torch.ones((1, 1, 1), dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    values = program.preactivations(low[None])[0]
    done = 0
    for index, block in enumerate(program.blocks):
        for unit in (signs[index] == 0).nonzero()[:, 0].tolist():
            side = 1.0 if float(values[done + unit]) > 0 else -1.0
            row = Affine(block.affine.weight[unit : unit + 1], block.affine.bias[unit : unit + 1])
            tail = Tail(Program(program.blocks[:index], row), reach)
            cell = Cells(corners, start, torch.tensor([side], dtype=torch.float64))
            if bool(excludes_zero(tail, cell, box.dim + SYMBOLS)):
                signs[index][unit] = int(side)
        done += block.n_neurons


def _form_of_box(low: Tensor, high: Tensor) -> AffineForms:
    """Enclose the positions of a box by a form with a symbol for each axis, and no other coordinates."""
    middle = low + (high - low) / 2
    radius = torch.maximum(high - middle, middle - low)
    radius = torch.nextafter(radius, torch.full_like(radius, torch.inf))
    return AffineForms(middle[None, None], torch.zeros_like(middle)[None], radius.diag()[None])


def _by_engine(program: Program, box: Box) -> tuple[Tensor, ...]:
    found = engine_cells(program, box)
    masks = found.masks[found.is_cell]
    signs = masks.all(0).to(torch.int8) - (~masks.any(0)).to(torch.int8)
    return signs.split(program.widths)


def _add_exact(program: Program, domain: Box | None, signs: list[Tensor], most: int) -> None:
    """Find the signs of neurons of unknown sign on all cells of the layers before, which they cut in turn.

    The last layer need not cut: it is only evaluated.
    """
    exact, start = IntegerProgram.of(program), start_cone(program, domain)
    widths = program.exact.widths
    every = torch.cat([torch.zeros(0, dtype=torch.int8), *signs])
    known = [block_signs.tolist() for block_signs in every.split(widths)]
    seen: list[list[set[int]]] = [[{sign} - {0} for sign in block_signs] for block_signs in known]
    first_rows = list(accumulate(widths, initial=start.rows.bit_length()))

    def cut_further(part: PartialCell, index: int) -> Iterator[PartialCell]:
        if index == len(exact.blocks):
            return
        z = exact.blocks[index].affine(part.state).rows
        _note_signs(part.cone, z, known[index], seen[index])
        if index + 1 < len(exact.blocks):
            yield from cut_by_block(exact.blocks[index], part, z, first_rows[index], known[index])

    for n_cells, _ in enumerate(depth_first(PartialCell((), start, exact.inputs()), cut_further)):
        if n_cells >= most:
            raise CellLimitError(f"stable_units: more than {most:,} cells; take method 'linear' or 'engine'")
    only = [0 if len(s) > 1 else next(iter(s), -1) for s in chain(*seen)]
    signs[:] = torch.tensor(only, dtype=torch.int8).split(program.widths)


def _note_signs(cone: Cone, z: Sequence[Vector], known: list[int], seen: list[set[int]]) -> None:
    """Note which signs the unknown neurons take on a cell."""
    for vector, sign, signs in zip(z, known, seen, strict=True):
        if sign or len(signs) == 2:
            continue
        values = [dot(vector, ray) for ray in cone.rays]
        slopes = [dot(vector, line) for line in cone.lines]
        if any(v > 0 for v in values) or any(slopes):
            signs.add(1)
        if any(v < 0 for v in values) or any(slopes):
            signs.add(-1)
