"""Prove that convex bodies stay within an error of {f < level}, by branch and bound on a tree of boxes.

The signed distance s from the surface of {f < level} changes by no more than the way between two points. No
point of a box around c of radius r is thus farther from {f < level} than s(c) + r: a box is settled where
that is within the error, or where it misses the body; others are divided, until one has its centre in the
body and farther away, or they are so small or so many that they are in doubt, which counts as farther. The
tree is shared by all bodies, and grows where they need it.

Distances are by warp-lang in single precision, in the unit of the size; its rounding counts as distance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from creased.core.numerics.tensors import Growable
from creased.decomposition.exact_unions import ROUNDING
from creased.decomposition.inside_cells import InsideCells
from creased.regions.triangulation import boundary_faces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

FINEST = 1 / 16  # of the error: radius of the smallest boxes
MOST_BOXES = 1 << 13  # of one size that are divided for one body
SINGLE = 2e-6  # rounding of distances, of the size; of coordinates up to 1 it is a tenth of that


class OffsetTree:
    """Boxes around {f < level}, their children twice as small.

    Args:
        cells: of {f < level}.
        is_inside: true of points (n, D) float64 in {f < level} and its domain.
        error: that is allowed, a length.

    Raises:
        ImportError: warp-lang is not installed.
    """

    def __init__(self, cells: InsideCells, is_inside: Callable[[Tensor], Tensor], error: float) -> None:
        from creased.meshes.queries import TriangleIndex

        low, high = cells.vertices.amin(0), cells.vertices.amax(0)
        self.error = error
        self._is_inside, self._low, self._size = is_inside, low, float((high - low).max())
        faces = boundary_faces(cells.simplices).numpy()
        self._surface = TriangleIndex(*_surface(self._placed(cells.vertices), faces))
        self._noise = ROUNDING * self._size
        self._half = (high - low).numpy() / 2
        self._towards = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0]).double()] * len(low)).numpy()
        self._centres = Growable(((low + high) / 2)[None])
        self._distances = Growable(self._signed_distances(self._centres.rows))
        self._children = Growable(torch.full((1,), -1))

    def holds(self, planes: Floats, inner: Sequence[Floats]) -> bool:
        """Tell if a convex body is proven to stay within the error.

        Args:
            planes: (n, D + 1) the body is where they are <= 0; of unit normals, the constant last.
            inner: of bodies in it that are known to stay within the error: those of their planes (m, D + 1)
                that are not planes of the body.
        """
        import numpy as np

        boxes, half = np.zeros(1, dtype=np.int64), self._half
        while True:
            radius = float(np.linalg.norm(half))
            boxes = boxes[self._distances.rows.numpy()[boxes] + radius > self.error]
            centres = self._centres.rows.numpy()[boxes]
            heights = centres @ planes[:, :-1].T + planes[:, -1]
            is_open = (heights <= np.abs(planes[:, :-1]) @ half + self._noise).all(axis=1)
            for walls in inner:
                beyond = centres @ walls[:, :-1].T + walls[:, -1] + np.abs(walls[:, :-1]) @ half
                is_open &= (beyond > 0).any(axis=1)
            boxes, heights = boxes[is_open], heights[is_open]
            if not len(boxes):
                return True
            is_farther = (self._distances.rows.numpy()[boxes] > self.error) & (heights <= 0).all(axis=1)
            if is_farther.any() or radius <= FINEST * self.error or len(boxes) > MOST_BOXES:
                return False
            boxes, half = self._divided(boxes, half / 2), half / 2

    def _divided(self, boxes: NDArray[Any], half: Floats) -> NDArray[Any]:
        """Children of boxes, made where there are none yet."""
        new = boxes[self._children.rows.numpy()[boxes] < 0]
        n = len(self._towards)
        if len(new):
            centres = self._centres.rows.numpy()[new][:, None] + self._towards * half
            first = self._children.n + n * torch.arange(len(new))
            self._children.rows[torch.from_numpy(new)] = first
            self._children.append(torch.full((n * len(new),), -1))
            made = torch.from_numpy(centres.reshape(-1, len(half)))
            self._centres.append(made)
            self._distances.append(self._signed_distances(made))
        return (self._children.rows.numpy()[boxes][:, None] + torch.arange(n).numpy()).reshape(-1)

    def _placed(self, points: Tensor) -> Floats:
        """Points (n, D) in the unit of the size, of three coordinates."""
        placed = (points - self._low) / self._size
        return torch.nn.functional.pad(placed, (0, 3 - points.shape[1])).numpy()

    def _signed_distances(self, points: Tensor) -> Tensor:
        """Signed distances (n,) of points (n, D), negative inside, and no less than they are."""
        found = torch.from_numpy(self._surface.nearest(self._placed(points)).distance).double()
        return self._size * (torch.where(self._is_inside(points), -found, found) + SINGLE)


def _surface(points: Floats, faces: NDArray[Any]) -> tuple[Floats, NDArray[Any]]:
    """Triangles that are as near to points as faces (n, D) are; of D = 2 they stand upright on segments."""
    import numpy as np

    if faces.shape[1] == 3:
        return points, faces
    above = np.array([[0.0, 0.0, 1.0]]) + points
    return np.concatenate([points, above]), np.column_stack([faces, faces[:, 1] + len(points)])
