"""Survey a folder of meshes: which are accepted as shapes, which change on the way, which are refused.

    ./run python -m scripts.checks.survey FOLDER
    ./run python -m scripts.checks.survey FOLDER --limit 4 --seconds 60 repair=lenient open=drop

One line a file, then the totals. Nothing is trained. Files are read in a process of its own: one that takes
too long, or whose reader crashes, is a line like any other.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from creased.shapes import PointCloud, ShapeError, load_shape

ENDINGS = (".3mf", ".dae", ".glb", ".gltf", ".obj", ".off", ".ply", ".stl", ".xyz", ".pcd")


class Outcome(NamedTuple):
    """What became of a file."""

    kind: str  # accepted, changed, refused, too slow, crashed
    words: str


def survey(file: Path, options: dict[str, str]) -> Outcome:
    """Load a file as a shape, with options of `creased.shapes.repair`."""
    try:
        shape = load_shape(file.stem, None, path=str(file), **options)  # type: ignore[arg-type]
    except (ShapeError, ValueError) as error:
        return Outcome("refused", str(error))
    if isinstance(shape, PointCloud):
        return Outcome("accepted", f"{len(shape.read):,} points with normals")
    size = f"{len(shape.surface.triangles):,} triangles"
    change = shape.repair.change
    if change is None:
        return Outcome("accepted", "; ".join([size, *shape.repair.sentences()]))
    shares = ", ".join(f"{name} {100 * share:.2g} %" for name, share in change.shares.items())
    return Outcome("changed", "; ".join([shares, size, *shape.repair.sentences()]))


def survey_all(files: list[Path], options: dict[str, str], seconds: float) -> Iterator[tuple[Path, Outcome]]:
    """Survey files, each within a limit of time."""
    worker = None
    for file in files:
        worker = worker or _Worker(options)
        outcome = worker.ask(file, seconds)
        if outcome.kind in ("too slow", "crashed"):
            worker.stop()
            worker = None
        yield file, outcome
    if worker:
        worker.stop()


class _Worker:
    """A process that surveys files."""

    def __init__(self, options: dict[str, str]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, end = context.Pipe()
        self.process = context.Process(target=_serve, args=(end, options), daemon=True)
        self.process.start()
        end.close()
        self.connection.recv()  # it has imported all that it needs

    def ask(self, file: Path, seconds: float) -> Outcome:
        self.connection.send(file)
        if not self.connection.poll(seconds):
            return Outcome("too slow", f"more than {seconds:g} s")
        try:
            return Outcome(*self.connection.recv())
        except EOFError:
            return Outcome("crashed", "its reader ended without an answer")

    def stop(self) -> None:
        self.process.kill()
        self.process.join()


def _serve(connection: Connection, options: dict[str, str]) -> None:
    logging.disable(logging.CRITICAL)
    import trimesh

    load_shape("ready", trimesh.creation.box)
    connection.send("ready")
    while True:
        try:
            file = connection.recv()
        except EOFError:
            return
        try:
            connection.send(tuple(survey(file, options)))
        except Exception as error:
            connection.send(("crashed", f"{type(error).__name__}: {error}"))


def find_files(folder: Path, megabytes: float) -> list[Path]:
    """List the mesh files in a folder, its folders too, up to a size."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    return sorted(path for path in found if path.stat().st_size <= megabytes * 2**20)


def main(words: list[str]) -> int:
    """Print the survey; return 1 if a file crashed or took too long, else 0."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("folder", type=Path)
    parser.add_argument("options", nargs="*", metavar="OPTION=VALUE", help="of shape.repair, shape.open")
    parser.add_argument("--limit", type=float, default=4, metavar="MIB", help="skip larger files")
    parser.add_argument("--seconds", type=float, default=60, help="for each file")
    chosen = parser.parse_args(words)
    options = dict(word.split("=", 1) for word in chosen.options)
    counts: Counter[str] = Counter()
    for file, outcome in survey_all(find_files(chosen.folder, chosen.limit), options, chosen.seconds):
        counts[outcome.kind] += 1
        print(f"{outcome.kind:9} {file.relative_to(chosen.folder)}: {outcome.words}", flush=True)
    total = sum(counts.values())
    print(f"{total} files: " + ", ".join(f"{n} {kind}" for kind, n in counts.most_common()))
    return 1 if counts["crashed"] or counts["too slow"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
