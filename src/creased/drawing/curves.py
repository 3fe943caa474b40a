"""Tropical curves and their dual subdivisions, side by side.

The curve of a tropical polynomial in two variables is where two monomials or more attain the maximum. Its
regions belong to the monomials, which are the points of the dual subdivision of the Newton polytope: both
have the same colour and number. Dual edges are perpendicular (Maclagan and Sturmfels 2015, proposition
3.1.6). Everything is computed in integers and rounded at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from creased.core.domains.box import Box
from creased.core.numerics.tolerance import get_epsilon
from creased.drawing.palette import INK, by_place
from creased.drawing.plane import frame
from creased.tropical.algebra.epigraphs import Epigraph, Point, epigraph
from creased.tropical.algebra.polynomials import TropicalPolynomial
from creased.tropical.algebra.subdivisions import DualSubdivision, dual_subdivision

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATTICE = 40  # widest Newton polytope whose lattice points are shown
GRID = 60  # candidate positions of a number, in each direction


@dataclass(frozen=True)
class TropicalCurve:
    """The part of a tropical curve in a box, and the whole dual subdivision."""

    regions: list[NDArray[np.float64]]  # m of (n, 2): corners in the box, counter-clockwise; none outside
    segments: NDArray[np.float64]  # (S, 2, 2): edges of the curve in the box
    pairs: NDArray[np.int64]  # (S, 2): the two monomials that are equal on each
    vertices: NDArray[np.float64]  # (V, 2): all, those outside the box too
    slopes: NDArray[np.float64]  # (m, 2)
    dual: DualSubdivision
    domain: Box

    def __repr__(self) -> str:
        return (
            f"tropical curve in {self.domain}: {len(self.vertices):,} vertices, {len(self.segments):,} edges"
        )


def flatten_curve(polynomial: TropicalPolynomial, domain: Box | None = None) -> TropicalCurve:
    """Compute the curve of a tropical polynomial in two variables.

    Args:
        polynomial: exact; monomials that are not essential are left out.
        domain: the box to show; by default one around all vertices, or what of parallel lines is near 0.

    Raises:
        ValueError: there are other than two variables.
    """
    if polynomial.dim != 2:
        raise ValueError(f"flatten_curve: needs two variables, got {polynomial.dim}")
    dual = dual_subdivision(polynomial)
    domain = _around(dual) if domain is None else domain
    above = epigraph(dual.polynomial.slopes, dual.polynomial.coefficients, domain)
    ends = [(pair, as_points(_corners(above, pair))) for pair in dual.edges]
    inside = [(pair, segment) for pair, segment in ends if len(segment) == 2]
    return TropicalCurve(
        [in_order(as_points(_corners(above, [i]))) for i in range(dual.polynomial.n)],
        np.array([segment for _, segment in inside]).reshape(-1, 2, 2),
        np.array([pair for pair, _ in inside], dtype=np.int64).reshape(-1, 2),
        as_points(dual.vertices),
        as_points(dual.polynomial.slopes),
        dual,
        domain,
    )


def as_points(points: Iterable[Point], dim: int = 2) -> NDArray[np.float64]:
    """Round exact points to an array (n, dim)."""
    return np.array([[float(x) for x in point] for point in points]).reshape(-1, dim)


def in_order(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Order the corners (n, 2) of a convex polygon counter-clockwise."""
    arms = points - points.mean(0) if len(points) else points
    return points[np.argsort(np.arctan2(arms[:, 1], arms[:, 0]), kind="stable")]


def _around(dual: DualSubdivision) -> Box:
    """Make a square around the vertices, with a margin for unbounded parts."""
    return _square(as_points(dual.vertices or _feet(dual) or [(Fraction(0), Fraction(0))]), 0.9)


def _feet(dual: DualSubdivision) -> list[Point]:
    """Find the point nearest to 0 of each line of a curve without vertices."""
    monomials = list(zip(dual.polynomial.slopes, dual.polynomial.coefficients, strict=True))
    feet = []
    for i, j in dual.edges:
        (slope, constant), (other, least) = monomials[i], monomials[j]
        normal = [a - b for a, b in zip(slope, other, strict=True)]
        share = (least - constant) / sum(a * a for a in normal)
        feet.append(tuple(share * a for a in normal))
    return feet


def _square(points: NDArray[np.float64], share: float) -> Box:
    """Make a square around points (n, 2), half as wide as this share of their extent."""
    low, high = points.min(0), points.max(0)
    half = float((high - low).max()) * share or 1.0
    x, y = ((low + high) / 2).tolist()
    return Box((x - half, y - half), (x + half, y + half))


def _corners(above: Epigraph, monomials: Sequence[int]) -> list[Point]:
    return [(Fraction(x, t), Fraction(y, t)) for x, y, _, t in above.rays_of(monomials) if t]


def draw_curve(
    axes: Any, curve: TropicalCurve, *, colours: NDArray[Any] | None = None, numbers: bool = True
) -> None:
    """Draw a curve, its regions coloured and numbered as their monomials, its vertices as dots.

    Args:
        axes: of matplotlib.
        curve: see `flatten_curve`.
        colours: (m, 3), of the monomials; by default by place in the Newton polytope.
        numbers: whether to number the regions.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.collections import LineCollection, PolyCollection

    colours = by_place(curve.slopes) if colours is None else colours
    there = [i for i, corners in enumerate(curve.regions) if len(corners)]
    polygons = [curve.regions[i] for i in there]
    axes.add_collection(PolyCollection(polygons, facecolors=colours[there], edgecolors="face", lw=0.2))
    lines = LineCollection(list(curve.segments), colors=INK, linewidths=1.3, capstyle="round")
    axes.add_collection(lines)
    axes.scatter(*curve.vertices.T, s=26, color=INK, zorder=3)
    if numbers:
        for i in there:
            _number(axes, _middle(curve.regions[i]), i)
    frame(axes, curve.domain)


def draw_dual(
    axes: Any,
    curve: TropicalCurve,
    *,
    colours: NDArray[Any] | None = None,
    bold: NDArray[np.bool_] | None = None,
    numbers: bool = True,
) -> None:
    """Draw the dual subdivision, its points coloured and numbered as the regions.

    Args:
        axes: of matplotlib.
        curve: see `flatten_curve`.
        colours: (m, 3), of the monomials; by default by place in the Newton polytope.
        bold: (E,), the edges of ``curve.dual`` to draw bold.
        numbers: whether to number the points.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.collections import LineCollection, PolyCollection

    colours = by_place(curve.slopes) if colours is None else colours
    cells = [in_order(curve.slopes[list(cell)]) for cell in curve.dual.cells]
    axes.add_collection(PolyCollection(cells, facecolors="#f1f3f6", edgecolors="none"))
    edges = curve.slopes[np.array(curve.dual.edges, dtype=np.int64).reshape(-1, 2)]
    widths = np.full(len(edges), 1.3) if bold is None else np.where(bold, 3.0, 1.1)
    axes.add_collection(LineCollection(list(edges), colors=INK, linewidths=widths, capstyle="round"))
    axes.scatter(*_lattice(curve.slopes).T, s=5, color="#b4bcc8", zorder=1.5)
    size = 150 if numbers else 40
    axes.scatter(*curve.slopes.T, s=size, c=colours, edgecolors=INK, linewidths=1.1, zorder=3)
    if numbers:
        for i, slope in enumerate(curve.slopes):
            _number(axes, slope, i)
    frame(axes, _square(curve.slopes, 0.6))


def _number(axes: Any, place: NDArray[np.float64], i: int) -> None:
    axes.text(*place, str(i + 1), ha="center", va="center", fontsize=8, color=INK, zorder=4, clip_on=True)


def _middle(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the point of a grid in a convex polygon (n, 2) that is farthest from its sides."""
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(sides, axis=1)
    long = lengths > get_epsilon(torch.float64) * lengths.max()  # a crease may nearly meet a corner
    normals = np.stack([-sides[long, 1], sides[long, 0]], axis=1) / lengths[long, None]
    x, y = np.linspace(corners.min(0), corners.max(0), GRID).T
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    points = np.append(points, [corners.mean(0)], axis=0)  # maybe the only one in a sliver
    depth = ((points[:, None] - corners[long]) * normals).sum(2).min(1)
    middle: NDArray[np.float64] = points[depth > 0.97 * depth.max()].mean(0)
    return middle


def _lattice(slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """List the lattice points around integer slopes; none otherwise."""
    low, high = np.floor(slopes.min(0)), np.ceil(slopes.max(0))
    if (slopes != np.round(slopes)).any() or (high - low).max() > LATTICE:
        return np.empty((0, 2))
    x, y = (np.arange(a, b + 1) for a, b in zip(low, high, strict=True))
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
