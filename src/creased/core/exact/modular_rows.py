"""Exact signs at many vertices at once, by residues modulo primes.

In a cell rows are integer linear forms of homogeneous coordinates (x, w). The point on D of them has the
D x D minors of their coefficients as coordinates, and what another row is there is a determinant, too. All of
these integers are bounded beforehand, so that enough primes tell them (`creased.core.exact.residues`).

Rows are those of the cell that packed signs name. If they have the signs of the cell, or vanish, they are
those of the network: a row depends on the signs of earlier ones, and not on signs of those that vanish.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import chain
from math import factorial, prod
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout, pack_rows
from creased.core.exact.elimination import Vector
from creased.core.exact.integer_program import IntegerAffine, IntegerBlock, IntegerProgram
from creased.core.exact.residues import ModularMatrix, Moduli, SplitMatrix, centred, cofactors
from creased.core.native.available import is_native
from creased.core.numerics.tolerance import coincidence

if TYPE_CHECKING:
    from creased.core.exact.compiled_rows import CompiledRows

AT_ONCE = 1 << 18  # coefficients of forms of a layer that are worked on at once
KEPT = 1 << 18  # entries of all matrices, modulo one prime, up to which their residues are kept
ASKED = 1 << 22  # rows at vertices that are asked for at once


class Residues(NamedTuple):
    """Integers at vertices, modulo primes."""

    moduli: Moduli
    points: Tensor  # (P, n, D + 1): coordinates (x, w), all zero where rows are dependent
    values: Tensor  # (P, k): of rows at these points
    shares: Tensor  # (P, k, D): of the vertex's later rows in this one's derivatives, times +-w; else 0

    def sides(self) -> Tensor:
        """Signs (n,) int8 of w; 0 where the rows of a vertex are dependent or parallel."""
        return self.moduli.signs(self.points[..., -1])

    def places(self) -> list[Vector]:
        """Points (n,) in integers (x, w)."""
        n, width = self.points.shape[1:]
        flat = self.moduli.integers(self.points.flatten(1))
        return [tuple(flat[i * width : (i + 1) * width]) for i in range(n)]

    def positions(self) -> list[list[float]]:
        """Points (n, D) that exist, each coordinate rounded once; of equal ones one is divided."""
        sided = (self.points * self.sides()[:, None]).transpose(0, 1)
        once, number = torch.unique(sided.flatten(1), dim=0, return_inverse=True)
        points = once.view(-1, *sided.shape[1:]).transpose(0, 1)
        found = [[x / w for x in place] for *place, w in self._replace(points=points).places()]
        return [found[i] for i in number.tolist()]


class Cells(NamedTuple):
    """Vertices, sorted by the cells that their signs name, of which each is listed once."""

    words: Tensor  # (m, W)
    cell: Tensor  # (n,) of each vertex, ascending
    order: Tensor  # (n,) int64: which they were among those that came
    zero_ids: Tensor  # (n, D) int64

    @staticmethod
    def of(codes: CellCodes) -> Cells:
        """Sort the codes of vertices; cells with the signs of many first rows in common are near."""
        words, cell = torch.unique(_swapped(codes.words.cpu()), dim=0, return_inverse=True)
        order = cell.argsort()
        return Cells(_swapped(words), cell[order], order, codes.zero_ids.long().cpu()[order])

    @property
    def place(self) -> Tensor:
        """Where the vertices as they came (n,) are among the sorted ones."""
        return self.order.argsort()


class _Layer(NamedTuple):
    """A block of neurons modulo primes."""

    affine: ModularMatrix  # (N, S + 1)
    shift: Tensor  # (P, 1, 1): 2^shift
    output_map: ModularMatrix | None
    mix_shift: Tensor  # (P, 1, 1)
    n_state: int


class _Program(NamedTuple):
    """Walls, blocks and outputs modulo primes."""

    primes: Tensor  # (P, 1, 1) float64
    walls: ModularMatrix
    layers: list[_Layer]
    head: ModularMatrix


class ModularRows:
    """Walls, neurons and outputs of one program modulo primes.

    Args:
        program: in integers.
        walls: as affine functions, the first rows.
        layout: how rows are numbered.
    """

    def __init__(self, program: IntegerProgram, walls: IntegerAffine, layout: RowLayout) -> None:
        self._program, self._integer_walls, self._layout = program, walls, layout
        self._dim = program.in_dim
        self._walls, self._head = SplitMatrix.of(walls), SplitMatrix.of(program.head)
        self._affine = [SplitMatrix.of(block.affine) for block in program.blocks]
        maps = [block.output_map for block in program.blocks]
        self._output_maps = [None if last is None else SplitMatrix.of(last) for last in maps]
        shapes = [m.shape for m in (self._walls, self._head, *self._affine, *self._output_maps) if m]
        self._kept = dict[tuple[int, ...], _Program]()
        self._n_entries = sum(prod(shape) for shape in shapes)
        self._n_terms = max(shape[1] for shape in shapes)
        self._widest = max(sum(shape) for shape in shapes)

    def look(self, codes: CellCodes, vertex: Tensor, row: Tensor, *, shares: bool = True) -> Residues:
        """Evaluate rows (k,) at vertices (k,), ascending, of those with these codes (n, ...).

        Shares only if they are wanted.
        """
        cells, vertex, row, n_shares = Cells.of(codes), vertex.cpu(), row.cpu(), self._dim * shares
        last = int(torch.cat([row, cells.zero_ids.flatten(), row.new_zeros(1)]).amax())
        moduli = self._moduli(last)
        if is_native(row.device):
            batches = self._batches(moduli)
            return Residues(moduli, *self._compiled.look(cells, vertex, row, last, batches, n_shares))
        place = cells.place
        pairs = place[vertex].argsort()
        vertex, row = place[vertex][pairs], row[pairs]
        found = [self._look(p, cells, vertex, row, last, n_shares) for p in self._groups(moduli)]
        points, values, parts = map(torch.cat, zip(*found, strict=True))
        back = pairs.argsort()
        return Residues(moduli, points[:, place], values[:, back], parts[:, back])

    def zeros(self, codes: CellCodes, points: Tensor) -> Tensor:
        """True (n, n_rows) where rows vanish at vertices with right signs, near points (n, D).

        Of vertices in one place, one is evaluated. Another is in the same point if its rows vanish there, and
        so does every row of which the signs differ: then the rows have one value there in both cells.
        """
        codes, points = CellCodes(codes.words.cpu(), codes.zero_ids.long().cpu()), points.cpu().double()
        reach = points.abs().max().clamp(min=1) if points.numel() else 1.0
        _, place = torch.unique(
            (points / (coincidence(points.dtype) * reach)).round_(), dim=0, return_inverse=True
        )
        first = torch.zeros_like(place).scatter_(0, place, torch.arange(len(place)))[place]
        chosen, number = torch.unique(first, return_inverse=True)
        at_first = self._zeros_of(codes.choose(chosen))
        found = at_first[number]
        differs = (codes.words ^ codes.words[first]) & ~pack_rows(at_first, 0, codes.words.shape[1])[number]
        is_same = found.gather(1, codes.zero_ids).all(1) & (differs == 0).all(1)
        others = (~is_same).nonzero()[:, 0]
        found[others] = self._zeros_of(codes.choose(others))
        return found

    def _zeros_of(self, codes: CellCodes) -> Tensor:
        n_rows = self._layout.n_rows
        parts = zip(*(part.split(max(ASKED // n_rows, 1)) for part in codes), strict=True)
        found = [self._zeros(Cells.of(CellCodes(*part))) for part in parts]
        return torch.cat([*found, torch.zeros((0, n_rows), dtype=torch.bool)])

    def _moduli(self, last: int) -> Moduli:
        """Primes for determinants of the rows up to the last that is asked for."""
        largest = next(bound for n_rows, bound in self._bounds if n_rows > last)
        return Moduli.of(factorial(self._dim + 1) * largest ** (self._dim + 1), self._n_terms)

    def _groups(self, moduli: Moduli) -> list[_Program]:
        """The program modulo primes, as many of them at once as its matrices leave room for."""
        return [self._modulo(primes) for primes in self._batches(moduli)]

    def _batches(self, moduli: Moduli) -> list[tuple[int, ...]]:
        n = max(KEPT // self._n_entries, 1)
        return [moduli.primes[i : i + n] for i in range(0, len(moduli.primes), n)]

    @cached_property
    def _compiled(self) -> CompiledRows:
        from creased.core.exact.compiled_rows import CompiledRows

        parts = chain.from_iterable(zip(self._affine, self._output_maps, strict=True))
        matrices = [self._walls, *(part for part in parts if part), self._head]
        return CompiledRows(self._program, matrices, is_kept=self._n_entries <= KEPT)

    @cached_property
    def _bounds(self) -> list[tuple[int, int]]:
        """Numbers of rows of first parts, and bounds on coefficients of these, in any cell."""
        ones = [(1,)] * (self._dim + 1)
        blocks = [
            IntegerBlock(_absolute(affine), None if last is None else _absolute(last), n_state)
            for affine, last, n_state in self._program.blocks
        ]
        absolute = IntegerProgram(tuple(blocks), _absolute(self._program.head), self._dim)
        found, n_rows, largest = list[tuple[int, int]](), 0, 1
        for part in (_absolute(self._integer_walls)(ones), *absolute.rows(ones, -1)):
            n_rows += len(part.rows)
            largest = max(largest, *(x for (x,) in part.rows), 0)
            found.append((n_rows, largest))
        return found

    def _zeros(self, cells: Cells) -> Tensor:
        last = self._layout.n_rows - 1
        if is_native(cells.words.device):
            return self._compiled.zeros(cells, last + 1, self._batches(self._moduli(last)))
        vanishes = torch.ones((len(cells.place), last + 1), dtype=torch.bool)
        for program in self._groups(self._moduli(last)):
            for part, cell, forms in self._forms(program, cells, last):
                for own, prime in zip(forms, program.primes[:, 0], strict=True):
                    point = cofactors(own[cells.zero_ids[part].T, cell], prime)
                    mine, row = vanishes[part].nonzero().unbind(1)  # after the first prime few are left
                    value = centred((own[row, cell[mine]] * point[mine]).sum(1), prime)
                    vanishes[mine + part.start, row] = value == 0
        return vanishes[cells.place]

    def _look(
        self, program: _Program, cells: Cells, vertex: Tensor, row: Tensor, last: int, n_shares: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Points (P, n, D + 1), values (P, k) and shares (P, k, D or 0), modulo primes."""
        dim, primes = self._dim, program.primes[:, 0]
        n_primes = len(primes)
        points = torch.zeros((n_primes, len(cells.place), dim + 1), dtype=torch.float64)
        values = torch.zeros((n_primes, len(row)), dtype=torch.float64)
        shares = torch.zeros((n_primes, len(row), n_shares), dtype=torch.float64)
        for part, cell, forms in self._forms(program, cells, last):
            own = forms[:, cells.zero_ids[part].T, cell].transpose(0, 1)  # (D, P, n, D + 1)
            points[:, part] = point = cofactors(own, primes)
            begin, end = torch.searchsorted(vertex, torch.tensor([part.start, part.stop])).tolist()
            mine = vertex[begin:end] - part.start
            asked = forms[:, row[begin:end], cell[mine]]
            values[:, begin:end] = centred((asked * point[:, mine]).sum(2), primes)
            later = cells.zero_ids[part][mine] > row[begin:end, None]
            for k in range(n_shares):
                others = torch.cat([own[:k], own[k + 1 :]])[..., :dim]
                instead = (-1) ** k * cofactors(others, primes)
                some = later[:, k].nonzero()[:, 0]
                share = (asked[:, some, :dim] * instead[:, mine[some]]).sum(2)
                shares[:, begin + some, k] = centred(share, primes)
        return points, values, shares

    def _forms(self, program: _Program, cells: Cells, last: int) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Rows as linear forms (P, n_rows, m, D + 1), up to the last asked for, batch by batch of m cells.

        With vertices, a slice of so many, and the cell (n,) of each in the batch.
        """
        n_primes, width = len(program.primes), self._dim + 1
        at_once = max(AT_ONCE // (self._widest * width * n_primes), 1)
        for start in range(0, len(cells.words), at_once):
            batch = cells.words[start : start + at_once]
            state = torch.eye(width, dtype=torch.float64)[None, :, None]
            state = state.expand(n_primes, -1, len(batch), -1).flatten(2)  # (P, S + 1, m (D + 1))
            rows = [program.walls @ state]
            n_rows = rows[0].shape[1]
            for z, after in self._advance(program, state, batch):
                if n_rows > last:
                    break
                rows.append(z)
                state, n_rows = after, n_rows + z.shape[1]
            if n_rows <= last:
                rows.append(centred(program.head @ state, program.primes))
            ends = torch.searchsorted(cells.cell, torch.tensor([start, start + len(batch)])).tolist()
            forms = torch.cat(rows, dim=1).view(n_primes, -1, len(batch), width)
            yield slice(*ends), cells.cell[slice(*ends)] - start, forms

    def _modulo(self, primes: tuple[int, ...]) -> _Program:
        if primes in self._kept:
            return self._kept[primes]
        layers = []
        for affine, last, block in zip(self._affine, self._output_maps, self._program.blocks, strict=True):
            shift, mix_shift = (
                torch.tensor([pow(2, shift, prime) for prime in primes], dtype=torch.float64)[:, None, None]
                for shift in (block.affine.shift, block.mix_shift)
            )
            output_map = None if last is None else last.modulo(primes)
            layers.append(_Layer(affine.modulo(primes), shift, output_map, mix_shift, block.n_state))
        found = _Program(
            torch.tensor(primes, dtype=torch.float64)[:, None, None],
            self._walls.modulo(primes),
            layers,
            self._head.modulo(primes),
        )
        if self._n_entries <= KEPT:
            self._kept[primes] = found
        return found

    def _advance(self, program: _Program, state: Tensor, words: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Preactivations (P, N, n (D + 1)) of each layer, and the state behind it."""
        active, n_done = self._layout.masks(words, torch.float64).T.repeat_interleave(self._dim + 1, 1), 0
        primes = program.primes
        for affine, shift, output_map, mix_shift, n_state in program.layers:
            z = centred(affine @ state, primes)
            n_neurons = z.shape[1]
            hidden, n_done = z * active[n_done : n_done + n_neurons], n_done + n_neurons
            before = torch.cat([state[:, :n_state], state[:, -1:]], dim=1)
            before = centred(before * shift, primes)
            state = torch.cat([hidden, before], dim=1)
            if output_map is not None:
                ones = centred(before[:, -1:] * mix_shift, primes)
                state = torch.cat([centred(output_map @ state, primes), ones], dim=1)
            yield z, state


def _swapped(words: Tensor) -> Tensor:
    """Reverse the order of the bytes of words (m, W), the first rows of which are the lowest bits."""
    return words.contiguous().view(torch.uint8).unflatten(1, (-1, 8)).flip(2).flatten(1).view(torch.int64)


def _absolute(affine: IntegerAffine) -> IntegerAffine:
    return replace(affine, entries=tuple(tuple(map(abs, row)) for row in affine.entries))
