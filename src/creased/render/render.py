"""Pictures of level sets: shaded surfaces with their creases, and polylines.

Pictures are NumPy arrays (H, W, 3) of uint8. Cameras are framed by the domain, not by the surface, so that
pictures of one training can be compared. On one machine the same input gives the same picture.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.meshes.polygon_mesh import PolygonMesh
from creased.meshes.queries import TriangleIndex
from creased.render.camera import Camera, View, make_camera
from creased.render.images import load_png, needs, written_on
from creased.render.raycast import Fans, Fragments, cast_primary_rays, fan_out
from creased.render.shading import PORCELAIN, Theme, draw_creases, light_up, paint, surface_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

THREE_QUARTER = View()
UNIT_CUBE = Box.cube(3, 0.5)
LINE_WIDTH = 1.2  # pixels


def render_surface(
    mesh: PolygonMesh,
    *,
    size: int = 720,
    view: View = THREE_QUARTER,
    theme: Theme = PORCELAIN,
    domain: Box = UNIT_CUBE,
    line_width: float = LINE_WIDTH,
    n_samples: int = 4,
) -> NDArray[np.uint8]:
    """Render a mesh of convex polygons, flat shaded, with its creases as lines: (size, size, 3).

    Args:
        mesh: its polygons counter-clockwise seen from outside.
        size: pixels, of width and height.
        view: of the camera.
        theme: colours.
        domain: framed by the camera.
        line_width: pixels; creases fade where polygons are too small for them.
        n_samples: rays a pixel.

    Raises:
        ImportError: warp-lang is not installed.
        ValueError: the domain is not three-dimensional, or a polygon has fewer than three corners.
    """
    if domain.dim != 3:
        raise ValueError(f"render_surface: the domain needs 3 dimensions, got {domain.dim}")
    if mesh.polygons.n == 0:
        return np.full((size, size, 3), theme.background, dtype=np.uint8)
    seen = look(mesh, make_camera(view, domain, size), 0.4 * _width(domain), n_samples)
    return develop(seen, theme, line_width)


class Seen(NamedTuple):
    """A mesh of at least one polygon before a camera: its visible fragments and their light."""

    camera: Camera
    fans: Fans
    fragments: Fragments
    light: NDArray[np.float32]  # (m, 3), linear
    n_samples: int  # rays a pixel


def look(mesh: PolygonMesh, camera: Camera, reach: float, n_samples: int = 4) -> Seen:
    """Find and light what a camera sees of a mesh; the sky is dimmed by what is nearer than ``reach``."""
    fans = fan_out(mesh)
    index = TriangleIndex(fans.points, fans.triangles)
    fragments = cast_primary_rays(camera, fans, index, n_samples)
    return Seen(camera, fans, fragments, light_up(fragments, camera, fans, index, reach), n_samples)


def develop(seen: Seen, theme: Theme, line_width: float = LINE_WIDTH) -> NDArray[np.uint8]:
    """Make a picture (size, size, 3) in the colours of a theme, with creases if lines have a width."""
    fragments = seen.fragments
    colours = paint(seen.light, surface_colours(fragments, theme))
    if line_width > 0:
        colours = draw_creases(colours, fragments, seen.camera, seen.fans, theme, line_width)
    return average(colours, fragments.pixel, seen, theme)


def average(
    colours: NDArray[np.float32], pixel: NDArray[np.int64], seen: Seen, theme: Theme
) -> NDArray[np.uint8]:
    """Average the colours (m, 3) of fragments in their pixels (m,), on paper: (size, size, 3)."""
    size, paper = seen.camera.size, np.array(theme.background, dtype=np.float32)
    sums = [np.bincount(pixel, channel, minlength=size * size) for channel in (colours - paper).T]
    canvas = np.stack(sums, axis=1) / seen.n_samples + paper
    return np.rint(canvas).clip(0, 255).astype(np.uint8).reshape(size, size, 3)


def render_level_set(
    level_set: LevelSet,
    *,
    size: int = 720,
    view: View = THREE_QUARTER,
    theme: Theme = PORCELAIN,
    domain: Box | None = None,
) -> NDArray[np.uint8]:
    """Render a level set in 2 or 3 dimensions: (size, size, 3); an empty one as a frame with a text.

    Args:
        level_set: on any device, of any dtype.
        size: pixels, of width and height.
        view: of the camera, if D = 3.
        theme: colours.
        domain: framed by the camera; [-0.5, 0.5]^D by default.

    Raises:
        ValueError: the level set is not in 2 or 3 dimensions.
        ImportError: warp-lang (D = 3), matplotlib or pillow is not installed.
    """
    if level_set.dim not in (2, 3):
        raise ValueError(f"render_level_set: needs 2 or 3 dimensions, got D = {level_set.dim}")
    domain = domain or Box.cube(level_set.dim, 0.5)
    if level_set.is_empty:
        return _frame_with_text("empty level set", size, theme)
    if level_set.dim == 2:
        return _plot_polylines(level_set, size, theme, domain)
    mesh = PolygonMesh.of_level_set(level_set)
    return render_surface(mesh, size=size, view=view, theme=theme, domain=domain)


def _plot_polylines(level_set: LevelSet, size: int, theme: Theme, domain: Box) -> NDArray[np.uint8]:
    """Plot edges, and vertices as dots, those on walls of the domain in the colour of boundaries."""
    needs("matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    paper, crease, boundary, frame = (
        "#{:02x}{:02x}{:02x}".format(*rgb)
        for rgb in (theme.background, theme.crease, theme.boundary, theme.back)
    )
    vertices = level_set.vertices.detach().cpu().numpy()
    is_on_wall = level_set.is_on_wall().cpu().numpy()
    canvas = FigureCanvasAgg(Figure(figsize=(size / 100, size / 100), dpi=100, facecolor=paper))
    axes = canvas.figure.add_axes((0.04, 0.04, 0.92, 0.92), facecolor=paper, aspect="equal")
    axes.set(
        xlim=(domain.lower[0], domain.upper[0]), ylim=(domain.lower[1], domain.upper[1]), xticks=[], yticks=[]
    )
    axes.spines[:].set_color(frame)
    segments = vertices[level_set.edges.cpu().numpy()]
    axes.add_collection(LineCollection(segments, colors=crease, linewidths=1.3, capstyle="round"))
    colours = np.where(is_on_wall, boundary, crease)
    area = min(16.0, max(2.0, 6000 / max(1, len(vertices))))  # square points
    x, y = vertices.T
    axes.scatter(x, y, s=area, c=colours, linewidths=0, zorder=3, clip_on=False)
    picture = BytesIO()
    canvas.figure.savefig(picture, format="png", dpi=100)
    return load_png(picture)


def _frame_with_text(text: str, size: int, theme: Theme) -> NDArray[np.uint8]:
    blank = np.full((size, size, 3), theme.background, dtype=np.uint8)
    return written_on(blank, text, (size / 2, size / 2), max(10, size // 40), theme)


def _width(domain: Box) -> float:
    return max(upper - lower for lower, upper in zip(domain.lower, domain.upper, strict=True))
