"""Controls of a page beside its switches: play the epochs, save picture and mesh, describe a face."""

from __future__ import annotations

import threading
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.core.program.program import Program
from creased.io.export import WRITERS, ExportError, mesh_to_write, require_writer
from creased.io.similarity import Similarity
from creased.io.units import SHORT
from creased.viewer.cutting import HalfSpace
from creased.viewer.errors import Bands
from creased.viewer.picking import corners_of, describe_face, pick_triangle
from creased.viewer.scene import Scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from creased.viewer.page import Page

PAUSE = 0.5  # seconds between two epochs
SECONDS = 20.0  # that a browser may take for a picture


class Player:
    """A button that shows one epoch after the other, until it is pressed again."""

    def __init__(self, page: Page) -> None:
        self._page, self._halt = page, threading.Event()
        self._thread: threading.Thread | None = None
        self.button = page.server.gui.add_button("play", visible=False)
        self.button.on_click(lambda _: self.toggle())

    def toggle(self) -> None:
        """Start, from the first epoch if the last one is shown; or stop."""
        if self._thread is not None and self._thread.is_alive():
            self.stop()
            return
        self._halt.clear()
        self._thread = threading.Thread(target=self._play, daemon=True, name="creased-player")
        self._thread.start()

    def stop(self) -> None:
        """Stop where it is."""
        self._halt.set()

    def _play(self) -> None:
        page, self.button.label = self._page, "stop"
        if page.epoch.value >= page.numbers[-1]:
            page.epoch.value = page.numbers[0]
        while not self._halt.wait(PAUSE):
            later = [number for number in page.numbers if number > page.epoch.value]
            if not later:
                break
            page.epoch.value = later[0]
            page.refresh()
        self.button.label = "play"


def add_saving(page: Page) -> None:
    """Add the buttons that send picture and mesh to the browser that asks."""
    gui = page.server.gui
    picture = gui.add_button("save picture")
    picture.on_click(lambda event: _send_picture(page, event.client))
    if page.shots and page.shots[-1].field is None:
        return
    ending = gui.add_dropdown("format", [ending[1:] for ending in WRITERS], initial_value="ply")
    mesh = gui.add_button("save mesh", hint="exact, in your coordinates; STL and GLB in single precision")
    mesh.on_click(lambda event: _send_mesh(page, ending.value, event.client))


def mesh_file(page: Page, ending: str) -> bytes:
    """Write the surface that is shown as a file.

    Raises:
        ExportError: there is no surface.
    """
    level_set, to_domain = page.scene().level_set if page.shots else None, page.to_domain()
    if level_set is None:
        raise ExportError("there is no surface yet")
    mesh = mesh_to_write(level_set, to_domain, failure="no mesh")
    return require_writer(Path(f"mesh.{ending}"))(mesh, to_domain.unit if to_domain else None)


def picked_face(
    scene: Scene, program: Program, kept: HalfSpace | None, event: Any
) -> tuple[str, NDArray[np.float32]] | None:
    """Describe the face that a click meets, with its corners (n, 3); None where there is none."""
    corners = scene.vertices[scene.triangles]
    triangle = pick_triangle(corners, event.ray_origin, event.ray_direction, kept)
    if triangle is None or scene.level_set is None:
        return None
    polygon = int(scene.level_set.polygons.triangles()[1][triangle])
    words = describe_face(scene.level_set, program, polygon)
    return words, scene.vertices[corners_of(scene.level_set, polygon)]


def format_legend(scene: Scene) -> str:
    """Format the colours of creases."""
    lines = [
        f'<span style="color: rgb{colour}">&#9644;</span> {name}' for name, colour in scene.legend.items()
    ]
    return "  \n".join(lines)


def format_bands(found: Bands, to_domain: Similarity | None) -> str:
    """Format the scale of errors, in the user's unit."""
    scale, unit = (1.0, None) if to_domain is None else (to_domain.scale, to_domain.unit)
    marks = "".join(f'<span style="color: rgb{colour}">&#9632;</span>' for colour in found.colours)
    limit = f"{found.limit / scale:.3g}"
    return f"lacks {limit} {marks} {limit} too much {SHORT[unit] if unit else ''}"


def _send_picture(page: Page, client: Any) -> None:
    from PIL import Image

    height, width = client.camera.image_height, client.camera.image_width
    try:
        seen = client.get_render(height, width, transport_format="png", timeout=SECONDS)
    except TimeoutError:
        client.add_notification("no picture", "the browser did not answer")
        return
    picture, content = Image.fromarray(seen), BytesIO()
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture.convert("RGBA"))
    paper.convert("RGB").save(content, "png")
    client.send_file_download(_name(page, "png"), content.getvalue(), save_immediately=True)


def _send_mesh(page: Page, ending: str, client: Any) -> None:
    try:
        content = mesh_file(page, ending)
    except (ExportError, ImportError) as error:
        client.add_notification("no mesh", str(error))
        return
    client.send_file_download(_name(page, ending), content, save_immediately=True)


def _name(page: Page, ending: str) -> str:
    return f"{page.shot().label.replace(' ', '_') if page.shots else 'creased'}.{ending}"
