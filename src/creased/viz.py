"""Pictures of level sets: shaded surfaces with their creases, polylines, and the epochs side by side.

Pictures are NumPy arrays (H, W, 3) of uint8. Cameras are framed by the domain, not by the surface, so that
pictures of one training can be laid side by side. Rays are cast on the CPU by warp-lang; no display, OpenGL
or system font is needed. The same input gives the same picture on one machine.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from creased.core.domain import Box
from creased.core.level_set import LevelSet
from creased.files import write_whole
from creased.mesh_queries import TriangleIndex
from creased.raycast import Camera, Fans, Fragments, PolygonArrays, View, aim, fan_out, openness, project, see

if TYPE_CHECKING:
    from numpy.typing import NDArray

RGB = tuple[int, int, int]
THREE_QUARTER = View()
UNIT_SQUARE = Box.cube(2, 0.5)
UNIT_CUBE = Box.cube(3, 0.5)
MOST_FRAMES = 16  # of a contact sheet


Frame = TypeVar("Frame")


@dataclass(frozen=True)
class Theme:
    """Colours of a picture, sRGB in 0..255."""

    background: RGB
    surface: RGB  # the outside
    back: RGB  # the inside, seen through a hole
    crease: RGB
    boundary: RGB  # edges of one polygon only
    text: RGB


PORCELAIN = Theme(
    (255, 255, 255), (240, 234, 224), (150, 166, 178), (38, 52, 72), (226, 84, 38), (60, 68, 80)
)
NIGHT = Theme((17, 21, 28), (196, 203, 212), (92, 84, 110), (14, 20, 30), (255, 122, 66), (200, 206, 214))

STRONGEST = 0.85  # opacity of a line
N_RINGS = 5  # of polygons around a vertex, that its lines pale with
MOST_INK = 0.24  # of an area; creases that would cover more of it pale
KEY, FILL, RIM = (-0.55, 0.75, 0.65), (0.85, 0.05, 0.45), (0.35, 0.45, -0.8)  # in the camera's axes


def render_surface(
    vertices: NDArray[Any],
    polygons: PolygonArrays,
    *,
    size: int = 720,
    view: View = THREE_QUARTER,
    theme: Theme = PORCELAIN,
    background: RGB | None = None,
    domain: Box = UNIT_CUBE,
    line_width: float = 1.2,
    n_samples: int = 4,
) -> NDArray[np.uint8]:
    """A picture (size, size, 3) of a mesh of convex polygons, flat shaded, with its creases as lines.

    Args:
        vertices: (V, 3).
        polygons: counter-clockwise seen from outside.
        size: pixels, of width and height.
        view: where the camera is.
        theme: colours.
        background: instead of the theme's.
        domain: what the camera frames.
        line_width: pixels; creases pale where polygons get too small for them.
        n_samples: rays a pixel.

    Raises:
        ImportError: warp-lang is not installed.
        ValueError: the domain is not three-dimensional, or a polygon has fewer than three corners.
    """
    if domain.dim != 3:
        raise ValueError(f"render_surface: the domain needs 3 dimensions, got {domain.dim}")
    paper = np.array(background or theme.background, dtype=np.float32)
    canvas = np.tile(paper.astype(np.float64), (size * size, 1))
    if len(polygons.offsets) > 1:
        camera, fans = aim(view, domain, size), fan_out(vertices, polygons)
        index = TriangleIndex(fans.points, fans.triangles)
        fragments = see(camera, fans, index, n_samples)
        colours = _shade(fragments, camera, fans, index, theme, reach=0.4 * _width(domain))
        colours = _draw_creases(colours, fragments, camera, fans, theme, line_width)
        canvas += _sum_in_pixels(colours - paper, fragments.pixel, size) / n_samples
    return np.rint(canvas).clip(0, 255).astype(np.uint8).reshape(size, size, 3)


def render_level_set(
    level_set: LevelSet,
    *,
    size: int = 720,
    up: str | None = None,
    view: View = THREE_QUARTER,
    theme: Theme = PORCELAIN,
    domain: Box | None = None,
) -> NDArray[np.uint8]:
    """A picture (size, size, 3) of a level set in 2 or 3 dimensions; an empty one gives a frame that says so.

    Args:
        level_set: what to show; of any device and dtype.
        size: pixels, of width and height.
        up: the axis that points up, if D = 3: x, y or z; the view's by default.
        view: where the camera is, if D = 3.
        theme: colours.
        domain: what is framed; the box [-0.5, 0.5]^D by default.

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
        return plot_polylines(level_set, size=size, theme=theme, domain=domain)
    vertices = level_set.vertices.detach().cpu().numpy()
    view = replace(view, up=up or view.up)
    cycles = level_set.polygons
    polygons = PolygonArrays(cycles.offsets.cpu().numpy(), cycles.indices.cpu().numpy())
    return render_surface(vertices, polygons, size=size, view=view, theme=theme, domain=domain)


def plot_polylines(
    level_set: LevelSet, *, size: int = 720, theme: Theme = PORCELAIN, domain: Box = UNIT_SQUARE
) -> NDArray[np.uint8]:
    """A picture (size, size, 3) of a level set in the plane: its edges, and its vertices as dots.

    Vertices on a wall of the domain are in the colour of boundaries.

    Raises:
        ImportError: matplotlib is not installed.
    """
    _needs("matplotlib")
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


def save_png(image: NDArray[np.uint8], path: str | os.PathLike[str]) -> None:
    """Write a picture (H, W, 3) whole or not at all; missing folders are made.

    Raises:
        ImportError: pillow is not installed.
        OSError: it cannot be written; whatever was at ``path`` is still there.
    """
    _needs("PIL")
    from PIL import Image

    content = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(content, format="PNG", optimize=True)
    write_whole(Path(path), content.getvalue())


def load_png(path: str | os.PathLike[str] | BytesIO) -> NDArray[np.uint8]:
    """The picture (H, W, 3) of a PNG file, or of the bytes of one.

    Raises:
        ImportError: pillow is not installed.
        OSError: it cannot be read.
    """
    _needs("PIL")
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def captioned(image: NDArray[np.uint8], text: str, *, theme: Theme = PORCELAIN) -> NDArray[np.uint8]:
    """The picture (H, W, 3) with a strip below that holds one line of text."""
    height, width = image.shape[:2]
    letter = max(14, width // 36)
    canvas = np.empty((height + 2 * letter, width, 3), dtype=np.uint8)
    canvas[:height], canvas[height:] = image, theme.background
    return _write(canvas, text, (width / 2, height + letter), letter, theme)


def thin_out(frames: Sequence[Frame]) -> list[Frame]:
    """At most ``MOST_FRAMES`` of some frames, evenly, the first and the last among them."""
    kept = np.linspace(0, len(frames) - 1, min(len(frames), MOST_FRAMES)).round().astype(int)
    return [frames[i] for i in kept]


def contact_sheet(
    frames: Sequence[tuple[str, NDArray[np.uint8]]],
    path: str | os.PathLike[str],
    *,
    columns: int | None = None,
    cell: int = 360,
    theme: Theme = PORCELAIN,
) -> NDArray[np.uint8]:
    """Write small multiples of labelled pictures as one PNG, and return it.

    Of more than ``MOST_FRAMES`` pictures as many are kept, see `thin_out`.

    Args:
        frames: labels such as "epoch 3 · 4,812 faces", and pictures (H, W, 3), of one shape.
        path: where.
        columns: pictures in a row; as square a sheet as can be by default.
        cell: pixels, the width of each picture.
        theme: colours of paper and labels.

    Raises:
        ValueError: there are no pictures, or their proportions differ.
        ImportError: pillow or matplotlib is not installed.
    """
    labelled = [captioned(_resized(image, cell), label, theme=theme) for label, image in thin_out(frames)]
    shapes = {image.shape for image in labelled}
    if len(shapes) != 1:
        raise ValueError(f"contact_sheet: needs pictures of one shape, got shapes {sorted(shapes)}")
    columns = columns or math.ceil(math.sqrt(len(labelled)))
    gap, (height, width) = cell // 20, labelled[0].shape[:2]
    n_rows, step_y, step_x = math.ceil(len(labelled) / columns), height + gap, width + gap
    sheet = np.empty((n_rows * step_y + gap, columns * step_x + gap, 3), dtype=np.uint8)
    sheet[:] = theme.background
    for i, image in enumerate(labelled):
        y, x = gap + i // columns * step_y, gap + i % columns * step_x
        sheet[y : y + height, x : x + width] = image
    save_png(sheet, path)
    return sheet


def _resized(image: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    _needs("PIL")
    from PIL import Image

    height = round(image.shape[0] * width / image.shape[1])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


def _frame_with_text(text: str, size: int, theme: Theme) -> NDArray[np.uint8]:
    blank = np.full((size, size, 3), theme.background, dtype=np.uint8)
    return _write(blank, text, (size / 2, size / 2), max(10, size // 40), theme)


def _write(
    image: NDArray[np.uint8], text: str, middle: tuple[float, float], letter: int, theme: Theme
) -> NDArray[np.uint8]:
    """The picture with a text centred at (x, y), in the font that matplotlib brings along."""
    _needs("PIL")
    _needs("matplotlib")
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    canvas = Image.fromarray(image)
    font = ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), letter)
    ImageDraw.Draw(canvas).text(middle, text, fill=theme.text, font=font, anchor="mm")
    return np.asarray(canvas)


def _needs(module: str) -> None:
    if find_spec(module) is None:
        raise ImportError(f"pictures need {module}: pip install 'creased[train]'")


def _width(domain: Box) -> float:
    return max(upper - lower for lower, upper in zip(domain.lower, domain.upper, strict=True))


def _sum_in_pixels(colours: NDArray[np.float32], pixel: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    return np.stack([np.bincount(pixel, channel, minlength=size * size) for channel in colours.T], axis=1)


def _shade(
    fragments: Fragments, camera: Camera, fans: Fans, index: TriangleIndex, theme: Theme, reach: float
) -> NDArray[np.float32]:
    """Colours (m, 3) of the fragments, sRGB in 0..255; light is added up before the transfer curve."""
    key, fill, rim = (
        np.array(towards) / np.linalg.norm(towards) @ camera.axes for towards in (KEY, FILL, RIM)
    )
    if len(fragments.pixel) == 0:
        return np.zeros((0, 3), dtype=np.float32)
    open_to = openness(fragments, camera, fans, index, to_key=key, reach=reach)
    normals = np.concatenate([fans.normals, -fans.normals])  # the insides behind the outsides
    sky = 0.5 + 0.5 * normals @ camera.axes[1]
    ambient = np.outer(sky, [0.30, 0.33, 0.37]) + np.outer(1 - sky, [0.22, 0.205, 0.19])
    ambient += np.outer((normals @ fill).clip(0), [0.15, 0.185, 0.235])
    ambient += np.outer((normals @ rim).clip(0) ** 2, [0.20, 0.20, 0.22])
    halfway = (key + camera.axes[2]) / np.linalg.norm(key + camera.axes[2])
    direct = np.outer((normals @ key).clip(0), [0.74, 0.70, 0.63])
    direct += 0.10 * ((normals @ halfway).clip(0) ** 40)[:, None]
    side = fans.owners[fragments.triangle] + len(fans.normals) * fragments.is_back
    light = (
        ambient.astype(np.float32)[side] * open_to[:, :1] + direct.astype(np.float32)[side] * open_to[:, 1:]
    )
    paint = (np.array([theme.surface, theme.back], dtype=np.float32) / 255) ** 2.2
    return 255 * (light * paint[fragments.is_back.astype(np.int64)]).clip(0, 1) ** np.float32(1 / 2.2)


def _draw_creases(
    colours: NDArray[np.float32],
    fragments: Fragments,
    camera: Camera,
    fans: Fans,
    theme: Theme,
    line_width: float,
) -> NDArray[np.float32]:
    """The colours (m, 3) with creases and boundary edges over them."""
    is_boundary = fans.is_boundary[fragments.triangle]
    half_width = np.where(is_boundary, 1.8, 0.5).astype(np.float32) * np.float32(line_width)
    ink = (half_width - fragments.crease_distance + 0.25).clip(0, 0.5) * 2  # half a pixel wide, its rim
    strength = _crease_strength(camera, fans, line_width).astype(np.float32)[fans.triangles[:, :2]]
    start, end = strength[fragments.triangle].T
    ink *= np.where(is_boundary, 1, start + fragments.along_crease * (end - start))
    inks = np.array([theme.crease, theme.boundary], dtype=np.float32)[is_boundary.astype(np.int64)]
    drawn: NDArray[np.float32] = colours + ink[:, None] * (inks - colours)
    return drawn


def _crease_strength(camera: Camera, fans: Fans, line_width: float) -> NDArray[np.float64]:
    """Opacity (V,) of the lines at each vertex: less where polygons nearby are small for them."""
    flat = project(camera, fans.points)
    start, end, middle = (flat[fans.triangles[:, i]] for i in range(3))
    along, spoke = end - start, middle - start
    area = np.abs(along[:, 0] * spoke[:, 1] - along[:, 1] * spoke[:, 0]) / 2
    drawn = np.hypot(along[:, 0], along[:, 1]) * line_width / 2
    area, drawn = (_gather_at_vertices(fans, each) for each in (area, drawn))
    room = np.divide(MOST_INK * area, drawn, out=np.zeros_like(area), where=drawn > 0)
    return STRONGEST * np.minimum(1, room**1.25)


def _gather_at_vertices(fans: Fans, measure: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums (V,) of a measure (n,) of triangles over rings of polygons around each vertex, near ones more."""
    corners, starts, n = fans.triangles[:, 0], fans.offsets[:-1], len(fans.points) - len(fans.normals)
    at_vertices = np.zeros(n)
    for _ in range(N_RINGS):
        of_polygon = np.add.reduceat(measure, starts)[fans.owners]
        at_vertices = np.bincount(corners, weights=of_polygon, minlength=n).astype(np.float64)
        measure = at_vertices[corners]
    return at_vertices
