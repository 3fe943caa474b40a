"""Flat shading under three lights, and creases drawn over it.

Creases have a constant width in pixels, fade where the polygons around are so small that lines would cover
them, and are left out where they could not be told apart; boundary edges, where a surface is cut open, have
a colour of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.meshes.queries import TriangleIndex
from creased.render.ambient_occlusion import openness
from creased.render.camera import Camera, project
from creased.render.raycast import Fans, Fragments

if TYPE_CHECKING:
    from numpy.typing import NDArray

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Theme:
    """Colours of a picture, sRGB in 0..255."""

    background: RGB
    surface: RGB  # the outside
    back: RGB  # the inside
    crease: RGB
    boundary: RGB  # boundary edges
    text: RGB


PORCELAIN = Theme(
    (255, 255, 255), (240, 234, 224), (150, 166, 178), (38, 52, 72), (226, 84, 38), (60, 68, 80)
)
STRONGEST = 0.85  # opacity of a line
N_RINGS = 5  # of polygons around a vertex, over which areas are averaged
MOST_INK = 0.24  # largest share of an area that creases may cover before they fade
LEAST_ROOM = 0.45  # of that share; creases with less are a grey haze, and are left out
KEY, FILL, RIM = (-0.55, 0.75, 0.65), (0.85, 0.05, 0.45), (0.35, 0.45, -0.8)  # in the camera's axes


def light_up(
    fragments: Fragments, camera: Camera, fans: Fans, index: TriangleIndex, reach: float
) -> NDArray[np.float32]:
    """Compute the light (m, 3) on fragments, linear; the sky is dimmed by what is nearer than ``reach``."""
    key, fill, rim = (
        np.array(towards) / np.linalg.norm(towards) @ camera.axes for towards in (KEY, FILL, RIM)
    )
    if len(fragments.pixel) == 0:
        return np.zeros((0, 3), dtype=np.float32)
    open_to = openness(fragments, camera, fans, index, to_key=key, reach=reach)
    normals = np.concatenate([fans.normals, -fans.normals])  # the insides behind the outsides
    sky = 0.5 + 0.5 * normals @ camera.axes[1]
    ambient = np.outer(sky, [0.19, 0.21, 0.24]) + np.outer(1 - sky, [0.14, 0.13, 0.12])
    ambient += np.outer((normals @ fill).clip(0), [0.12, 0.15, 0.19])
    ambient += np.outer((normals @ rim).clip(0) ** 2, [0.20, 0.20, 0.22])
    halfway = (key + camera.axes[2]) / np.linalg.norm(key + camera.axes[2])
    direct = np.outer((normals @ key).clip(0), [0.92, 0.87, 0.79])
    direct += 0.10 * ((normals @ halfway).clip(0) ** 40)[:, None]
    side = fans.owners[fragments.triangle] + len(fans.normals) * fragments.is_back
    return (
        ambient.astype(np.float32)[side] * open_to[:, :1] + direct.astype(np.float32)[side] * open_to[:, 1:]
    )


def paint(light: NDArray[np.float32], colours: NDArray[Any]) -> NDArray[np.float32]:
    """Light colours (m, 3), sRGB in 0..255; products are in linear space."""
    linear = (colours.astype(np.float32) / 255) ** np.float32(2.2)
    lit: NDArray[np.float32] = 255 * (light * linear).clip(0, 1) ** np.float32(1 / 2.2)
    return lit


def surface_colours(fragments: Fragments, theme: Theme) -> NDArray[np.float32]:
    """Colours (m, 3) of the outside or the inside, whichever is seen."""
    return np.array([theme.surface, theme.back], dtype=np.float32)[fragments.is_back.astype(np.int64)]


def draw_creases(
    colours: NDArray[np.float32],
    fragments: Fragments,
    camera: Camera,
    fans: Fans,
    theme: Theme,
    line_width: float,
) -> NDArray[np.float32]:
    """Draw creases and boundary edges over the colours (m, 3) of fragments."""
    is_boundary = fans.is_boundary[fragments.triangle]
    half_width = np.where(is_boundary, 1.8, 0.5).astype(np.float32) * np.float32(line_width)
    ink = (half_width - fragments.crease_distance + 0.25).clip(0, 0.5) * 2  # over a rim of half a pixel
    strength = _crease_strength(camera, fans, line_width).astype(np.float32)[fans.triangles[:, :2]]
    start, end = strength[fragments.triangle].T
    ink *= np.where(is_boundary, 1, start + fragments.along_crease * (end - start))
    inks = np.array([theme.crease, theme.boundary], dtype=np.float32)[is_boundary.astype(np.int64)]
    drawn: NDArray[np.float32] = colours + ink[:, None] * (inks - colours)
    return drawn


def _crease_strength(camera: Camera, fans: Fans, line_width: float) -> NDArray[np.float64]:
    """Compute the opacity (V,) of creases at each vertex: lower where polygons are small, down to 0."""
    flat = project(camera, fans.points)
    start, end, middle = (flat[fans.triangles[:, i]] for i in range(3))
    along, spoke = end - start, middle - start
    area = np.abs(along[:, 0] * spoke[:, 1] - along[:, 1] * spoke[:, 0]) / 2
    drawn = np.hypot(along[:, 0], along[:, 1]) * line_width / 2
    area, drawn = (_gather_at_vertices(fans, each) for each in (area, drawn))
    room = np.divide(MOST_INK * area, drawn, out=np.zeros_like(area), where=drawn > 0)
    return STRONGEST * ((room - LEAST_ROOM) / (1 - LEAST_ROOM)).clip(0, 1)


def _gather_at_vertices(fans: Fans, measure: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum a measure (n,) of triangles over rings of polygons around vertices (V,), by nearness."""
    corners, starts, n = fans.triangles[:, 0], fans.offsets[:-1], len(fans.points) - len(fans.normals)
    at_vertices = np.zeros(n)
    for _ in range(N_RINGS):
        of_polygon = np.add.reduceat(measure, starts)[fans.owners]
        at_vertices = np.bincount(corners, weights=of_polygon, minlength=n).astype(np.float64)
        measure = at_vertices[corners]
    return at_vertices
