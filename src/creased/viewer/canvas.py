"""Put meshes and lines into viser's scene: whole or cut open, plain or coloured by their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from creased.drawing.palette import RGB
from creased.shapes.surface import Surface
from creased.viewer.cutting import HalfSpace, cut_segments, cut_triangles
from creased.viewer.errors import Bands
from creased.viewer.scene import SURFACE, Scene, Segments

if TYPE_CHECKING:
    import viser
    from numpy.typing import NDArray

FEW = 4000  # lines, beyond which they get thinner, so that faces are seen between them
SHAPE: RGB = (86, 140, 200)
SHAPE_OPACITY = 0.35
SHADOWLESS = {"cast_shadow": False, "receive_shadow": False}  # which would double the time of a picture
PICKED: RGB = (214, 30, 60)
AMBIENT, KEY, FILL = 0.5, 2.4, 0.6  # intensities of the lights


class Canvas:
    """Viser's scene of a server, which all browsers see."""

    def __init__(self, server: viser.ViserServer) -> None:
        self._scene = server.scene

    def light(self, towards: NDArray[np.float64], up: NDArray[np.float64]) -> None:
        """Light the scene from above the camera's left, and weakly from its right.

        Viser's own lights cast shadows, and reflect surroundings that a browser without a GPU takes seconds
        to prepare.

        Args:
            towards: the direction (3,) from the scene to the camera.
            up: the direction (3,) that points up.
        """
        self._scene.configure_environment_map(None)
        self._scene.configure_default_lights(False)
        right = np.cross(up, towards)
        lights = {"key": (KEY, towards + 1.2 * up - right), "fill": (FILL, towards - 0.2 * up + 1.5 * right)}
        self._scene.add_light_ambient("/lights/ambient", intensity=AMBIENT)
        for name, (intensity, place) in lights.items():
            x, y, z = map(float, place)
            self._scene.add_light_directional(f"/lights/{name}", intensity=intensity, position=(x, y, z))

    def put_mesh(self, scene: Scene, kept: HalfSpace | None, bands: Bands | None) -> None:
        """Show the surface of a scene, each band of colour as a mesh of its own."""
        vertices, triangles, owners = scene.vertices, scene.triangles, np.arange(len(scene.triangles))
        if kept is not None:
            vertices, triangles, owners = cut_triangles(vertices, triangles, kept)
        parts = [(SURFACE, np.ones(len(triangles), dtype=bool))]
        if bands is not None:
            parts = [(colour, bands.bands[owners] == band) for band, colour in enumerate(bands.colours)]
        self.remove("/mesh")
        for number, (colour, is_part) in enumerate(parts):
            if is_part.any():
                used, corners = np.unique(triangles[is_part], return_inverse=True)
                part = vertices[used], corners.reshape(-1, 3)
                look: Any = SHADOWLESS | {"color": colour, "flat_shading": True, "side": "double"}
                self._scene.add_mesh_simple(f"/mesh/{number}", *part, **look)

    def put_shape(self, shape: Surface) -> None:
        """Show a shape, transparent."""
        look: Any = SHADOWLESS | {"color": SHAPE, "opacity": SHAPE_OPACITY, "side": "double"}
        self._scene.add_mesh_simple("/shape", shape.vertices, shape.triangles, **look)

    def put_lines(self, name: str, lines: Segments, thickness: float, kept: HalfSpace | None = None) -> None:
        """Show segments; the more there are, the thinner."""
        points, colours = lines.points, lines.colours
        if kept is not None:
            points, which = cut_segments(points, kept)
            colours = colours[which]
        if len(points) == 0:
            self.remove(name)
            return
        ends = np.repeat(_linear(colours)[:, None], 2, axis=1)
        thickness *= max(0.35, min(1.0, FEW / len(points)))
        self._scene.add_line_segments(name, points, ends, thickness=thickness, thickness_units="screen")

    def put_outline(self, corners: NDArray[np.float32]) -> None:
        """Show the outline of a polygon (n, 3), thick."""
        points = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)
        self.put_lines("/picked", Segments(points, np.full((len(points), 3), PICKED, dtype=np.uint8)), 4.0)

    def remove(self, name: str) -> None:
        """Remove what has the name, and what is below it."""
        self._scene.remove_by_name(name)


def _linear(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert sRGB colours to linear light, which viser expects for lines."""
    share = colours / 255
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.rint(255 * light).astype(np.uint8)
