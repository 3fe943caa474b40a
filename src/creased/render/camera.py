"""Perspective cameras framed by a box, never by the mesh in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from creased.core.domains.box import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

AXES = ("x", "y", "z")


@dataclass(frozen=True)
class View:
    """A perspective camera that looks at the middle of a box."""

    azimuth: float = -30.0  # degrees from the front, towards the right
    elevation: float = 20.0  # degrees above the horizon
    up: str = "y"  # the axis that points up: x, y or z; the next one, cyclically, points to the front
    field_of_view: float = 24.0  # degrees
    zoom: float = 1.1  # 1 just holds all of the box; about 1.25 just holds a ball in a cube

    def __post_init__(self) -> None:
        """Validate the fields."""
        if self.up not in AXES:
            raise ValueError(f"View: up must be x, y or z, got {self.up!r}")
        if not (0 < self.field_of_view < 180 and self.zoom > 0):
            raise ValueError(f"View: needs zoom > 0 and 0 < field_of_view < 180 degrees, got {self}")


class Camera(NamedTuple):
    """A camera's position, axes and focal length for square pictures."""

    eye: NDArray[np.float64]  # (3,)
    axes: NDArray[np.float64]  # (3, 3): rows point right, up and towards the viewer
    focal: float  # pixels
    size: int  # pixels, of width and height


def make_camera(view: View, domain: Box, size: int) -> Camera:
    """Place the camera of a view for square pictures of a domain."""
    azimuth, elevation = math.radians(view.azimuth), math.radians(view.elevation)
    back = np.array([math.sin(azimuth) * math.cos(elevation), math.sin(elevation), 0.0])
    back[2] = math.cos(azimuth) * math.cos(elevation)
    right = np.array([math.cos(azimuth), 0.0, -math.sin(azimuth)])
    axes = np.roll(
        np.stack([right, np.cross(back, right), back]), AXES.index(view.up) - AXES.index("y"), axis=1
    )
    bounds = np.array([domain.lower, domain.upper])
    corners = (np.indices((2, 2, 2)).reshape(3, 8).T - 0.5) * (bounds[1] - bounds[0]) @ axes.T
    slope = math.tan(math.radians(view.field_of_view) / 2)
    spread = np.abs(corners[:, :2]).max(axis=1) / slope
    eye = bounds.mean(axis=0) + axes[2] * (corners[:, 2] + spread).max()
    return Camera(eye, axes, view.zoom * size / (2 * slope), size)


def project(camera: Camera, points: NDArray[Any]) -> NDArray[np.float64]:
    """Project points (n, 3) to pixel coordinates (n, 2), right and down from the upper left corner."""
    seen = (points - camera.eye) @ camera.axes.T
    return camera.size / 2 + camera.focal * seen[:, :2] * [1, -1] / -seen[:, 2:]
