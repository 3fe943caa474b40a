"""Smooth noisy oriented points: move them onto a surface fitted over a width that the noise asks for.

With a width of h spacings a fit averages about h^2 points, so its variance is s^2 / h^2 at noise s, and its
bias b h^2 on what is curved; the mean square residual of the points is about s^2 + b^2 h^4. Two residuals
give s and b, and these the width of least error. Where the noise exceeds the spacing, the nearest points of a
point err as it does and s comes out too small: points are smoothed again while the width is large.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from creased.meshes.point_index import PointIndex

WIDTHS = (4.0, 6.0)  # of the two fits, in spacings
RANGE = (1.0, 5.0)  # of the width that is chosen
AGAIN = 2.0  # a width from which on points are smoothed once more
ROUNDS = 3  # at most
N = 5000  # points at which residuals are measured
STEPS = 2  # projections onto the fitted surface


class Smoothed(NamedTuple):
    """Points moved onto the surface that is fitted to them."""

    points: PointIndex  # with their normals there
    noise: float  # root mean square of the distances by which they were moved


def smooth(index: PointIndex, rng: np.random.Generator) -> Smoothed:
    """Move points onto the surface fitted with the width that their noise asks for."""
    smoothed = index
    for _ in range(ROUNDS):
        width = choose_width(smoothed, rng)
        points = smoothed.points
        for _ in range(STEPS):
            fitted = smoothed.fit(points, width)
            points = points - fitted.distance[:, None] * fitted.normal
        smoothed = PointIndex(points, smoothed.fit(points, width).normal)
        if width < AGAIN:
            break
    moved = smoothed.points - index.points
    return Smoothed(smoothed, float(np.sqrt(np.square(moved).sum(axis=1).mean())))


def choose_width(index: PointIndex, rng: np.random.Generator) -> float:
    """Choose the width of least error, in spacings, by residuals at two widths."""
    chosen = index.points
    if len(chosen) > N:
        chosen = chosen[rng.choice(len(chosen), N, replace=False)]
    narrow, wide = (float(np.square(index.fit(chosen, width).distance).mean()) for width in WIDTHS)
    curved = max(wide - narrow, np.finfo(np.float64).tiny) / (WIDTHS[1] ** 4 - WIDTHS[0] ** 4)  # b^2
    noise = max(narrow - curved * WIDTHS[0] ** 4, 0.0)  # s^2
    return float(np.clip((noise / (2 * curved)) ** (1 / 6), *RANGE))
