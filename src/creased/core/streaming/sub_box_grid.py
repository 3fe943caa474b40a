"""A regular grid of sub-boxes of a box."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.domains.box import Box

Place = tuple[int, ...]  # of a sub-box, one number an axis


class SubBoxGrid(NamedTuple):
    """So many sub-boxes an axis, with planes that are moved out of planes of symmetry."""

    box: Box
    n: int
    shift: float  # of the planes between them, as a share of the side of a sub-box, in (0, 1)

    def planes(self) -> Tensor:
        """Coordinates (D, n + 1) of the planes; the first and the last are walls of the box."""
        lower, upper = (torch.tensor(x, dtype=torch.float64) for x in (self.box.lower, self.box.upper))
        shares = (torch.arange(self.n + 1) - 0.5 + self.shift).double() / self.n
        planes = lower[:, None] + (upper - lower)[:, None] * shares
        planes[:, 0], planes[:, -1] = lower, upper
        return planes

    def at(self, place: Place) -> Box:
        """Make the sub-box at a place."""
        planes = self.planes().tolist()
        lower, upper = ([p[i + k] for p, i in zip(planes, place, strict=True)] for k in (0, 1))
        return Box(lower, upper)

    def places(self, points: Tensor) -> list[Place]:
        """Find the sub-box of each point (m, D)."""
        inner = self.planes()[:, 1:-1].contiguous()
        columns = points.T.contiguous().cpu().double()
        found = [torch.bucketize(x, planes) for x, planes in zip(columns, inner, strict=True)]
        return [tuple(place) for place in torch.stack(found, dim=1).tolist()]

    def across(self, place: Place, wall: int) -> Place | None:
        """Return the sub-box across a wall of that at a place; None outside of the box."""
        axis = wall // 2
        i = place[axis] + (1 if wall % 2 else -1)
        return (*place[:axis], i, *place[axis + 1 :]) if 0 <= i < self.n else None

    def neighbours(self, place: Place) -> dict[int, Place]:
        """Map each wall that is no wall of the box to the sub-box across it."""
        across = {wall: self.across(place, wall) for wall in range(2 * len(place))}
        return {wall: found for wall, found in across.items() if found is not None}
