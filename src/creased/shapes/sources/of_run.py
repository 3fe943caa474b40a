"""Find the shape that a run was trained on."""

from __future__ import annotations

from pathlib import Path

from creased.shapes.procedural import box, bracket, sphere, torus
from creased.shapes.sources.download import BunnyScan, Download
from creased.shapes.sources.mesh_file import File, ShapeError, Source

BY_NAME = {source.__name__: source for source in (BunnyScan, Download, File, box, bracket, sphere, torus)}


def source_of_run(folder: Path) -> tuple[Source, str]:
    """Make the source of a run's training shape, and its name, from the run's `config.yaml`.

    Raises:
        ShapeError: there is no such file, or it names no source of `creased.shapes`.
    """
    from omegaconf import OmegaConf

    path = folder / "config.yaml"
    if not path.is_file():
        raise ShapeError(f"--against shape needs a run folder with its config.yaml, got {folder}")
    try:
        shape = dict(OmegaConf.load(path))["shape"]
        if shape["path"] is not None:
            return File(str(shape["path"])), Path(shape["path"]).name
        options = dict(shape["source"])
        package, _, kind = str(options.pop("_target_")).rpartition(".")
        if not package.startswith("creased.shapes"):
            raise KeyError(package)
        name, source = str(shape["name"]), BY_NAME[kind](**options)
    except Exception as error:  # nearly anything, if the file is no configuration of a run
        raise ShapeError(f"{path} does not name the training shape: give --against FILE") from error
    return source, name
