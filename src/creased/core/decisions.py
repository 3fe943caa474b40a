"""Signs in doubt are decided exactly while a complex is cut.

Subdivision takes its signs from floating-point values. Values that are small, by a band that is far wider
than their rounding mostly is, are looked at here: the vertex is solved for in rationals, and the network
evaluated there. What the loop does with signs is combinatorics, so that with right signs the complex is
right, wherever rounding puts its vertices. That no sign outside of the band is wrong is proven elsewhere, see
`creased.core.certify`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from creased.core.pairing import CellCodes
from creased.core.rationals import ExactRows


@dataclass
class Decisions:
    """Decides signs of one arrangement."""

    exact: ExactRows
    band: float  # values below this, relative to the largest, are in doubt
    n_decided: int = 0  # signs that were decided so far

    def settle(
        self, values: Tensor, codes: CellCodes, points: Tensor, first_row: int, largest: float
    ) -> None:
        """Give small values their true signs, in place; 0 where they are zero.

        Args:
            values: (n, N), affine on cells.
            codes: of the vertices that they belong to, with respect to the rows before.
            points: about where those are, (n, D), or (n, D + 1) in homogeneous coordinates.
            first_row: the row of the first value.
            largest: what the band is relative to.
        """
        bound = self.band * largest
        vertex, column = (values.abs() <= bound).nonzero(as_tuple=True)
        if not vertex.numel():
            return
        chosen, place = torch.unique(vertex, return_inverse=True)
        signs = torch.tensor([self._signs(codes, points, int(v)) for v in chosen.tolist()])
        mine = signs.to(values.device)[place, first_row + column].to(values.dtype)
        kind = torch.finfo(values.dtype)
        least = max(kind.eps * bound, kind.tiny)  # where a value that rounding made zero is not
        values[vertex, column] = mine * values[vertex, column].abs().clamp(min=least)
        self.n_decided += vertex.numel()

    def _signs(self, codes: CellCodes, points: Tensor, vertex: int) -> tuple[int, ...]:
        zero_ids, words = codes.zero_ids[vertex].tolist(), codes.words[vertex].tolist()
        return self.exact.signs(self.exact.vertex(zero_ids, words, points[vertex].tolist()))
