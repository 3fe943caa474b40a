"""Where meshes come from: a file, a scan that a package carries, a verified download.

A source is a callable without arguments that returns a `trimesh.Trimesh`. The procedural ones are in
`creased.shapes.procedural`.
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
from creased.shapes.errors import ShapeError

if TYPE_CHECKING:
    from trimesh import Trimesh

Source = Callable[[], "Trimesh"]

ALWAYS_THERE = "bunny, sphere, torus, box and bracket need no download"
TIMEOUT = 60  # seconds without an answer before a download is given up


@dataclass(frozen=True)
class File:
    """A mesh file in any format that trimesh reads."""

    path: str

    def __call__(self) -> Trimesh:
        """Read it, its faces as triangles and its seams of texture or normals welded.

        Raises:
            ShapeError: it is missing, unreadable, or holds no triangles.
        """
        import trimesh

        path = Path(self.path).expanduser()
        if not path.is_file():
            raise ShapeError(f"shape.path: there is no file {path}")
        try:
            mesh = trimesh.load(path, force="mesh")
        except Exception as error:  # trimesh's loaders raise whatever their formats make them raise
            raise ShapeError(f"shape.path: cannot read {path} as a mesh: {error}") from error
        if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) == 0:
            raise ShapeError(f"shape.path: {path} holds no triangles")
        mesh.merge_vertices(merge_tex=True, merge_norm=True)
        return mesh


@dataclass(frozen=True)
class BunnyScan:
    """The Stanford bunny as scanned, with holes: 50,000 vertices, carried by the pymeshfix package."""

    def __call__(self) -> Trimesh:
        """Read the scan from the installed package."""
        path = resources.files("pymeshfix") / "examples" / "StanfordBunny.ply"
        with resources.as_file(path) as file:
            return File(str(file))()


@dataclass(frozen=True)
class Download:
    """A mesh file by URL, kept in a cache and believed only if its SHA-256 is right.

    Args:
        url: where it is; https only.
        sha256: its checksum, in hexadecimal.
        cache: the folder where downloads are kept.
        found_in: further folders that may hold the file, tried before the network.
    """

    url: str
    sha256: str
    cache: str = "data/meshes"
    found_in: Sequence[str] = ()

    def __call__(self) -> Trimesh:
        """Read the file from a folder or the network.

        Raises:
            ShapeError: it cannot be had, or its checksum is wrong.
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
            raise ShapeError(f"will not download from {self.url}: only https is trusted")
        try:
            with urllib.request.urlopen(self.url, timeout=TIMEOUT) as answer:  # noqa: S310, https alone
                content: bytes = answer.read()
        except (urllib.error.URLError, TimeoutError, OSError) as error:
            raise ShapeError(
                f"cannot download {self.url}: {error}. Without a network, put the file into {self.cache}/, "
                f"give one of your own with shape.path=FILE, or choose another shape: {ALWAYS_THERE}"
            ) from error
        found = _sha256(content)
        if found != self.sha256:
            raise ShapeError(f"{self.url} has SHA-256 {found}, expected {self.sha256}: not used")
        return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
