"""Draw a shape, the level sets of a plain network and of one on a grid, and the latter cut open.

    ./run train shape=bunny && ./run train shape=bunny model=mlp
    ./run python -m scripts.pictures.showcase RUN PLAIN_RUN --out docs/pictures/showcase.png

All are seen by one camera. In the plane of the cut, of which a square is magnified, cells are coloured by
gradient; lines of the grid are grey, creases have the colour of their layer, and the level set is dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.collections import LineCollection, PolyCollection

import creased
from creased.core.domains.box import slice_across
from creased.core.program.affine_slice import ProgramSlice
from creased.drawing.palette import FAINT, INK, by_direction, by_layer
from creased.drawing.plane import GRID, PlaneComplex, draw_bold, flatten
from creased.meshes.polygon_mesh import PolygonMesh
from creased.render.camera import View, make_camera, project
from creased.render.render import UNIT_CUBE, render_level_set, render_surface
from scripts.common.figures import pyplot, save_flat
from scripts.common.options import make_parser
from scripts.runs.trials import load_shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH = 1260  # pixels, of the picture
SMALL, LARGE = WIDTH // 3, WIDTH // 2  # of each picture in the two rows
STRIP = 34  # below each row, for captions
VIEW = View(azimuth=-62, elevation=12, up="z", zoom=1.42)  # from the side of -y
PART = (-0.12, 0.24, 0.2)  # of the plane of the cut: the middle and the side of a square
Y = 1  # the axis across the cut


def main() -> None:
    """Extract, cut and draw."""
    parser = make_parser(__doc__, "docs/pictures/showcase.png")
    parser.add_argument("run", type=Path, help="the folder of a run of a network on a grid")
    parser.add_argument("plain", type=Path, help="that of a plain network, of the same shape")
    parser.add_argument("--at", type=float, default=0.0, help="y of the cut, in the domain")
    parser.add_argument(
        "--part", type=float, nargs=3, default=PART, help="x, z and side of what is magnified"
    )
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    shape = load_shape_of(chosen.run)
    grid, plain = _load(chosen.run), _load(chosen.plain)
    on_grid, of_plain = (creased.extract_level_set(each, UNIT_CUBE, method="auto") for each in (grid, plain))
    triangles = PolygonMesh.of_triangles(shape.mesh.vertices, shape.mesh.faces)
    row = (
        (f"input: {len(shape.mesh.faces):,} triangles", triangles),
        (_describe("plain network", plain, of_plain), PolygonMesh.of_level_set(of_plain)),
        (_describe("network on a grid", grid, on_grid), PolygonMesh.of_level_set(on_grid)),
    )
    figure = pyplot().figure(figsize=(WIDTH / 100, (SMALL + LARGE + 2 * STRIP) / 100), dpi=100)
    for i, (text, mesh) in enumerate(row):
        axes = _panel(figure, i * SMALL, LARGE + STRIP, SMALL, text)
        _show(axes, render_surface(mesh, size=SMALL, view=VIEW, line_width=0), SMALL)
    cut, plane = slice_across(grid, UNIT_CUBE, Y, chosen.at)
    flat = flatten(cut.program, plane)
    behind = creased.Box((-0.5, chosen.at, -0.5), UNIT_CUBE.upper)
    half = creased.extract_level_set(grid, behind, method="auto")
    inside = _is_inside(cut, np.stack([polygon.mean(0) for polygon in flat.polygons]))
    axes = _panel(
        figure, 0, 0, LARGE, f"cut open: {inside.sum():,} cells of the network, coloured by gradient"
    )
    _show(axes, render_level_set(half, size=LARGE, view=VIEW), LARGE)
    _draw_cut(axes, flat, cut, inside, chosen.part)
    axes = _panel(figure, LARGE, 0, LARGE, "the square of the cut: grid grey, creases by layer, surface dark")
    _draw_part(axes, flat, *chosen.part)
    save_flat(figure, chosen.out, 100)
    print(f"{chosen.out}: {on_grid.polygons.n:,} faces on the grid, {of_plain.polygons.n:,} without")


def _load(run: Path) -> creased.Program:
    return creased.load_program(run / "checkpoints" / "last.ckpt").to(dtype=torch.float64)


def _describe(name: str, program: creased.Program, surface: creased.LevelSet) -> str:
    audit = surface.audit()
    closed = "closed" if audit.is_closed else "open"
    size = "x".join(map(str, (len(program.widths), program.widths[0])))
    size = size if program.grid is None else f"{program.grid.finest}³"
    return f"{name}, {size}: {audit.n_polygons:,} faces, {closed}"


def _panel(figure: Any, left: float, bottom: float, size: int, text: str) -> Any:
    """Add square axes in pixels, their origin at the top left, with a caption below."""
    width, height = WIDTH, SMALL + LARGE + 2 * STRIP
    bottom += STRIP
    axes = figure.add_axes((left / width, bottom / height, size / width, size / height))
    axes.set_axis_off()
    middle = ((left + size / 2) / width, (bottom - STRIP / 2) / height)
    figure.text(*middle, text, ha="center", va="center", fontsize=10.5, color=INK)
    return axes


def _show(axes: Any, picture: NDArray[np.uint8], size: int) -> None:
    axes.set(xlim=(0, size), ylim=(size, 0))
    axes.imshow(picture, interpolation="none", extent=(0, size, size, 0))


def _is_inside(cut: ProgramSlice, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    return cut.program(torch.from_numpy(points))[:, 0].numpy() < 0


def _draw_cut(
    axes: Any, flat: PlaneComplex, cut: ProgramSlice, inside: NDArray[np.bool_], part: Sequence[float]
) -> None:
    """Draw the cells and the creases inside the shape, as the camera sees them, and the part's outline."""
    camera = make_camera(VIEW, UNIT_CUBE, LARGE)

    def seen(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return project(camera, cut.lift(torch.from_numpy(points)).numpy())

    cells = [seen(polygon) for polygon, shown in zip(flat.polygons, inside, strict=True) if shown]
    colours = by_direction(flat.gradients)[inside]
    axes.add_collection(PolyCollection(cells, facecolors=colours, edgecolors="face", lw=0.3))
    ends = np.stack([seen(flat.segments[:, 0]), seen(flat.segments[:, 1])], axis=1)
    is_shown = _is_inside(cut, flat.segments.mean(1))
    _draw_lines(axes, flat, ends, is_shown, (0.3, 0.8))
    draw_bold(axes, ends[flat.layers == flat.n_layers], (3.6, 1.8))
    x, z, side = part
    square = np.array([x, z]) + side / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]])
    axes.plot(*seen(square).T, color=INK, lw=1.0)


def _draw_part(axes: Any, flat: PlaneComplex, x: float, z: float, side: float) -> None:
    """Draw a square of the plane with all its cells."""
    axes.set(xlim=(x - side / 2, x + side / 2), ylim=(z - side / 2, z + side / 2))
    colours = by_direction(flat.gradients)
    axes.add_collection(PolyCollection(flat.polygons, facecolors=colours, edgecolors="face", lw=0.3))
    _draw_lines(axes, flat, flat.segments, np.ones(len(flat.segments), dtype=bool), (0.8, 1.6))
    draw_bold(axes, flat.segments[flat.layers == flat.n_layers], (5.0, 2.6))


def _draw_lines(
    axes: Any,
    flat: PlaneComplex,
    ends: NDArray[np.float64],
    is_shown: NDArray[np.bool_],
    widths: tuple[float, float],
) -> None:
    """Draw the segments (n, 2, 2) that are shown: the grid's and the layers', of these widths in points."""
    for layer in (GRID, *range(flat.n_layers)):
        colour, width = (FAINT, widths[0]) if layer == GRID else (by_layer(layer), widths[1])
        lines = ends[(flat.layers == layer) & is_shown]
        axes.add_collection(LineCollection(list(lines), colors=colour, lw=width, capstyle="round"))


if __name__ == "__main__":
    main()
