"""Polygons of any number of corners: cycles of vertices, one behind the other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Polygons:
    """Polygons as cycles of vertices, one behind the other."""

    offsets: Tensor  # (F + 1,) int64: polygon i is indices[offsets[i] : offsets[i + 1]]
    indices: Tensor  # (n,) int64: vertices, in order around each polygon

    @staticmethod
    def of_sizes(sizes: Tensor, indices: Tensor) -> Polygons:
        """Make polygons of given sizes (F,) int64 from cycles (n,); those of size 0 are left out."""
        return Polygons(torch.nn.functional.pad(sizes[sizes > 0].cumsum(0), (1, 0)), indices)

    @property
    def n(self) -> int:
        """Number of polygons F."""
        return self.offsets.shape[0] - 1

    @property
    def sizes(self) -> Tensor:
        """Corners (F,) int64 of each polygon."""
        return self.offsets.diff()

    def owners(self) -> Tensor:
        """The polygon (n,) int64 of each corner."""
        return torch.repeat_interleave(torch.arange(self.n, device=self.offsets.device), self.sizes)

    def following(self) -> Tensor:
        """The position (n,) int64 in ``indices`` of the next corner around the same polygon."""
        following = torch.arange(1, self.indices.shape[0] + 1, device=self.indices.device)
        following[self.offsets[1:] - 1] = self.offsets[:-1]
        return following

    def triangles(self) -> tuple[Tensor, Tensor]:
        """Fans (T, 3) int64 from the first corner of each polygon, and the polygon (T,) of each triangle."""
        owners = self.owners()
        position = torch.arange(self.indices.shape[0], device=self.indices.device)
        middle = ((position > self.offsets[owners]) & (position < self.offsets[owners + 1] - 1)).nonzero()[
            :, 0
        ]
        apex = self.indices[self.offsets[owners[middle]]]
        return torch.stack([apex, self.indices[middle], self.indices[middle + 1]], dim=1), owners[middle]
