"""Keep what was extracted in sub-boxes in a folder, so that an interrupted extraction goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path

import torch

from creased.core.streaming.piece import Piece
from creased.core.streaming.sub_box_grid import Place
from creased.io.atomic_write import replacing, write_whole
from creased.io.export import ExportError


class SubBoxFolder(MutableMapping[Place, Piece]):
    """Finished sub-boxes, a file each.

    Raises:
        ExportError: there are some of another extraction.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self._path, self._digest, self._record = path, digest, path / "extraction.json"
        self.n: int | None = None  # sub-boxes an axis; None: not begun
        if self._record.is_file():
            record = json.loads(self._record.read_text())
            if record["sha256"] != digest:
                raise ExportError(f"{path} holds sub-boxes of another extraction: remove it to begin anew")
            self.n = record["n"]

    def begin(self, n: int) -> None:
        """Begin with so many sub-boxes an axis; drop those of another size."""
        if self.n != n:
            self.remove()
            write_whole(self._record, json.dumps({"sha256": self._digest, "n": n}).encode())
            self.n = n

    def remove(self) -> None:
        """Remove the folder."""
        if self._path.exists():
            shutil.rmtree(self._path)

    def _file(self, place: Place) -> Path:
        return self._path / f"{'_'.join(map(str, place))}.pt"

    def __getitem__(self, place: Place) -> Piece:
        if not self._file(place).is_file():
            raise KeyError(place)
        return Piece(**torch.load(self._file(place), weights_only=True, mmap=True))

    def __setitem__(self, place: Place, piece: Piece) -> None:
        with replacing(self._file(place)) as file:
            torch.save(piece._asdict(), file)

    def __delitem__(self, place: Place) -> None:
        self._file(place).unlink()

    def __iter__(self) -> Iterator[Place]:
        names = (file.stem.split("_") for file in self._path.glob("[0-9]*.pt"))
        return iter(sorted(tuple(map(int, name)) for name in names))

    def __len__(self) -> int:
        return sum(1 for _ in self)
