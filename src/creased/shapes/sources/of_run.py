"""Find the shape that a run was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creased.shapes.procedural import box, bracket, sphere, torus
from creased.shapes.sources.download import BunnyScan, Download
from creased.shapes.sources.mesh_file import File, ShapeError, Source, sha256_of_mesh

if TYPE_CHECKING:
    from trimesh import Trimesh

BY_NAME = {source.__name__: source for source in (BunnyScan, Download, File, box, bracket, sphere, torus)}
NAMED: dict[str, Source] = {
    "bunny": BunnyScan(),
    "sphere": sphere(),
    "torus": torus(),
    "box": box(),
    "bracket": bracket(),
}  # that need no file
LOADED = ("_target_", "name", "source", "path")  # options of a shape that say what it is made from


@dataclass(frozen=True)
class Unchanged:
    """A mesh file as a run has read it."""

    file: File
    sha256: str  # of what was read; empty: not known

    def __call__(self) -> Trimesh:
        """Read the file.

        Raises:
            ShapeError: it cannot be read, or holds another mesh now.
        """
        mesh = self.file()
        if self.sha256 and sha256_of_mesh(mesh) != self.sha256:
            raise ShapeError(f"{self.file.path} is another mesh now than the run was trained on: name a file")
        return mesh


def source_of_run(folder: Path) -> tuple[Source, str]:
    """Make the source of a run's training shape, and its name, from the run's `config.yaml`.

    Raises:
        ShapeError: there is no such file, or it names no source of `creased.shapes`.
    """
    from omegaconf import OmegaConf

    path = folder / "config.yaml"
    if not path.is_file():
        raise ShapeError(
            f"the training shape needs a run folder with its config.yaml, got {folder}: give a file"
        )
    try:
        config = dict(OmegaConf.load(path))
        shape = config["shape"]
        if shape["path"] is not None:
            read = str(config.get("shape_sha256") or "")
            return Unchanged(File(str(shape["path"])), read), Path(shape["path"]).name
        options = dict(shape["source"])
        package, _, kind = str(options.pop("_target_")).rpartition(".")
        if not package.startswith("creased.shapes"):
            raise KeyError(package)
        name, source = str(shape["name"]), BY_NAME[kind](**options)
    except Exception as error:  # nearly anything, if the file is no configuration of a run
        raise ShapeError(f"{path} does not name the training shape: give a file") from error
    return source, name


def options_of_run(folder: Path) -> dict[str, Any]:
    """Read the arguments of `creased.shapes.load_shape` for a run's training shape.

    Raises:
        ShapeError: as of `source_of_run`.
    """
    from omegaconf import OmegaConf

    source, _ = source_of_run(folder)
    shape: Any = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml").shape)
    options = {name: value for name, value in shape.items() if name not in LOADED}
    return options | {"name": str(shape["name"]), "source": source, "path": shape["path"]}
