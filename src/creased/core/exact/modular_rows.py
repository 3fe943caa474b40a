"""Exact signs at many vertices at once, by residues modulo primes.

The point on D rows of a cell has the D x D minors of their coefficients as coordinates, and what another row
is there is a determinant, too: integers that are found by their residues, from the rows as linear forms
(`creased.core.exact.modular_program`).

Rows are those of the cell that packed signs name. If they have the signs of the cell, or vanish, they are
those of the network: a row depends on the signs of earlier ones, and not on signs of those that vanish.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout, pack_rows
from creased.core.exact.elimination import Vector
from creased.core.exact.integer_program import IntegerAffine, IntegerProgram
from creased.core.exact.modular_program import ModularProgram, SplitProgram
from creased.core.exact.residues import Moduli, centred, cofactors
from creased.core.native.available import is_native
from creased.core.numerics.tolerance import coincidence

if TYPE_CHECKING:
    from creased.core.exact.compiled_rows import CompiledRows

AT_ONCE = 1 << 18  # coefficients of forms of a layer that are worked on at once
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


class ModularRows:
    """Walls, neurons and outputs of one program at vertices, modulo primes.

    Args:
        program: in integers.
        walls: as affine functions, the first rows.
        layout: how rows are numbered.
    """

    def __init__(self, program: IntegerProgram, walls: IntegerAffine, layout: RowLayout) -> None:
        self._program, self._dim = SplitProgram(program, walls, layout), program.in_dim

    def look(self, codes: CellCodes, vertex: Tensor, row: Tensor, *, shares: bool = True) -> Residues:
        """Evaluate rows (k,) at vertices (k,), ascending, of those with these codes (n, ...).

        Shares only if they are wanted.
        """
        cells, vertex, row, n_shares = Cells.of(codes), vertex.cpu(), row.cpu(), self._dim * shares
        last = int(torch.cat([row, cells.zero_ids.flatten(), row.new_zeros(1)]).amax())
        moduli = self._program.moduli(last)
        batches = self._program.batches(moduli)
        if is_native(row.device):
            return Residues(moduli, *self._compiled.look(cells, vertex, row, last, batches, n_shares))
        place = cells.place
        pairs = place[vertex].argsort()
        vertex, row = place[vertex][pairs], row[pairs]
        programs = map(self._program.modulo, batches)
        found = [self._look(program, cells, vertex, row, last, n_shares) for program in programs]
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
        n_rows = self._program.layout.n_rows
        parts = zip(*(part.split(max(ASKED // n_rows, 1)) for part in codes), strict=True)
        found = [self._zeros(Cells.of(CellCodes(*part))) for part in parts]
        return torch.cat([*found, torch.zeros((0, n_rows), dtype=torch.bool)])

    @cached_property
    def _compiled(self) -> CompiledRows:
        from creased.core.exact.compiled_rows import CompiledRows

        return CompiledRows(self._program)

    def _zeros(self, cells: Cells) -> Tensor:
        last = self._program.layout.n_rows - 1
        batches = self._program.batches(self._program.moduli(last))
        if is_native(cells.words.device):
            return self._compiled.zeros(cells, last + 1, batches)
        vanishes = torch.ones((len(cells.place), last + 1), dtype=torch.bool)
        for program in map(self._program.modulo, batches):
            for part, cell, forms in self._forms(program, cells, last):
                for own, prime in zip(forms, program.primes[:, 0], strict=True):
                    point = cofactors(own[cells.zero_ids[part].T, cell], prime)
                    mine, row = vanishes[part].nonzero().unbind(1)  # after the first prime few are left
                    value = centred((own[row, cell[mine]] * point[mine]).sum(1), prime)
                    vanishes[mine + part.start, row] = value == 0
        return vanishes[cells.place]

    def _look(
        self, program: ModularProgram, cells: Cells, vertex: Tensor, row: Tensor, last: int, n_shares: int
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

    def _forms(
        self, program: ModularProgram, cells: Cells, last: int
    ) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Rows as linear forms (P, n_rows, m, D + 1), up to the last asked for, batch by batch of m cells.

        With vertices, a slice of so many, and the cell (n,) of each in the batch.
        """
        at_once = max(AT_ONCE // (self._program.widest * (self._dim + 1) * len(program.primes)), 1)
        for start in range(0, len(cells.words), at_once):
            batch = cells.words[start : start + at_once]
            ends = torch.searchsorted(cells.cell, torch.tensor([start, start + len(batch)])).tolist()
            yield slice(*ends), cells.cell[slice(*ends)] - start, program.forms(batch, last)


def _swapped(words: Tensor) -> Tensor:
    """Reverse the order of the bytes of words (m, W), the first rows of which are the lowest bits."""
    return words.contiguous().view(torch.uint8).unflatten(1, (-1, 8)).flip(2).flatten(1).view(torch.int64)
