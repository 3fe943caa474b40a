"""Read what a path shows: the epochs of a run folder, a checkpoint, a network, or a mesh file."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.core.extract_level_set import extract_level_set
from creased.core.program.program import Program
from creased.extras import how_to_install
from creased.io.checkpoint import CheckpointError, read_record
from creased.io.load import Loaded, load_file, locate
from creased.io.runs import EPOCHS, LAST
from creased.io.similarity import Similarity
from creased.io.units import Length
from creased.shapes.sources import File, source_of_run
from creased.shapes.sources.mesh_file import POINTS, ShapeError
from creased.shapes.surface import Surface
from creased.viewer.scene import LEVEL, Scene, Section, Segments, level_set_scene, section

log = logging.getLogger(__name__)

MESHES = (
    ".ply",
    ".obj",
    ".stl",
    ".glb",
    ".gltf",
    ".off",
    ".3mf",
    ".dae",
    *POINTS,
)  # the latter to be refused
EPOCH = re.compile(r"epoch_(\d+)\.ckpt")  # counted from 1
Load = Callable[[Path], Loaded]
FLAT = 1e-5  # radians: triangles of one polygon meet at smaller angles, in single precision


@dataclass(frozen=True)
class Field:
    """A function on a box."""

    program: Program
    box: Box
    level: float = 0.0
    output: int = 0
    to_domain: Similarity | None = None  # from the user's coordinates, in which meshes are saved

    def at(self, level: float, name: str) -> Scene:
        """Extract another level, of the program, and make its scene."""
        found = extract_level_set(self.program, self.box, level, output=self.output, method="auto")
        return level_set_scene(found, name)

    def section(self, axis: int, offset: float) -> Section:
        """Extract the plane section; see `creased.viewer.scene.section`."""
        return section(self.program, self.box, axis, offset, level=self.level, output=self.output)


@dataclass(frozen=True)
class Shot:
    """One position of the page's slider; read on first use."""

    label: str
    read: Callable[[], tuple[Scene, Field | None]]  # None: of a mesh file
    epoch: int | None = None  # counted from 1; None: not of a run
    at_hand: list[LevelSet] = field(default_factory=list, compare=False)  # that need not be extracted

    @cached_property
    def _both(self) -> tuple[Scene, Field | None]:
        return self.read()

    @property
    def scene(self) -> Scene:
        """The surface and its creases."""
        return self._both[0]

    @property
    def field(self) -> Field | None:
        """The function to cut by planes; None for a mesh file."""
        return self._both[1]

    def forget(self) -> None:
        """Free what was read; it is read again when it is asked for."""
        self.__dict__.pop("_both", None)
        self.at_hand.clear()


def shots_of(
    path: Path,
    *,
    load: Load = load_file,
    half_width: float | None = None,
    level: float = 0.0,
    offset: Length | None = None,
    output: int = 0,
) -> list[Shot]:
    """List the shots of a path; of a run folder its kept epochs, or else its last checkpoint.

    Args:
        path: a run folder, a checkpoint, a network (.pt, .npz, .onnx) or a mesh file.
        load: loads a file of a network; with other options than the default ones, or a slice of it.
        half_width: of the cube to show; the training box by default.
        level: value of the function.
        offset: distance from its zero level set, in place of a level.
        output: index of the output.

    Raises:
        CheckpointError: there is no such file.
    """
    if path.suffix.lower() in MESHES:
        if not path.is_file():
            raise CheckpointError(f"there is no file {path}")
        return [Shot(path.name, lambda: (mesh_scene(path), None))]
    files = [path]
    if path.is_dir():
        epochs = [file for file in (path / EPOCHS).glob("epoch_*.ckpt") if EPOCH.fullmatch(file.name)]
        by_number = sorted(epochs, key=lambda file: (len(file.name), file.name))
        files = by_number or [path / LAST]

    def shot(file: Path) -> Shot:
        of_epoch = EPOCH.fullmatch(file.name)
        epoch = int(of_epoch[1]) if of_epoch else None
        label = file.stem if epoch is None else f"epoch {epoch}"
        return Shot(label, lambda: _read(file, load, half_width, level, offset, output), epoch)

    return [shot(file) for file in files]


def _read(
    path: Path, load: Load, half_width: float | None, level: float, offset: Length | None, output: int
) -> tuple[Scene, Field | None]:
    loaded = load(path)
    if loaded.program.in_dim not in (2, 3):
        raise CheckpointError(
            f"{path} is a network of {loaded.program.in_dim} inputs; 2 or 3 can be shown: "
            "slice it first, with creased.slice_program"
        )
    record = locate(loaded, path, half_width)
    level = record.before(level if offset is None else record.level_of(offset), output)
    box = record.domain
    name = path.name if loaded.record is None else f"{loaded.record.shape}, epoch {loaded.record.epoch}"
    shown = Field(loaded.program, box, level, output, record.to_domain)
    return shown.at(level, name), shown


def live_shot(level_set: LevelSet, program: Program, epoch: int, to_domain: Similarity) -> Shot:
    """Make the shot of an epoch that has just ended.

    Args:
        level_set: of the program, on a box; taken once, and extracted again when it was forgotten.
        program: with weights that do not change any more.
        epoch: counted from 1.
        to_domain: from the user's coordinates.
    """
    box, label, at_hand = level_set.domain, f"epoch {epoch}", [level_set]
    if not isinstance(box, Box):
        raise ValueError(f"live_shot: shows level sets in a Box, got {box}")
    shown = Field(program, box, level_set.level, level_set.output, to_domain)

    def read() -> tuple[Scene, Field | None]:
        scene = level_set_scene(at_hand.pop(), label) if at_hand else shown.at(shown.level, label)
        return scene, shown

    return Shot(label, read, epoch, at_hand)


def shape_of_run(folder: Path) -> Surface | None:
    """Read the training shape of a run, in the domain; None where it cannot be found or is no mesh."""
    try:
        source, _ = source_of_run(folder)
        found, to_domain = source(), read_record(folder / LAST).to_domain
    except (CheckpointError, ShapeError, OSError) as error:
        log.warning("the shape is not shown: %s", error)
        return None
    return Surface.of_triangles(to_domain.apply(np.asarray(found.vertices)), found.faces)


def mesh_scene(path: Path) -> Scene:
    """Make the scene of a mesh file; its creases are the edges on the boundary or between planes.

    Raises:
        ImportError: trimesh is not installed.
        ShapeError: the file holds no readable mesh.
    """
    try:
        import trimesh
    except ImportError as error:
        raise ImportError(f"showing meshes needs trimesh: {how_to_install('view')}") from error
    mesh = File(str(path))()
    points, triangles = np.asarray(mesh.vertices), np.asarray(mesh.faces, dtype=np.int32)
    bent = mesh.face_adjacency_edges[mesh.face_adjacency_angles > FLAT]
    rim = mesh.edges_sorted[trimesh.grouping.group_rows(mesh.edges_sorted, require_count=1)]
    edges = np.concatenate([bent, rim]).astype(np.int64)
    return Scene(
        points.astype(np.float32),
        triangles,
        Segments(points[edges].astype(np.float32), np.tile(np.array(LEVEL, np.uint8), (len(edges), 1))),
        f"{path.name}: {len(triangles):,} triangles, {len(points):,} vertices",
        {"crease": LEVEL},
    )
