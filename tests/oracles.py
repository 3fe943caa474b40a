"""Exact oracles: rational brute force over regions, the copied cell counts, and contraction of short edges.

The enumerator shares nothing with the engine: it keeps every region as a simple polytope (its vertices by
their zero rows, in `Fraction`) and cuts the regions one by one. Degenerate networks are made simple as the
engine's rule says: row k is moved up by eps_k, eps_1 << eps_2 << ..., here with actual rational numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from creased import Affine, Block, Box, LevelSet, PolyhedralComplex, Program, extract_level_set

FIXTURES = Path(__file__).parent / "fixtures"
STEP = 10**8  # each eps is this much larger than the one before: more than any condition number here
PER_UNIT = 10**9  # the largest eps is 1 / PER_UNIT

Point = tuple[Fraction, ...]
Row = tuple[Point, Fraction]  # normal and offset: normal . x + offset
State = tuple[Row, ...]
Cell = tuple[int, ...]  # a sign vector in {-1, 0, +1}


class NotGenericError(ValueError):
    """A vertex lies on more than D rows."""


class Region(NamedTuple):
    """A simple polytope."""

    signs: Cell
    corners: dict[frozenset[int], Point]  # by the D rows that vanish there
    state: tuple[Row, ...]  # the state behind the last layer, affine in the region


class ExactComplex(NamedTuple):
    """All relatively open cells, by dimension."""

    cells: tuple[set[Cell], ...]
    positions: dict[Cell, Point]  # of the vertices

    @property
    def f_vector(self) -> tuple[int, ...]:
        """Numbers of cells of dimension 0 ... D."""
        return tuple(len(cells) for cells in self.cells)

    def on_row(self, row: int) -> tuple[int, ...]:
        """Numbers of cells of dimension 0 ... D - 1 on a row."""
        return tuple(sum(cell[row] == 0 for cell in cells) for cells in self.cells[:-1])


def fractions_of(tensor: Tensor) -> list[Any]:
    """A float tensor as nested lists of exact fractions."""
    if tensor.dim() == 1:
        return [Fraction(x) for x in tensor.tolist()]
    return [fractions_of(row) for row in tensor]


def exact_complex(
    program: Program,
    lower: Sequence[float],
    upper: Sequence[float],
    *,
    perturb: bool = False,
    slope: float = 0,
) -> ExactComplex:
    """Cut a box by every row of a plain (or, with a slope, leaky) ReLU program, in rationals.

    Raises:
        NotGenericError: a vertex lies on a row, and ``perturb`` is not set.
    """
    regions = [_box_region([Fraction(x) for x in lower], [Fraction(x) for x in upper])]
    row, n_rows = 2 * len(lower), 2 * len(lower) + program.n_neurons + program.out_dim
    affines = [*(block.affine for block in program.blocks), program.head]
    for affine in affines:
        weight, bias = fractions_of(affine.weight.detach()), fractions_of(affine.bias.detach())
        if perturb:
            shifts = [Fraction(1, PER_UNIT * STEP ** (n_rows - row - i - 1)) for i in range(len(bias))]
            bias = [b + e for b, e in zip(bias, shifts, strict=True)]
        regions = [part for region in regions for part in _cut_by_layer(region, weight, bias, row, slope)]
        row += len(bias)
    return _collect(regions, len(lower))


def _box_region(lower: Sequence[Fraction], upper: Sequence[Fraction]) -> Region:
    dim = len(lower)
    corners = {}
    for choice in product((0, 1), repeat=dim):
        zeros = frozenset(2 * axis + side for axis, side in enumerate(choice))
        corners[zeros] = tuple(upper[axis] if side else lower[axis] for axis, side in enumerate(choice))
    unit = [tuple(Fraction(int(i == axis)) for i in range(dim)) for axis in range(dim)]
    return Region((1,) * (2 * dim), corners, tuple((normal, Fraction(0)) for normal in unit))


def _cut_by_layer(
    region: Region, weight: list[list[Fraction]], bias: list[Fraction], first: int, slope: float
) -> Iterator[Region]:
    normals = [_combine(row, b, region.state) for row, b in zip(weight, bias, strict=True)]
    parts = [region]
    for index, normal in enumerate(normals):
        parts = [piece for part in parts for piece in _cut(part, normal, first + index)]
    leak = Fraction(slope)
    for part in parts:
        gains = [Fraction(1) if sign > 0 else leak for sign in part.signs[first:]]
        scaled = [
            (tuple(gain * x for x in normal), gain * offset)
            for gain, (normal, offset) in zip(gains, normals, strict=True)
        ]
        yield part._replace(state=tuple(scaled))


def _combine(weights: list[Fraction], bias: Fraction, state: tuple[Row, ...]) -> Row:
    dim = len(state[0][0])
    normal = tuple(
        sum((w * s[0][i] for w, s in zip(weights, state, strict=True)), Fraction(0)) for i in range(dim)
    )
    return normal, bias + sum((w * s[1] for w, s in zip(weights, state, strict=True)), Fraction(0))


def _cut(region: Region, row: Row, number: int) -> list[Region]:
    values = {
        zeros: row[1] + sum(n * x for n, x in zip(row[0], corner, strict=True))
        for zeros, corner in region.corners.items()
    }
    if any(value == 0 for value in values.values()):
        raise NotGenericError(f"row {number} goes through a vertex")
    sides = {+1: [z for z in values if values[z] > 0], -1: [z for z in values if values[z] < 0]}
    if not sides[+1] or not sides[-1]:
        return [region._replace(signs=(*region.signs, +1 if sides[+1] else -1))]
    made = {}
    for above, below in product(sides[+1], sides[-1]):
        common = above & below
        if len(common) == len(above) - 1:
            share = values[above] / (values[above] - values[below])
            ends = zip(region.corners[above], region.corners[below], strict=True)
            made[common | {number}] = tuple(a + share * (b - a) for a, b in ends)
    return [
        Region((*region.signs, sign), {z: region.corners[z] for z in sides[sign]} | made, region.state)
        for sign in (+1, -1)
    ]


def _collect(regions: list[Region], dim: int) -> ExactComplex:
    cells: tuple[set[Cell], ...] = tuple(set() for _ in range(dim + 1))
    positions: dict[Cell, Point] = {}
    for region in regions:
        for zeros, corner in region.corners.items():
            for n_zeros in range(dim + 1):
                for chosen in combinations(sorted(zeros), n_zeros):
                    cell = tuple(0 if i in chosen else s for i, s in enumerate(region.signs))
                    cells[dim - n_zeros].add(cell)
            positions[tuple(0 if i in zeros else s for i, s in enumerate(region.signs))] = corner
    return ExactComplex(cells, positions)


class OpenCell(NamedTuple):
    """A relatively open polytope."""

    signs: Cell
    dim: int
    corners: tuple[Point, ...]
    state: tuple[Row, ...]


class Stage(NamedTuple):
    """What a layer does to the state on a cell."""

    rows: Callable[[State], list[Row]]  # that cut
    advance: Callable[[State, Sequence[Row], Sequence[int]], State]  # given their signs


def true_cells_of(program: Program, lower: Sequence[float], upper: Sequence[float]) -> list[OpenCell]:
    """All cells of a box cut by an unfolded program, by their signs in {-1, 0, +1}; nothing is perturbed."""
    exact = program.exact
    outputs = Stage(affine_of(exact.head), lambda state, rows, signs: tuple(rows))
    return true_cells([*map(_stage_of, exact.blocks), outputs], lower, upper)


def _stage_of(block: Block) -> Stage:
    mix, skip, shift = block.output_matrices()
    following = affine_of(Affine(torch.cat([mix, skip], dim=1), shift))
    return Stage(
        affine_of(block.affine),
        lambda state, rows, signs: tuple(following((*positive(rows, signs, 0), *state))),
    )


def affine_of(affine: Affine | nn.Linear) -> Callable[[State], list[Row]]:
    """Rows W s + b of a state."""
    weight, bias = (fractions_of(tensor.detach()) for tensor in (affine.weight, affine.bias))
    return lambda state: [_combine(w, b, state) for w, b in zip(weight, bias, strict=True)]


def positive(rows: Sequence[Row], signs: Sequence[int], slope: Fraction | int) -> State:
    """Rows where they are positive, else times a slope."""
    return tuple(row if sign > 0 else scaled(row, slope) for row, sign in zip(rows, signs, strict=True))


def scaled(row: Row, factor: Fraction | int) -> Row:
    """A multiple of a row."""
    return tuple(factor * x for x in row[0]), factor * row[1]


def true_cells(stages: Sequence[Stage], lower: Sequence[float], upper: Sequence[float]) -> list[OpenCell]:
    """All cells of a box cut by the rows of stages, by their signs in {-1, 0, +1}; nothing is perturbed.

    The faces of the box are cells too. Each cell is cut by each row into what is above, on and below it.
    """
    bounds = [(Fraction(a), Fraction(b)) for a, b in zip(lower, upper, strict=True)]
    dim = len(bounds)
    unit = [tuple(Fraction(int(i == axis)) for i in range(dim)) for axis in range(dim)]
    state = tuple((normal, Fraction(0)) for normal in unit)
    cells = []
    for sides in product(((0, 1), (1, 1), (1, 0)), repeat=dim):
        choices = [
            [b for b, sign in zip(bound, side, strict=True) if sign == 0 or side == (1, 1)]
            for bound, side in zip(bounds, sides, strict=True)
        ]
        signs = tuple(sign for side in sides for sign in side)
        cells.append(OpenCell(signs, sum(s == (1, 1) for s in sides), tuple(product(*choices)), state))
    walls = [
        (tuple(s * x for x in n), -s * b)
        for n, bound in zip(unit, bounds, strict=True)
        for s, b in zip((1, -1), bound, strict=True)
    ]
    rows = {cell.signs: list(walls) for cell in cells}
    for stage in stages:
        first = len(cells[0].signs)
        for index in range(len(stage.rows(cells[0].state))):
            made, known = [], {}
            for cell in cells:
                row = stage.rows(cell.state)[index]
                for part in _parts_of(cell, row, rows[cell.signs]):
                    made.append(part)
                    known[part.signs] = [*rows[cell.signs], row]
            cells, rows = made, known
        cells = [
            cell._replace(state=stage.advance(cell.state, rows[cell.signs][first:], cell.signs[first:]))
            for cell in cells
        ]
    return cells


def _value(row: Row, point: Point) -> Fraction:
    return row[1] + sum(n * x for n, x in zip(row[0], point, strict=True))


def _parts_of(cell: OpenCell, row: Row, rows: list[Row]) -> Iterator[OpenCell]:
    values = {corner: _value(row, corner) for corner in cell.corners}
    above = [corner for corner, value in values.items() if value > 0]
    below = [corner for corner, value in values.items() if value < 0]
    on = [corner for corner, value in values.items() if value == 0]
    if not above or not below:
        yield cell._replace(signs=(*cell.signs, +1 if above else -1 if below else 0))
        return
    tight = {c: frozenset(i for i, r in enumerate(rows) if _value(r, c) == 0) for c in cell.corners}
    made = list(on)
    for p, q in product(above, below):
        common = tight[p] & tight[q]
        if sum(common <= zeros for zeros in tight.values()) == 2:  # p and q are joined by an edge
            share = values[p] / (values[p] - values[q])
            made.append(tuple(a + share * (b - a) for a, b in zip(p, q, strict=True)))
    yield cell._replace(signs=(*cell.signs, +1), corners=tuple(above + made))
    yield cell._replace(signs=(*cell.signs, -1), corners=tuple(below + made))
    yield cell._replace(signs=(*cell.signs, 0), corners=tuple(made), dim=cell.dim - 1)


@cache
def named_cells() -> dict[str, dict[str, Any]]:
    """The copied oracle: networks with rational weights, a box, and exact numbers of cells."""
    return json.loads((FIXTURES / "exact_cells.json").read_text())


def program_of(
    layers: Iterable[dict[str, Any]], dtype: torch.dtype = torch.float64, device: str = "cpu"
) -> Program:
    """A plain ReLU program from layers of strings such as "1/2"."""
    affines = [
        Affine(
            torch.tensor(
                [[float(Fraction(x)) for x in row] for row in layer["weight"]], dtype=dtype, device=device
            ),
            torch.tensor([float(Fraction(x)) for x in layer["bias"]], dtype=dtype, device=device),
        )
        for layer in layers
    ]
    return Program(tuple(Block(affine) for affine in affines[:-1]), affines[-1])


def cells_of(complex_: PolyhedralComplex) -> set[Cell]:
    """Sign vectors of the engine's vertices."""
    return {tuple(signs) for signs in complex_.sign_vectors().tolist()}


def named_case(name: str) -> tuple[Program, Box]:
    """A network of the copied oracle, and its box."""
    net = named_cells()[name]
    return program_of(net["layers"]), Box(*([bound] * net["dim"] for bound in net["box"]))


def named_surface(name: str, degeneracy: str = "perturb") -> LevelSet:
    """The level set of a network of the copied oracle."""
    return extract_level_set(*named_case(name), degeneracy=degeneracy)


def contracted_counts(vertices: Tensor, edges: Tensor, tolerance: float) -> tuple[int, int]:
    """Vertices and edges once points nearer than the tolerance are made one; no loops, no doubles."""
    names: list[int] = []
    kept: list[int] = []
    for i in range(vertices.shape[0]):
        near = [k for k in kept if float((vertices[i] - vertices[k]).abs().max()) < tolerance]
        if not near:
            kept.append(i)
        names.append(near[0] if near else i)
    pairs = {frozenset((names[a], names[b])) for a, b in edges.tolist() if names[a] != names[b]}
    return len(kept), len(pairs)
