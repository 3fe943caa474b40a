"""Draw a shape, its reconstruction, and the distances between them as colours, side by side.

The picture of the distances shows whatever is in front, so that surface that only one of the two has is seen:
red where the reconstruction has too much, blue where it lacks something. Each surface is lit by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.core.domains.box import Box
from creased.io.units import SHORT
from creased.meshes.queries import TriangleIndex
from creased.render.camera import View, make_camera
from creased.render.images import captioned, written_on
from creased.render.raycast import Fragments
from creased.render.render import THREE_QUARTER, Seen, average, develop, look
from creased.render.shading import PORCELAIN, paint
from creased.shapes.comparison import Comparison
from creased.shapes.surface import Surface

if TYPE_CHECKING:
    from numpy.typing import NDArray

Panel = tuple[str, "NDArray[np.uint8]"]  # a caption and a picture

SCALE = ((24, 78, 160), (122, 180, 224), (240, 240, 238), (244, 158, 116), (168, 18, 38))  # blue to red


def side_by_side(panels: Sequence[Panel]) -> NDArray[np.uint8]:
    """Put captioned pictures of one height in a row."""
    return np.concatenate([captioned(picture, text) for text, picture in panels], axis=1)


def error_panels(
    mesh: Surface,
    shape: Surface,
    found: Comparison,
    *,
    domain: Box,
    view: View = THREE_QUARTER,
    size: int = 480,
    unit: str | None = None,
) -> list[Panel]:
    """Draw a shape, a mesh of it, the distances between them, and their scale, each with its caption.

    Args:
        mesh: the reconstruction.
        shape: the reference, in the same coordinates.
        found: their comparison, for the unit and the figures.
        domain: framed by the camera, in the same coordinates.
        view: of the camera.
        size: pixels, the side of each of the three pictures.
        unit: of the user's coordinates, one of `creased.io.units.UNITS`; None: not known.

    Raises:
        ImportError: warp-lang, matplotlib or pillow is not installed.
    """
    camera, width = make_camera(view, domain, size), max(np.subtract(domain.upper, domain.lower))
    of_shape, of_mesh = (look(each.mesh, camera, 0.4 * width) for each in (shape, mesh))
    p99 = max(found.to_reference.p99, found.from_reference.p99)
    limit = round_up(p99) or found.tolerance
    figures = f"distance: p99 {p99:.3g}, max {found.hausdorff:.3g}; longest side {found.longest_side:.4g}"
    return [
        (f"{found.name}: {shape.mesh.polygons.n:,} faces", develop(of_shape, PORCELAIN, 0)),
        (f"mesh: {mesh.mesh.polygons.n:,} faces", develop(of_mesh, PORCELAIN, 0)),
        (figures, _draw_distances(of_shape, of_mesh, shape, mesh, limit / found.unit)),
        (SHORT[unit] if unit else "your units", _draw_scale(limit, size)),
    ]


def _draw_distances(
    of_shape: Seen, of_mesh: Seen, shape: Surface, mesh: Surface, limit: float
) -> NDArray[np.uint8]:
    """Colour what is in front by its distance from the other surface."""
    shape_in_front, mesh_in_front = _in_front(of_shape, of_mesh)
    lacking = -_distances(of_shape.fragments, shape_in_front, mesh.index)
    too_much = _distances(of_mesh.fragments, mesh_in_front, shape.index)
    colours, pixels = [], []
    for seen, chosen, distances in (
        (of_shape, shape_in_front, lacking),
        (of_mesh, mesh_in_front, too_much),
    ):
        colours.append(paint(seen.light[chosen], colour_of(distances / limit)))
        pixels.append(seen.fragments.pixel[chosen])
    return average(np.concatenate(colours), np.concatenate(pixels), of_shape, PORCELAIN)


def _in_front(one: Seen, other: Seen) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Select the fragments of either that the other does not hide."""
    slots = [seen.fragments.pixel * seen.n_samples + seen.fragments.sample for seen in (one, other)]
    depths = np.full((2, one.camera.size**2 * one.n_samples), np.inf, dtype=np.float32)
    for depth, slot, seen in zip(depths, slots, (one, other), strict=True):
        depth[slot] = seen.fragments.depth
    is_one = depths[0] <= depths[1]
    return np.flatnonzero(is_one[slots[0]]), np.flatnonzero(~is_one[slots[1]])


def _distances(fragments: Fragments, chosen: NDArray[np.int64], index: TriangleIndex) -> NDArray[np.float32]:
    """Compute signed distances (k,) of the chosen fragments (k,), one for all of a pixel."""
    _, first, pixel = np.unique(fragments.pixel[chosen], return_index=True, return_inverse=True)
    return index.signed_distance(fragments.points[chosen[first]])[pixel]


def colour_of(values: NDArray[Any]) -> NDArray[np.float32]:
    """Map values (n,) from -1 to 1 to colours (n, 3), those beyond to the colours at the ends."""
    stops = np.linspace(-1, 1, len(SCALE))
    channels = [np.interp(values, stops, channel) for channel in zip(*SCALE, strict=True)]
    return np.stack(channels, axis=-1).astype(np.float32)


def _draw_scale(limit: float, size: int) -> NDArray[np.uint8]:
    """Draw the colours from -limit to limit, with labels: (size, size / 4, 3)."""
    picture = np.full((size, size // 4, 3), PORCELAIN.background, dtype=np.uint8)
    top, bottom, left, right = size // 5, size - size // 5, size // 24, size // 12
    picture[top:bottom, left:right] = colour_of(np.linspace(1, -1, bottom - top))[:, None]
    letter = max(11, size // 38)
    labels = [
        (f"{value:+.3g}" if value else "0", 1 - value / limit)
        for value in (limit, limit / 2, 0.0, -limit / 2, -limit)
    ]
    for text, at in labels:
        picture = written_on(
            picture, text, (right + 2.4 * letter, top + at * (bottom - top) / 2), letter, PORCELAIN
        )
    for text, row in (("too much", top - 2 * letter), ("lacking", bottom + 2 * letter)):
        picture = written_on(picture, text, (size / 8, row), letter, PORCELAIN)
    return picture


def round_up(length: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten; 0 to 0."""
    if length <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(length))
    return power * next(step for step in (1, 2, 5, 10) if length <= step * power * (1 + 1e-9))
