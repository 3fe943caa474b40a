"""Load the mesh of a shape: from a file, from an installed package, or by a verified download.

A source is a callable without arguments that returns a `trimesh.Trimesh`; `creased.shapes.procedural` has
more.
"""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from creased.io.atomic_write import write_whole
from creased.shapes.procedural import box, bracket, sphere, torus

if TYPE_CHECKING:
    from trimesh import Trimesh

Source = Callable[[], "Trimesh"]

OFFLINE = "bunny, sphere, torus, box and bracket need no download"
TIMEOUT = 60  # seconds without an answer before a download is abandoned


class ShapeError(ValueError):
    """A mesh that cannot be loaded or trained on; the message says why, and what to change."""


@dataclass(frozen=True)
class File:
    """A mesh file in any format that trimesh reads."""

    path: str

    def __call__(self) -> Trimesh:
        """Read the file as triangles; vertices that differ in texture or normal alone are merged.

        Raises:
            ShapeError: it is missing, unreadable, or holds no triangles.
        """
        import trimesh

        path = Path(self.path).expanduser()
        if not path.is_file():
            raise ShapeError(f"there is no file {path}")
        try:
            mesh = trimesh.load(path, force="mesh")
        except Exception as error:  # trimesh's loaders raise nearly anything
            raise ShapeError(f"cannot read {path} as a mesh: {error}") from error
        if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) == 0:
            raise ShapeError(f"{path} holds no triangles")
        mesh.merge_vertices(merge_tex=True, merge_norm=True)
        return mesh


@dataclass(frozen=True)
class BunnyScan:
    """The Stanford bunny as scanned, with holes: 50,000 vertices, from the pymeshfix package."""

    def __call__(self) -> Trimesh:
        """Read the scan from the installed package."""
        path = resources.files("pymeshfix") / "examples" / "StanfordBunny.ply"
        with resources.as_file(path) as file:
            return File(str(file))()


@dataclass(frozen=True)
class Download:
    """A mesh file by URL, cached, and used only if its SHA-256 is as expected.

    Args:
        url: of the file; https only.
        sha256: expected checksum, in hexadecimal.
        cache: the folder for downloads.
        found_in: further folders that may hold the file, tried before the network.
    """

    url: str
    sha256: str
    cache: str = "data/meshes"
    found_in: Sequence[str] = ()

    def __call__(self) -> Trimesh:
        """Read the file from a folder or the network.

        Raises:
            ShapeError: the download fails, or its checksum is wrong.
        """
        name = self.url.rsplit("/", 1)[-1]
        for folder in (self.cache, *self.found_in):
            path = Path(folder) / name
            if path.is_file() and _sha256(path.read_bytes()) == self.sha256:
                return File(str(path))()
        path = Path(self.cache) / name
        write_whole(path, self._fetch())
        return File(str(path))()

    def _fetch(self) -> bytes:
        if not self.url.startswith("https://"):
            raise ShapeError(f"will not download from {self.url}: only https is allowed")
        try:
            with urllib.request.urlopen(self.url, timeout=TIMEOUT) as answer:  # noqa: S310, https alone
                content: bytes = answer.read()
        except (urllib.error.URLError, TimeoutError, OSError) as error:
            raise ShapeError(
                f"cannot download {self.url}: {error}. Without a network, put the file into {self.cache}/, "
                f"give one of your own with shape.path=FILE, or choose another shape: {OFFLINE}"
            ) from error
        found = _sha256(content)
        if found != self.sha256:
            raise ShapeError(f"{self.url} has SHA-256 {found}, expected {self.sha256}: not used")
        return content


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


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
