"""A page on the loopback interface that shows surfaces by viser: the scene and its controls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.core.domains.box import Box
from creased.io.similarity import Similarity
from creased.shapes.surface import Surface
from creased.viewer.canvas import FEW, Canvas
from creased.viewer.cutting import HalfSpace
from creased.viewer.errors import Bands, error_bands
from creased.viewer.scene import Scene
from creased.viewer.server import HOST, start_server, stop_server
from creased.viewer.sources import Field, Shot
from creased.viewer.tools import Player, add_saving, format_bands, format_legend, picked_face

if TYPE_CHECKING:
    from numpy.typing import NDArray

AXES = ("x", "y", "z")
TOWARDS = {"z": (0.75, -1.1, 0.6), "y": (0.6, 0.5, 1.15), "x": (0.6, 0.75, 1.1)}  # the camera, by what is up
CAMERA_DISTANCE = 0.75  # in sizes of the scene
STEPS = 200  # of the plane's slider, and of the level's
LEVELS = 0.1  # of the size of the scene: the largest change of the level
KEPT = 4  # shots whose surfaces are kept in memory


class Page:
    """A page that shows one of several shots; closed by `stop`.

    Args:
        shots: in the order of the slider; the last one is shown first. None yet: `add` brings them.
        port: of the server; if it is taken, the next free one.
        up: the axis that points up.
        shape: makes the surface to compare with, in the same coordinates, when it is asked for.
        box: framed by the camera; that of the last shot by default.

    Raises:
        ImportError: viser is not installed.
        ValueError: there are neither shots nor a box.
    """

    def __init__(
        self,
        shots: Sequence[Shot],
        port: int = 8080,
        up: str = "z",
        *,
        shape: Callable[[], Surface | None] | None = None,
        box: Box | None = None,
    ) -> None:
        if not shots and box is None:
            raise ValueError("Page: give shots, or the box in which there will be some")
        self.shots, self._make_shape = list(shots), shape
        if box is None:
            field = self.shots[-1].field  # raises for a bad file, before there is a server
            box = None if field is None else field.box
        corners = _corners_of(self.shots[-1].scene.vertices) if box is None else _corners_of_box(box)
        self.is_field = box is not None  # which planes cut; not a mesh file
        self.server = start_server(port)
        self.canvas = Canvas(self.server)
        self._lock = threading.RLock()  # callbacks come from several threads
        self._seen: list[Shot] = []  # whose surfaces are in memory, the newest last
        self._shown: dict[str, object] = {}  # what each part of the scene was made of
        self._bands: Bands | None = None
        self._levels: tuple[object, Scene] | None = None  # the scene of the level that was asked for last
        self._frame(corners, up, is_flat=box is not None and box.dim == 2)
        self._add_switches(float(np.ptp(corners, axis=0).max()), box)
        self.refresh()

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self.server.get_port()}"

    def stop(self) -> None:
        """Close the server."""
        self.player.stop()
        stop_server(self.server)

    def add(self, *shots: Shot) -> None:
        """Add shots at the end, and show the last of them if the last one is shown now."""
        with self._lock:
            is_last = not self.shots or self.epoch.value >= self.numbers[-1]
            if not self.shots:
                few = len(shots[-1].scene.creases.points) <= FEW
                self.show_creases.value = few
            self.shots += shots
            for shot in self.shots[:-1] if is_last else self.shots:
                if shot not in self._seen:
                    shot.forget()  # it is extracted again if it is asked for
            self._fit_slider()
            if is_last:
                self.epoch.value = self.numbers[-1]
        self.refresh()

    @property
    def numbers(self) -> list[int]:
        """The numbers of the shots: their epochs, from 1."""
        return [i if shot.epoch is None else shot.epoch for i, shot in enumerate(self.shots, 1)]

    @cached_property
    def shape(self) -> Surface | None:
        """The surface to compare with; None if there is none."""
        return None if self._make_shape is None else self._make_shape()

    def shot(self) -> Shot:
        """The shot that the slider chooses: of this epoch, or the latest before it."""
        before = [i for i, number in enumerate(self.numbers) if number <= self.epoch.value]
        return self.shots[before[-1] if before else 0]

    def scene(self) -> Scene:
        """The surface that is shown: that of the shot, or of another level."""
        with self._lock:
            shot, change = self.shot(), float(self.level.value)
            if change == 0 or shot.field is None:
                return shot.scene
            if self._levels is None or self._levels[0] != (shot, change):
                field = shot.field
                self._levels = (shot, change), field.at(field.level + change, f"{shot.label}, {change:+.4g}")
            return self._levels[1]

    def to_domain(self) -> Similarity | None:
        """The map from the user's coordinates, in which meshes are saved; None: the identity."""
        field = self.shot().field if self.shots else None
        return None if field is None else field.to_domain

    def kept(self) -> HalfSpace | None:
        """The half that the plane leaves of the scene, the one away from the camera; None: all."""
        if not self.is_field or not self.cut.value:
            return None
        axis = AXES.index(self.axis.value)
        return HalfSpace(axis, float(self.offset.value), 1 if self._towards[axis] > 0 else -1)

    def refresh(self) -> None:
        """Show what the controls say now; what is already shown is left as it is."""
        with self._lock:
            self._show_shape()
            if not self.shots:
                self.caption.content = "the first surface comes with the end of the first epoch"
                return
            self._show_shot()
            self._show_section()
            self._remember(self.shot())

    def _frame(self, corners: NDArray[np.float64], up: str, *, is_flat: bool) -> None:
        middle, reach = corners.mean(axis=0), float(np.ptp(corners, axis=0).max())
        self._towards = np.array((0.0, -0.01, 1.3) if is_flat else TOWARDS[up])
        self.server.scene.set_up_direction("+z" if is_flat else f"+{up}")
        self.server.initial_camera.look_at = middle
        self.server.initial_camera.position = middle + CAMERA_DISTANCE * reach * self._towards
        upright = np.eye(3)["xyz".index("y" if is_flat else up)]
        self.canvas.light(self._towards, upright)
        self.server.gui.configure_theme(show_logo=False, show_share_button=False)

    def _add_switches(self, reach: float, box: Box | None) -> None:
        gui, change = self.server.gui, LEVELS * reach
        self.caption = gui.add_markdown("")
        self.epoch = gui.add_slider("epoch", min=1, max=2, step=1, initial_value=1, visible=False)
        self.player = Player(self)
        self.show_mesh = gui.add_checkbox("mesh", initial_value=True)
        few = not self.shots or len(self.shots[-1].scene.creases.points) <= FEW
        self.show_creases = gui.add_checkbox(
            "creases", initial_value=few, hint="off at first where they would cover the surface"
        )
        has_shape = self._make_shape is not None
        self.show_shape = gui.add_checkbox(
            "shape", initial_value=False, visible=has_shape, hint="what it was trained on, transparent"
        )
        self.colour = gui.add_dropdown("colour", ("plain", "error"), initial_value="plain", visible=has_shape)
        self.level = gui.add_slider(
            "level +", -change, change, step=change / STEPS, initial_value=0.0, visible=self.is_field
        )
        self.picked = gui.add_markdown("")
        if self.is_field:
            self.picked.content = "click a face: its neurons and its affine map"
        if self.shots:
            self._fit_slider()
            self.epoch.value = self.numbers[-1]
        if box is not None:
            self._add_plane(box)
        if box is not None and box.dim == 3:  # a browser would be slow to ask each of many triangles
            self.server.scene.on_click()(self._pick)
        add_saving(self)
        handles = [self.epoch, self.show_mesh, self.show_creases, self.show_shape, self.colour, self.level]
        handles += [self.show_plane, self.cut, self.axis, self.offset] if self.is_field else []
        for handle in handles:  # now that all are there
            handle.on_update(lambda _: self.refresh())

    def _fit_slider(self) -> None:
        numbers = self.numbers
        self.epoch.min, self.epoch.max = numbers[0], max(numbers[-1], numbers[0] + 1)
        is_several = len(numbers) > 1
        self.epoch.visible = self.player.button.visible = is_several

    def _add_plane(self, box: Box) -> None:
        gui, is_flat = self.server.gui, box.dim == 2
        low, high = min(box.lower), max(box.upper)
        self.show_plane = gui.add_checkbox("plane", initial_value=is_flat, hint="the complex in a plane")
        self.cut = gui.add_checkbox("cut open", initial_value=False, visible=not is_flat)
        self.axis = gui.add_dropdown("across", AXES, initial_value="z", visible=not is_flat)
        self.offset = gui.add_slider(
            "at", low, high, step=(high - low) / STEPS, initial_value=(low + high) / 2, visible=not is_flat
        )
        self.regions = gui.add_markdown("")

    def _is_new(self, part: str, made_of: object) -> bool:
        """Note what a part of the scene is made of; False if it is shown like that already."""
        is_new = part not in self._shown or self._shown[part] != made_of
        self._shown[part] = made_of
        return is_new

    def _show_shape(self) -> None:
        is_shown = self.show_shape.value and self.shape is not None
        if self._is_new("shape", is_shown):
            if is_shown and self.shape is not None:
                self.canvas.put_shape(self.shape)
            else:
                self.canvas.remove("/shape")

    def _show_shot(self) -> None:
        scene, kept, which = self.scene(), self.kept(), (id(self.shot()), self.level.value)
        shape = self.shape if self.colour.value == "error" and len(scene.triangles) else None
        if self._is_new("bands", (which, shape is None)):
            self._bands = None if shape is None else error_bands(scene, shape)
        bands = self._bands
        with self.server.atomic():
            if self._is_new("mesh", (which, kept, bands is None, self.show_mesh.value)):
                self.canvas.remove("/picked")
                if self.show_mesh.value and len(scene.triangles):
                    self.canvas.put_mesh(scene, kept, bands)
                else:
                    self.canvas.remove("/mesh")
            if self._is_new("creases", (which, kept, self.show_creases.value)):
                if self.show_creases.value:
                    self.canvas.put_lines("/creases", scene.creases, 2.0, kept)
                else:
                    self.canvas.remove("/creases")
        legend = format_legend(scene) if self.show_creases.value else ""
        scale = "" if bands is None else format_bands(bands, self.to_domain())
        self.caption.content = f"**{self.shot().label}**\n\n{scene.caption}\n\n{legend}\n\n{scale}"

    def _show_section(self) -> None:
        shot = self.shot()
        field: Field | None = shot.field
        if field is None or not self.is_field:
            return
        axis = AXES.index(self.axis.value) if field.box.dim == 3 else 0
        offset = float(np.clip(self.offset.value, field.box.lower[axis], field.box.upper[axis]))
        if not self._is_new("section", (id(shot), axis, offset, self.show_plane.value)):
            return
        found = field.section(axis, offset) if self.show_plane.value else None
        with self.server.atomic():
            if found is None:
                self.canvas.remove("/plane")
            else:
                self.canvas.put_lines("/plane/cells", found.cells, 1.0)
                self.canvas.put_lines("/plane/level", found.level, 3.5)
        self.regions.content = "" if found is None else f"{found.n_regions:,} cells in the plane"

    def _pick(self, event: Any) -> None:
        with self._lock:
            scene, field = self.scene(), self.shot().field
            if scene.level_set is None or field is None:
                return
            found = picked_face(scene, field.program, self.kept(), event)
            if found is not None:
                self.picked.content, corners = found
                self.canvas.put_outline(corners)

    def _remember(self, shot: Shot) -> None:
        """Free the surfaces of shots that were shown long ago."""
        self._seen = [each for each in self._seen if each is not shot] + [shot]
        while len(self._seen) > KEPT:
            self._seen.pop(0).forget()


def _corners_of(vertices: NDArray[Any]) -> NDArray[np.float64]:
    """Compute the corners (2, 3) of the view of a mesh."""
    return np.array([vertices.min(axis=0), vertices.max(axis=0)], dtype=np.float64)


def _corners_of_box(box: Box) -> NDArray[np.float64]:
    """Compute the corners (2, 3) of the view of a box, equal for all epochs."""
    return np.pad(np.array([box.lower, box.upper], dtype=np.float64), ((0, 0), (0, 3 - box.dim)))
