"""Meshes that are not files of the user: the scan that pymeshfix carries, and downloads by URL."""

from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING

from creased.io.atomic_write import write_whole
from creased.shapes.sources.mesh_file import File, ShapeError

if TYPE_CHECKING:
    from trimesh import Trimesh

OFFLINE = "bunny, sphere, torus, box and bracket need no download"
MOST_BYTES = 1 << 30  # of a download
MOST_SECONDS = 1800
TIMEOUT = 60  # seconds without an answer before a download is abandoned


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
                content = _read(answer, self.url)
        except (urllib.error.URLError, TimeoutError, OSError) as error:
            raise ShapeError(
                f"cannot download {self.url}: {error}. Without a network, put the file into {self.cache}/, "
                f"give one of your own with shape.path=FILE, or choose another shape: {OFFLINE}"
            ) from error
        found = _sha256(content)
        if found != self.sha256:
            raise ShapeError(f"{self.url} has SHA-256 {found}, expected {self.sha256}: not used")
        return content


def _read(answer: BufferedIOBase, url: str) -> bytes:
    """Read a download of bounded size, in bounded time."""
    content, deadline = bytearray(), time.monotonic() + MOST_SECONDS
    while part := answer.read1(1 << 20):  # what has come, if only a byte: the clock is looked at
        content += part
        if len(content) > MOST_BYTES or time.monotonic() > deadline:
            raise ShapeError(f"{url} does not end: given up after {len(content):,} bytes")
    return bytes(content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
