"""Zonotopes of layers with two inputs, in space, above their dual subdivisions.

The upper vertices are dual to the regions of the layer, and coloured as in `draw_curve`; the upper faces
project to the dual subdivision on the floor, whose outline belongs to the unbounded regions. Everything is
computed in integers and rounded at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from itertools import combinations
from operator import mul
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.core.exact.elimination import Vector, primitive
from creased.drawing.curves import as_points, in_order
from creased.drawing.palette import INK, by_place
from creased.tropical.algebra.epigraphs import Point
from creased.tropical.algebra.polynomials import TropicalPolynomial
from creased.tropical.algebra.zonotopes import Zonotope

if TYPE_CHECKING:
    from numpy.typing import NDArray

PALE = "#98a2b1"
FILL = 0.45  # matplotlib's zoom at which the box's diagonal, from the middle, fills the axes
LIGHT = np.array([0.35, -0.5, 0.79])


@dataclass(frozen=True)
class Solid:
    """The boundary of a zonotope in space."""

    vertices: NDArray[np.float64]  # (V, 3): the upper ones first, as `upper_polynomial` has its monomials
    n_upper: int
    faces: tuple[tuple[int, ...], ...]  # corners in order, counter-clockwise seen from outside
    normals: NDArray[np.float64]  # (F, 3): of unit length, outwards

    @property
    def edges(self) -> list[tuple[int, int]]:
        """Edges of the faces, each once."""
        sides = {tuple(sorted(side)) for face in self.faces for side in _sides(face)}
        return [(a, b) for a, b in sorted(sides)]

    def __repr__(self) -> str:
        vertices = f"{len(self.vertices):,} vertices, {self.n_upper:,} of them upper"
        return f"solid of {len(self.faces):,} faces and {vertices}"


def upper_polynomial(zonotope: Zonotope) -> TropicalPolynomial:
    """Sum all max(0, w x + b): its monomials are the upper vertices, its curve the layer's creases."""
    upper = zonotope.upper_vertices()
    return TropicalPolynomial([v[:-1] for v in upper], [v[-1] for v in upper])


def solid_of(zonotope: Zonotope) -> Solid:
    """Compute the faces of a zonotope in space.

    Raises:
        ValueError: its generators span other than three dimensions.
    """
    rows = zonotope.rows()
    pairs = combinations(rows if zonotope.dim == 3 else [], 2)
    normals = {primitive(_cross(a, b)) for a, b in pairs if any(_cross(a, b))}
    if not any(sum(map(mul, n, row)) for n in normals for row in rows):
        raise ValueError(
            "solid_of: needs generators (w, b) that span three dimensions, of a layer of two inputs, got "
            f"{len(rows)} in {zonotope.dim}"
        )
    upper = sorted(zonotope.upper_vertices())
    vertices = upper + sorted(set(zonotope.vertices()) - set(upper))
    outward = sorted(normals | {tuple(-x for x in n) for n in normals})
    points = as_points(vertices, 3)
    units = np.array(outward, dtype=np.float64)
    units /= np.linalg.norm(units, axis=1)[:, None]
    faces = tuple(_face(vertices, points, *pair) for pair in zip(outward, units, strict=True))
    return Solid(points, len(upper), faces, units)


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _face(
    vertices: list[Point], points: NDArray[np.float64], normal: Vector, unit: NDArray[np.float64]
) -> tuple[int, ...]:
    """Collect the vertices that are farthest along a normal, in order around it."""
    heights = [sum(map(mul, normal, vertex)) for vertex in vertices]
    corners = np.array([i for i, height in enumerate(heights) if height == max(heights)])
    arms = points[corners] - points[corners].mean(0)
    first = arms[0] / np.linalg.norm(arms[0])
    angles = np.arctan2(arms @ np.cross(unit, first), arms @ first)
    return tuple(corners[np.argsort(angles)].tolist())


def _sides(face: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip(face, (*face[1:], face[0]), strict=True))


def draw_zonotope(axes: Any, solid: Solid, *, elevation: float = 24, azimuth: float = -62) -> None:
    """Draw a zonotope, upper vertices coloured as their regions, hidden edges dashed, and its shadow.

    Args:
        axes: of matplotlib, with ``projection="3d"``.
        solid: see `solid_of`.
        elevation: of the camera, in degrees.
        azimuth: of the camera, in degrees.

    Raises:
        ImportError: matplotlib is not installed.
    """
    art = _art()
    axes.set_proj_type("ortho")
    axes.view_init(elevation, azimuth)
    axes.computed_zorder = False  # the drawing order is set here
    up, around = np.radians([elevation, azimuth])
    eye = np.array([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)])
    in_front = solid.normals @ eye > 0
    shown = {
        side for face, is_seen in zip(solid.faces, in_front, strict=True) if is_seen for side in _sides(face)
    }
    _draw_shadow(axes, solid)
    for seen in (False, True):
        ends = [solid.vertices[list(e)] for e in solid.edges if (e in shown or e[::-1] in shown) == seen]
        style = {"colors": INK, "linewidths": 1.3} if seen else {"colors": PALE, "linewidths": 0.9}
        dashes = "solid" if seen else (0, (3, 2))
        axes.add_collection3d(art.Line3DCollection(ends, linestyles=dashes, zorder=3 + 2 * seen, **style))
    faces = [solid.vertices[list(f)] for f, is_seen in zip(solid.faces, in_front, strict=True) if is_seen]
    tones = (0.80 + 0.18 * (solid.normals[in_front] @ LIGHT).clip(0, 1))[:, None] * [0.97, 0.985, 1.0]
    axes.add_collection3d(art.Poly3DCollection(faces, facecolors=tones, alpha=0.66, zorder=4))
    _draw_vertices(axes, solid, {i for side in shown for i in side})
    _frame(axes, solid, eye)


def _art() -> Any:
    """Import matplotlib's 3D artists, which are untyped."""
    return import_module("mpl_toolkits.mplot3d.art3d")


def _draw_vertices(axes: Any, solid: Solid, shown: set[int]) -> None:
    """Draw upper vertices as large coloured dots, others small; hidden ones fainter, below the faces."""
    colours = by_place(solid.vertices[: solid.n_upper, :2])
    for seen in (False, True):
        lower = [i for i in range(solid.n_upper, len(solid.vertices)) if (i in shown) == seen]
        upper = [i for i in range(solid.n_upper) if (i in shown) == seen]
        ink = INK if seen else PALE
        style: dict[str, Any] = {"depthshade": False, "zorder": 6 if seen else 3.5}
        axes.scatter(*solid.vertices[lower].T, s=9, color=ink, **style)
        style |= {"edgecolors": ink, "linewidths": 1.1}
        axes.scatter(*solid.vertices[upper].T, s=58, c=colours[upper], **style)


def _draw_shadow(axes: Any, solid: Solid) -> None:
    """Draw the projection of the upper faces to the floor."""
    floor = _floor(solid)
    upper = [solid.vertices[list(f)] for f, n in zip(solid.faces, solid.normals, strict=True) if n[2] > 1e-12]
    shadows = [np.column_stack([in_order(face[:, :2]), np.full(len(face), floor)]) for face in upper]
    axes.add_collection3d(
        _art().Poly3DCollection(shadows, facecolors="#e6e9ee", edgecolors=PALE, lw=0.8, zorder=1)
    )


def _floor(solid: Solid) -> float:
    low, high = solid.vertices.min(0), solid.vertices.max(0)
    return float(low[2] - 0.15 * (high - low).max())


def _frame(axes: Any, solid: Solid, eye: NDArray[np.float64]) -> None:
    """Fit the drawing to the axes, at equal scales and without axis lines."""
    low, high = solid.vertices.min(0), solid.vertices.max(0)
    low[2] = _floor(solid)
    right = np.cross([0, 0, 1], eye) / np.hypot(*eye[:2])
    upward = np.cross(eye, right)
    drawn = np.concatenate([solid.vertices, solid.vertices * [1, 1, 0] + [0, 0, low[2]]]) - (low + high) / 2
    ends = (drawn @ upward).min(), (drawn @ upward).max()
    reach = max(float(np.abs(drawn @ right).max()), (ends[1] - ends[0]) / 2)
    lift = (ends[0] + ends[1]) / 2 / upward[2]  # centres the drawing
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2] + lift, high[2] + lift))
    axes.set_box_aspect(high - low, zoom=FILL * float(np.linalg.norm(high - low)) / reach)
    axes.set_axis_off()
