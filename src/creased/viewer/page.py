"""Serve a page on the loopback interface by viser: the scene, its controls and a cutting plane."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.viewer.origins import own_pages_only
from creased.viewer.scene import SURFACE, Scene, Section, Segments
from creased.viewer.sources import Field, Shot

if TYPE_CHECKING:
    import viser
    from numpy.typing import NDArray

HOST = "127.0.0.1"  # the loopback interface alone, as the page has no access control beyond `origins`
AXES = ("x", "y", "z")
CAMERA_DISTANCE = 0.75  # in sizes of the scene
STEPS = 200  # of the plane's slider
FEW = 4000  # lines, beyond which they get thinner, so that faces are seen between them


class Page:
    """A page that shows one of several shots; closed by `stop`.

    Args:
        shots: in the order of the slider; the last one is shown first.
        port: of the server; if it is taken, the next free one.
        up: the axis that points up.

    Raises:
        ImportError: viser is not installed.
    """

    def __init__(self, shots: Sequence[Shot], port: int = 8080, up: str = "z") -> None:
        self.shots = list(shots)
        first = self.shots[-1]
        _ = first.scene  # raises for a bad file before the server starts
        self.server = _start(port)
        self._lock = threading.Lock()  # callbacks come from several threads
        self._reach = float(np.ptp(_corners(first), axis=0).max())
        self._frame(first, up)
        self._add_switches()
        self._show_all()

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self.server.get_port()}"

    def stop(self) -> None:
        """Close the server."""
        with redirect_stdout(StringIO()):
            self.server.stop()

    def _show_all(self) -> None:
        self._show_shot()
        self._show_section()

    def _frame(self, shot: Shot, up: str) -> None:
        corners = _corners(shot)
        middle, reach = corners.mean(axis=0), self._reach
        directions = {"z": (0.75, -1.1, 0.6), "y": (0.6, 0.5, 1.15), "x": (0.6, 0.75, 1.1)}
        is_flat = shot.field is not None and shot.field.program.in_dim == 2
        towards = np.array((0.0, -0.01, 1.3) if is_flat else directions[up])
        self.server.scene.set_up_direction("+z" if is_flat else f"+{up}")
        self.server.initial_camera.look_at = middle
        self.server.initial_camera.position = middle + CAMERA_DISTANCE * reach * towards
        self.server.gui.configure_theme(show_logo=False, show_share_button=False)

    def _add_switches(self) -> None:
        gui, last = self.server.gui, len(self.shots) - 1
        self.caption = gui.add_markdown("")
        self.epoch: Any = None
        if last:
            self.epoch = gui.add_slider("epoch", min=0, max=last, step=1, initial_value=last)
            self.epoch.on_update(lambda _: self._show_all())
        self.show_mesh = gui.add_checkbox("mesh", initial_value=True)
        self.show_creases = gui.add_checkbox("creases", initial_value=True)
        for switch in (self.show_mesh, self.show_creases):
            switch.on_update(lambda _: self._show_shot())
        field = self._shot().field
        if field is not None:
            self._add_plane(field)

    def _add_plane(self, field: Field) -> None:
        gui, box = self.server.gui, field.box
        is_flat = box.dim == 2
        low, high = min(box.lower), max(box.upper)
        self.show_plane = gui.add_checkbox("plane", initial_value=is_flat, hint="the complex in a plane")
        self.axis = gui.add_dropdown("across", AXES, initial_value="z", visible=not is_flat)
        self.offset = gui.add_slider(
            "at", low, high, step=(high - low) / STEPS, initial_value=(low + high) / 2, visible=not is_flat
        )
        self.regions = gui.add_markdown("")
        for handle in (self.show_plane, self.axis, self.offset):
            handle.on_update(lambda _: self._show_section())

    def _shot(self) -> Shot:
        return self.shots[self.epoch.value if self.epoch is not None else -1]

    def _show_shot(self) -> None:
        with self._lock:
            shot = self._shot()
            scene = shot.scene
            with self.server.atomic():
                self._put_mesh(scene)
                self._put("/creases", scene.creases, 2.0, is_shown=self.show_creases.value)
            self.caption.content = f"**{shot.label}**\n\n{scene.caption}\n\n{_legend(scene)}"

    def _put_mesh(self, scene: Scene) -> None:
        if len(scene.triangles) == 0 or not self.show_mesh.value:
            self._remove("/mesh")
            return
        self.server.scene.add_mesh_simple(
            "/mesh", scene.vertices, scene.triangles, color=SURFACE, flat_shading=True, side="double"
        )

    def _put(self, name: str, lines: Segments, thickness: float, *, is_shown: bool) -> None:
        n = len(lines.points)
        if n == 0 or not is_shown:
            self._remove(name)
            return
        colours = np.repeat(_linear(lines.colours)[:, None], 2, axis=1)
        thickness *= max(0.35, min(1.0, FEW / n))
        self.server.scene.add_line_segments(
            name, lines.points, colours, thickness=thickness, thickness_units="screen"
        )

    def _remove(self, name: str) -> None:
        self.server.scene.remove_by_name(name)

    def _show_section(self) -> None:
        """Show the section at the slider's present position, not at that of the call."""
        with self._lock:
            field = self._shot().field
            if field is None:
                return
            found: Section | None = None
            if self.show_plane.value:
                axis = AXES.index(self.axis.value) if field.box.dim == 3 else 0
                lower, upper = field.box.lower, field.box.upper
                offset = float(np.clip(self.offset.value, lower[axis], upper[axis]))
                found = field.section(axis, offset)
            self._put_section(found)

    def _put_section(self, found: Section | None) -> None:
        with self.server.atomic():
            if found is None:
                self._remove("/plane/cells")
                self._remove("/plane/level")
            else:
                self._put("/plane/cells", found.cells, 1.0, is_shown=True)
                self._put("/plane/level", found.level, 3.5, is_shown=True)
        self.regions.content = "" if found is None else f"{found.n_regions:,} cells in the plane"


def _start(port: int) -> viser.ViserServer:
    try:
        import viser
    except ImportError as error:
        raise ImportError("creased view needs viser: pip install 'creased[view]'") from error
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # not of closed connections
    # Its banner is not suppressed by verbose=False, and it has no option for origins.
    with redirect_stdout(StringIO()), own_pages_only():
        return viser.ViserServer(host=HOST, port=port, label="creased", verbose=False)


def _linear(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert sRGB colours to linear light, which viser expects for lines."""
    share = colours / 255
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.rint(255 * light).astype(np.uint8)


def _corners(shot: Shot) -> NDArray[np.float64]:
    """Compute the corners (2, 3) of the view: those of the box, equal for all epochs, or of the mesh."""
    if shot.field is None:
        vertices = shot.scene.vertices
        return np.array([vertices.min(axis=0), vertices.max(axis=0)], dtype=np.float64)
    box = shot.field.box
    return np.pad(np.array([box.lower, box.upper]), ((0, 0), (0, 3 - box.dim)))


def _legend(scene: Scene) -> str:
    lines = [
        f'<span style="color: rgb{colour}">&#9644;</span> {name}' for name, colour in scene.legend.items()
    ]
    return "  \n".join(lines)
