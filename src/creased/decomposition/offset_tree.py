"""Prove that convex bodies stay within an error of a solid, by branch and bound on a tree of boxes.

The signed distance s from the surface of the solid changes by no more than the way between two points. No
point of a box around c of radius r is thus farther from the solid than s(c) + r: a box is settled where
that is within the error, or where it misses the body; others are divided, until one has its centre in the
body and farther away, or they are so small or so many that they are in doubt, which counts as farther. The
tree is shared by all bodies, and grows where they need it.

Distances are by warp-lang in single precision, in the unit of the size; its rounding counts as distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from creased.core.numerics.tensors import Growable
from creased.decomposition.exact_unions import ROUNDING
from creased.decomposition.solid import Solid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

FINEST = 1 / 16  # of the error: radius of the smallest boxes
MOST_BOXES = 1 << 15  # of one size that are divided for one body
BATCH = 64  # planes that boxes are compared with at once
SINGLE = 2e-6  # rounding of distances, of the size; of coordinates up to 1 it is a tenth of that


class OffsetTree:
    """Boxes around a solid, their children twice as small.

    Args:
        solid: of two or three dimensions, not empty.
        error: that is allowed, a length.

    Raises:
        ImportError: warp-lang is not installed.
    """

    def __init__(self, solid: Solid, error: float) -> None:
        from creased.meshes.queries import TriangleIndex

        low, high = solid.vertices.amin(0), solid.vertices.amax(0)
        self.error, self.size = error, float((high - low).max())
        self._contains, self._low = solid.contains, low
        self._surface = TriangleIndex(*_surface(self._placed(solid.vertices), solid.faces.numpy()))
        self._noise = ROUNDING * self.size
        self._half = (high - low).numpy() / 2
        self._towards = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0]).double()] * len(low)).numpy()
        self._centres = Growable(((low + high) / 2)[None])
        self._distances = Growable(self.signed_distances(self._centres.rows))
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
            boxes, is_centre_in = self._meeting(boxes, planes, half)
            for walls in inner:
                is_open = self._is_beyond(boxes, walls, half)
                boxes, is_centre_in = boxes[is_open], is_centre_in[is_open]
            if not len(boxes):
                return True
            is_farther = is_centre_in & (self._distances.rows.numpy()[boxes] > self.error)
            if is_farther.any() or radius <= FINEST * self.error or len(boxes) > MOST_BOXES:
                return False
            boxes, half = self._divided(boxes, half / 2), half / 2

    def _meeting(
        self, boxes: NDArray[Any], planes: Floats, half: Floats
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Keep boxes that no plane parts from the body, and tell which have their centres in it."""
        import numpy as np

        is_in = np.ones(len(boxes), dtype=bool)
        for some in _batches(planes):
            heights = self._centres.rows.numpy()[boxes] @ some[:, :-1].T + some[:, -1]
            meets = (heights <= np.abs(some[:, :-1]) @ half + self._noise).all(axis=1)
            boxes, is_in = boxes[meets], (is_in & (heights <= 0).all(axis=1))[meets]
        return boxes, is_in

    def _is_beyond(self, boxes: NDArray[Any], walls: Floats, half: Floats) -> NDArray[Any]:
        """Tell which boxes have a corner beyond a wall of a body."""
        import numpy as np

        is_beyond = np.zeros(len(boxes), dtype=bool)
        for some in _batches(walls):
            left = np.flatnonzero(~is_beyond)
            heights = self._centres.rows.numpy()[boxes[left]] @ some[:, :-1].T + some[:, -1]
            is_beyond[left] = (heights + np.abs(some[:, :-1]) @ half > 0).any(axis=1)
        return is_beyond

    def signed_distances(self, points: Tensor) -> Tensor:
        """Signed distances (n,) of points (n, D), negative inside, and no less than they are."""
        found = torch.from_numpy(self._surface.nearest(self._placed(points)).distance).double()
        return self.size * (torch.where(self._contains(points), -found, found) + SINGLE)

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
            self._distances.append(self.signed_distances(made))
        return (self._children.rows.numpy()[boxes][:, None] + torch.arange(n).numpy()).reshape(-1)

    def _placed(self, points: Tensor) -> Floats:
        """Points (n, D) in the unit of the size, of three coordinates."""
        placed = (points - self._low) / self.size
        return torch.nn.functional.pad(placed, (0, 3 - points.shape[1])).numpy()


def _batches(planes: Floats) -> list[Floats]:
    """Planes (n, D + 1), some at a time."""
    return [planes[k : k + BATCH] for k in range(0, len(planes), BATCH)]


def _surface(points: Floats, faces: NDArray[Any]) -> tuple[Floats, NDArray[Any]]:
    """Triangles that are as near to points as faces (n, D) are; of D = 2 they stand upright on segments."""
    import numpy as np

    if faces.shape[1] == 3:
        return points, faces
    above = np.array([[0.0, 0.0, 1.0]]) + points
    return np.concatenate([points, above]), np.column_stack([faces, faces[:, 1] + len(points)])
