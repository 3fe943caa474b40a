"""Cut a solid in half until the hull of what is in each box is near to it.

In a box the solid has its vertices at corners of the box, and on its own boundary clipped to the box. Their
hull is a piece where samples of its facets are within a share of the error, and it is proven to stay within
the error; else the box around it is cut across its longest side. What is left of the error is for merging.
A box is expected to hold as many pieces as its hull sticks out by shares, as on a smooth surface.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from creased.core.numerics.memory import CellLimitError
from creased.decomposition.greedy_merge import Bodies, Body
from creased.decomposition.hulls import hull_of, planes_around
from creased.decomposition.offset_tree import OffsetTree
from creased.decomposition.solid import Solid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

SHARE = 0.25  # of the error, that a piece may stick out by at samples of its facets
NO_THICKNESS = 1e-9  # of what is no piece, of the size of the solid
MOST_PIECES = 10_000  # to merge them takes some minutes
DOUBT = 4  # times as many as allowed have to be expected, where they are not there yet
TELL = 1000  # boxes from one line of progress to the next


class _Box(NamedTuple):
    """A box, and the boundary of the solid in it."""

    triangles: Floats  # (n, 3, 3)
    low: Floats  # (3,)
    high: Floats


class _Piece(NamedTuple):
    """The hull of a solid in a box."""

    points: Floats  # (v, 3): extreme ones
    hull: Any  # scipy.spatial.ConvexHull
    box: _Box  # the least


def bisect(
    solid: Solid, tree: OffsetTree, max_pieces: int, progress: Callable[[str], None]
) -> tuple[Floats, Bodies]:
    """Cut a solid of three dimensions into pieces.

    Returns:
        Vertices (V, 3) and the pieces, those next to each other neighbours.

    Raises:
        CellLimitError: there are more pieces than allowed, or will be; the message has the numbers.
    """
    points = solid.vertices.numpy()
    whole = _Box(points[solid.faces.numpy()], points.min(axis=0), points.max(axis=0))
    pieces, boxes = list[_Piece](), deque([(whole, 1.0)])
    n_expected, n_cut = 1.0, 0  # pieces in all boxes; boxes that were looked at
    while boxes:
        box, n_in_box = boxes.popleft()
        piece = _hull_inside(solid, box, NO_THICKNESS * (whole.high - whole.low).max())
        n_expected -= n_in_box
        if piece is None:
            continue
        shares = _sticks_out(piece, tree) / (SHARE * tree.error)
        if shares <= 1 and tree.holds(planes_around(piece.hull), []):
            pieces.append(piece)
        else:
            boxes.extend((half, max(1.0, shares / 2)) for half in _halves(piece.box))
            n_expected += 2 * max(1.0, shares / 2)
        n = max(len(pieces) + len(boxes), int(len(pieces) + n_expected) // DOUBT)
        if n > max_pieces:
            raise CellLimitError(
                f"convex parts: some {n:,} pieces or more are needed within {tree.error:.3g}; more than "
                f"max_cells={max_pieces:,}: take a larger error, or a smaller box"
            )
        if (n_cut := n_cut + 1) % TELL == 0:
            progress(f"{n_cut:,} boxes: {len(pieces):,} pieces, and {len(boxes):,} boxes to be cut")
    return _as_bodies(pieces, tree.error)


def _hull_inside(solid: Solid, box: _Box, thickness: float) -> _Piece | None:
    """Hull of a solid in a box; None where it has no volume."""
    import numpy as np
    from scipy.spatial import QhullError

    corners = np.array([*product(*zip(box.low, box.high, strict=True))])
    is_inside = solid.contains(torch.from_numpy(corners)).numpy()
    points = np.concatenate([box.triangles.reshape(-1, 3), corners[is_inside]])
    if not len(points) or np.ptp(points, axis=0).min() <= thickness:
        return None
    try:
        hull = hull_of(points)
    except QhullError:
        if np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[-1] > thickness:
            raise
        return None
    least = _Box(box.triangles, points.min(axis=0), points.max(axis=0))
    return _Piece(points[hull.vertices], hull, least)


def _sticks_out(piece: _Piece, tree: OffsetTree) -> float:
    """Largest signed distance of centroids and edges of facets."""
    import numpy as np

    facets = piece.hull.points[piece.hull.simplices]
    middles = [(facets[:, j] + facets[:, k]) / 2 for j, k in combinations(range(3), 2)]
    samples = torch.from_numpy(np.concatenate([facets.mean(axis=1), *middles]))
    return float(tree.signed_distances(samples).max())


def _halves(box: _Box) -> tuple[_Box, _Box]:
    """Cut a box across its longest side."""
    axis = int((box.high - box.low).argmax())
    at = (box.low[axis] + box.high[axis]) / 2
    below, above = clip(box.triangles, axis, at)
    middle_high, middle_low = box.high.copy(), box.low.copy()
    middle_high[axis] = middle_low[axis] = at
    return _Box(below, box.low, middle_high), _Box(above, middle_low, box.high)


def clip(triangles: Floats, axis: int, at: float) -> tuple[Floats, Floats]:
    """Cut triangles (n, 3, 3) by a plane across an axis, into those below and those above.

    One corner of a triangle that is cut is on its side alone; triangles in the plane are on both sides.
    """
    import numpy as np

    heights = triangles[:, :, axis] - at
    is_cut = (heights.min(axis=1) < 0) & (heights.max(axis=1) > 0)
    below = triangles[~is_cut & (heights.max(axis=1) <= 0)]
    above = triangles[~is_cut & (heights.min(axis=1) >= 0)]
    triangles, heights = triangles[is_cut], heights[is_cut]
    is_alone_below = (heights < 0).sum(axis=1) == 1
    alone = np.where(is_alone_below, heights.argmin(axis=1), heights.argmax(axis=1))
    turned = (alone[:, None] + np.arange(3)) % 3
    tip, *base = np.moveaxis(np.take_along_axis(triangles, turned[:, :, None], 1), 1, 0)
    depth, *others = np.moveaxis(np.take_along_axis(heights, turned, 1)[:, :, None], 1, 0)
    ends = [tip + depth / (depth - other) * (end - tip) for end, other in zip(base, others, strict=True)]
    for end in ends:
        end[:, axis] = at
    (first, second), (left, right) = base, ends
    point = np.stack([tip, left, right], axis=1)
    rest = np.stack([left, first, second, left, second, right], axis=1).reshape(-1, 2, 3, 3)
    sides = (is_alone_below, ~is_alone_below)
    below, above = (
        np.concatenate([whole, point[is_tip], rest[~is_tip].reshape(-1, 3, 3)])
        for whole, is_tip in zip((below, above), sides, strict=True)
    )
    return below, above


def _as_bodies(pieces: list[_Piece], error: float) -> tuple[Floats, Bodies]:
    """Number vertices, and find pieces whose boxes share a rectangle."""
    import numpy as np

    if not pieces:
        return np.zeros((0, 3)), Bodies({}, {}, [0])
    every = np.concatenate([piece.points for piece in pieces])
    points, place = np.unique(every, axis=0, return_inverse=True)
    numbers = np.split(place.reshape(-1), np.cumsum([len(piece.points) for piece in pieces])[:-1])
    of = {
        k: Body(frozenset(mine.tolist()), float(piece.hull.volume), error)
        for k, (piece, mine) in enumerate(zip(pieces, numbers, strict=True))
    }
    low, high = (np.array(sides) for sides in zip(*(piece.box[1:] for piece in pieces), strict=True))
    around: dict[int, dict[int, int]] = {k: {} for k in of}
    for k in of:
        shared = np.minimum(high[k], high[k + 1 :]) - np.maximum(low[k], low[k + 1 :])
        is_next = (shared >= 0).all(axis=1) & ((shared > 0).sum(axis=1) >= 2)
        for other in (k + 1 + np.flatnonzero(is_next)).tolist():
            around[k][other] = around[other][k] = 0
    return points, Bodies(of, around, [0])
