"""Pictures of level sets: shaded surfaces with their creases, polylines, and the epochs side by side.

Pictures are NumPy arrays (H, W, 3) of uint8. Cameras are framed by the domain, not by the surface, so that
pictures of one training can be laid side by side. Rays are cast on the CPU by warp-lang; no display, OpenGL
or system font is needed. The same input gives the same picture on one machine.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from creased.core.domain import Box
from creased.core.level_set import LevelSet
from creased.files import write_whole
from creased.mesh_queries import TriangleIndex
from creased.raycast import PolygonArrays, View, aim, fan_out, see
from creased.shading import PORCELAIN, RGB, Theme, draw_creases, shade

if TYPE_CHECKING:
    from numpy.typing import NDArray

THREE_QUARTER = View()
UNIT_SQUARE = Box.cube(2, 0.5)
UNIT_CUBE = Box.cube(3, 0.5)
MOST_FRAMES = 16  # of a contact sheet


Frame = TypeVar("Frame")


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
        colours = shade(fragments, camera, fans, index, theme, reach=0.4 * _width(domain))
        colours = draw_creases(colours, fragments, camera, fans, theme, line_width)
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
