"""Colour the faces of a mesh by their signed distances from a shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creased.drawing.palette import RGB
from creased.render.error_picture import colour_of, round_up
from creased.shapes.surface import Surface
from creased.viewer.scene import Scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_BANDS = 9  # odd: the middle one is of the smallest distances
LIMIT = 0.99  # share of the faces within the scale


class Bands(NamedTuple):
    """Faces by their distance; red where the mesh has too much, blue where it lacks something."""

    bands: NDArray[np.int64]  # (T,) from 0, of each triangle
    colours: list[RGB]
    limit: float  # in units of the domain: the scale goes from -limit to limit


def error_bands(scene: Scene, shape: Surface) -> Bands:
    """Compute the distance of each triangle's middle from the shape, and its band of colour.

    Raises:
        ImportError: warp-lang is not installed.
    """
    middles = scene.vertices[scene.triangles].mean(axis=1)
    distances = shape.index.signed_distance(middles)
    limit = round_up(float(np.quantile(np.abs(distances), LIMIT))) or 1.0
    bands = np.rint((distances / limit).clip(-1, 1) * (N_BANDS // 2)).astype(np.int64) + N_BANDS // 2
    colours = colour_of(np.linspace(-1, 1, N_BANDS))
    return Bands(bands, [(int(r), int(g), int(b)) for r, g, b in colours], limit)
