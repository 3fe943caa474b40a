"""A level set that is streamed is the one that is walked at once, whatever interrupts it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import trimesh
from torch import Tensor

from creased import Box, Finding, LevelSet, extract_level_set, stream_level_set
from creased.core.marching.march import Walker
from creased.core.streaming.piece import join
from creased.core.streaming.sub_box_grid import SubBoxGrid
from creased.io.export import ExportError
from creased.io.similarity import Similarity
from tests.peak_memory import CAN_MEASURE
from tests.slow import slow
from tests.strategies import ball_program, random_program

Polygon = tuple[tuple[float, ...], ...]
WIDE, TIGHT = Box.cube(3, 1), Box([-1, -0.5, -0.7], [0.4, 0.6, 1])


def _polygon(points: Tensor) -> Polygon:
    corners = [tuple(round(1e9 * x) / 1e9 for x in point) for point in points.tolist()]
    first = corners.index(min(corners))
    return tuple(corners[first:] + corners[:first])


def _polygons(found: LevelSet) -> list[Polygon]:
    cells = found.polygons.indices.split(found.polygons.sizes.tolist())
    return sorted(_polygon(found.vertices[cell]) for cell in cells)


def _polygons_in(path: Path) -> tuple[int, list[Polygon]]:
    lines = [line.split() for line in path.read_text().splitlines()]
    vertices = torch.tensor(
        [[float(x) for x in line[1:]] for line in lines if line[0] == "v"], dtype=torch.float64
    )
    faces = [[int(x) - 1 for x in line[1:]] for line in lines if line[0] == "f"]
    return len(vertices), sorted(_polygon(vertices[face]) for face in faces)


@pytest.mark.parametrize("box", [WIDE, TIGHT])
@pytest.mark.parametrize("n", [1, 2, slow(5)])
def test_streamed_in_sub_boxes_it_is_the_same_mesh(tmp_path: Path, n: int, box: Box) -> None:
    program, out = random_program(3, (16, 16, 16), seed=5), tmp_path / "mesh.obj"
    whole = extract_level_set(program, box, method="march")
    made = stream_level_set(program, box, out, per_axis=n)
    assert _polygons_in(out) == (len(whole.vertices), _polygons(whole))
    audit = whole.audit()
    assert (made.n_vertices, made.n_edges, made.n_faces) == (
        audit.n_vertices,
        audit.n_edges,
        audit.n_polygons,
    )
    assert made.is_closed == audit.is_closed
    assert made.provenance.has(Finding.CUT_BY_WALLS) == (audit.n_wall_vertices > 0)
    assert made.n_parts > (n - 1) ** 2
    assert made.max_residual <= 1e-12
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("ending", ["ply", "obj"])
def test_a_closed_surface_is_watertight_across_sub_boxes(tmp_path: Path, ending: str) -> None:
    program, out = ball_program(3, 14, depth=3), tmp_path / f"mesh.{ending}"
    made = stream_level_set(program, WIDE, out, per_axis=4, to_domain=Similarity((1, 2, 3), 0.5))
    read = trimesh.load(out, process=False)
    assert made.is_closed
    assert made.n_parts > 8
    assert made.euler_characteristic == 2
    assert read.is_watertight
    assert read.volume > 0
    assert read.bounds.mean(0) == pytest.approx([1, 2, 3], abs=1)


def test_one_seed_finds_its_component_in_all_sub_boxes(tmp_path: Path) -> None:
    program, out = ball_program(3, 14, depth=2), tmp_path / "mesh.obj"
    whole = extract_level_set(program, WIDE)
    seed = whole.vertices[whole.polygons.indices[: int(whole.polygons.sizes[0])]].mean(0, keepdim=True)
    made = stream_level_set(program, WIDE, out, seeds=seed, per_axis=4)
    assert made.provenance.walk is not None
    assert made.provenance.walk.n_seeds == 1
    assert _polygons_in(out)[1] == _polygons(whole)


def _interrupting(n_done: int) -> Callable[[str], None]:
    def report(words: str) -> None:
        if words.startswith(f"{n_done} sub-boxes done"):
            raise KeyboardInterrupt

    return report


def test_what_was_interrupted_goes_on(tmp_path: Path) -> None:
    program, out, begun = random_program(3, (16, 16, 16), seed=5), tmp_path / "mesh.obj", list[str]()
    with pytest.raises(KeyboardInterrupt):
        stream_level_set(program, WIDE, out, per_axis=4, progress=_interrupting(7))
    assert not out.exists()
    folder = tmp_path / "mesh.obj.parts"
    assert len(list(folder.glob("*.pt"))) == 7
    with pytest.raises(ExportError, match="another extraction"):
        stream_level_set(program, WIDE, out, 0.125)
    made = stream_level_set(program, WIDE, out, progress=begun.append)  # goes on as begun
    assert begun[0].startswith("7 sub-boxes done")
    assert len([words for words in begun if words.endswith("the next one")]) >= made.n_parts - 7
    assert _polygons_in(out)[1] == _polygons(extract_level_set(program, WIDE, method="march"))
    assert not folder.exists()


def test_no_walk_takes_more_than_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, out, held = random_program(3, (32, 32, 32), seed=5), tmp_path / "mesh.obj", [0]
    finish, memory = Walker.finish, 600_000
    monkeypatch.setattr(Walker, "finish", lambda self: held.append(self._n_bytes()) or finish(self))
    stopped = extract_level_set(program, WIDE, method="march", memory=memory)
    assert stopped.provenance.has(Finding.STOPPED)
    said = list[str]()
    made = stream_level_set(program, WIDE, out, memory=memory, progress=said.append)
    whole = extract_level_set(program, WIDE, method="march")
    assert _polygons_in(out) == (len(whole.vertices), _polygons(whole))
    assert max(held[2:-1]) <= memory < held[-1]
    assert made.provenance.walk is not None
    assert made.provenance.walk.n_cells > whole.polygons.n


PEAK = """
import sys, torch, creased
from tests.peak_memory import forget_peak, peak_bytes
from tests.strategies import random_program
torch.set_num_threads(1)
program, box, memory = random_program(3, (192,) * 3, seed=5), creased.Box.cube(3, 1), int(sys.argv[2])
creased.extract_level_set(program, creased.Box.cube(3, 0.2), method="march")  # compiles, at first
creased.stream_level_set(program, creased.Box.cube(3, 0.2), sys.argv[1])
before = forget_peak()
if memory:
    n = creased.stream_level_set(program, box, sys.argv[1], memory=memory).n_faces
else:
    n = creased.extract_level_set(program, box, method="march").polygons.n
print(n, peak_bytes() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not CAN_MEASURE, reason="needs the peaks of Linux")
def test_memory_is_bounded_where_the_whole_takes_more(tmp_path: Path) -> None:
    memory, taken = 32 << 20, []
    for allowed in (0, memory):
        command = [sys.executable, "-c", PEAK, str(tmp_path / "mesh.ply"), str(allowed)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        taken.append(tuple(map(int, done.stdout.split())))
    (n_whole, whole), (n_streamed, streamed) = taken
    assert n_streamed == n_whole
    assert streamed < memory + (30 << 20) < whole


def test_planes_are_where_the_sub_boxes_end() -> None:
    grid = SubBoxGrid(TIGHT, 4, 0.513)
    parts = {(i, j, k): grid.at((i, j, k)) for i in range(4) for j in range(4) for k in range(4)}
    middles = torch.tensor(
        [[(a + b) / 2 for a, b in zip(p.lower, p.upper, strict=True)] for p in parts.values()]
    )
    assert grid.places(middles) == list(parts)
    assert parts[0, 0, 0].lower == TIGHT.lower
    assert parts[3, 3, 3].upper == TIGHT.upper
    assert grid.neighbours((0, 1, 3)) == {1: (1, 1, 3), 2: (0, 0, 3), 3: (0, 2, 3), 4: (0, 1, 2)}
    assert parts[0, 1, 3].upper[0] == parts[1, 1, 3].lower[0]


def test_polygons_with_a_corner_missing_are_left_out_and_counted() -> None:
    triangle = [[7, 7, 2, 0, 10], [7, 7, 0, 1, 11], [7, 7, 1, 2, 12]]
    other = [[9, 9, 2, 0, 20], [9, 9, 0, 1, 21], [9, 9, 1, 2, 22]]
    joined, n_lost = join(torch.tensor([triangle[1], other[0], triangle[0], other[2], triangle[2]]), n_rows=3)
    assert joined.indices.tolist() in ([10, 11, 12], [11, 12, 10], [12, 10, 11])
    assert n_lost == 2
    missing = torch.tensor([*triangle, *[corner for corner in other if corner[4] != 20]])
    for last in (False, True):  # what lacks a corner takes nothing from the polygon before or behind it
        changed = missing.clone()
        changed[:, :2] *= -1 if last else 1
        joined, n_lost = join(changed, n_rows=3)
        assert (joined.n, n_lost) == (1, 2)
    twice = [[9, 9, 0, 1, 23], *other]
    assert join(torch.tensor([*triangle, *twice]), n_rows=3)[1] == 4
    collided = torch.tensor([*triangle, *[[7, 8, *corner[2:]] for corner in other]])
    assert join(collided, n_rows=3)[1] == 6


def test_what_cannot_be_streamed_is_refused(tmp_path: Path) -> None:
    program = random_program(3, (8,), seed=0)
    with pytest.raises(ExportError, match=r"\.ply, \.obj"):
        stream_level_set(program, WIDE, tmp_path / "mesh.stl")
    with pytest.raises(ValueError, match="three inputs"):
        stream_level_set(random_program(2, (8,), seed=0), Box.cube(2, 1), tmp_path / "mesh.ply")
    with pytest.raises(ExportError, match="no point was found"):
        stream_level_set(program, WIDE, tmp_path / "mesh.ply", 1e6)
    with pytest.raises(TypeError, match="degeneracy"):
        stream_level_set(program, WIDE, tmp_path / "mesh.ply", degeneracy="contract")  # type: ignore[call-arg]
