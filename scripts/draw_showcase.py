"""Draw the level set of a run, whole and cut open: cells by gradient, creases by layer.

./run train shape=bunny model=mlp model.width=32 model.depth=3
./run python scripts/draw_showcase.py logs/train/runs/RUN --out docs/showcase.png
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pictures import make_parser

import creased
from creased.drawing import flatten
from creased.drawing.palette import INK, by_direction, by_layer
from creased.render.camera import View, make_camera, project
from creased.render.images import load_png, save_png
from creased.render.render import UNIT_CUBE, render_level_set

SIZE = 680  # pixels, of each picture
VIEW = View(azimuth=-62, elevation=12, up="z", zoom=1.38)  # from the side of -y
STRIP = 0.06  # of the height, for captions
FAINT = 0.32  # opacity of creases outside of the shape


def main() -> None:
    """Extract, cut and draw."""
    parser = make_parser(__doc__, "docs/showcase.png")
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("--at", type=float, default=0.0, help="y of the cut, in the domain")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    program = creased.load_program(chosen.run / "checkpoints" / "last.ckpt").to(dtype=torch.float64)
    whole = creased.extract_level_set(program, UNIT_CUBE, method="auto")
    behind = creased.Box((-0.5, chosen.at, -0.5), UNIT_CUBE.upper)
    half = creased.extract_level_set(program, behind, method="auto")
    canvas = FigureCanvasAgg(
        Figure(figsize=(SIZE / 50, SIZE / 100 / (1 - STRIP)), dpi=100, facecolor="white")
    )
    for i, surface in enumerate((whole, half)):
        picture = render_level_set(surface, size=SIZE, view=VIEW)
        axes = canvas.figure.add_axes((i / 2, STRIP, 0.5, 1 - STRIP), xlim=(0, SIZE), ylim=(SIZE, 0))
        axes.set_axis_off()
        axes.imshow(picture, interpolation="none", extent=(0, SIZE, SIZE, 0))
    n_cells = _draw_cut(axes, program, chosen.at)
    kind = "closed" if whole.audit().is_closed else "open"
    layers = f"{whole.polygons.n:,} faces, {kind}: the exact zero level set of {program.n_neurons} neurons"
    for i, text in enumerate((layers, f"cut open: {n_cells:,} cells, by gradient, and creases, by layer")):
        canvas.figure.text(0.25 + 0.5 * i, STRIP / 3, text, ha="center", fontsize=12, color=INK)
    file = BytesIO()
    canvas.figure.savefig(file, format="png", dpi=100)
    save_png(load_png(file), chosen.out)
    print(f"{chosen.out}: {whole.polygons.n:,} faces")


def _draw_cut(axes: Any, program: creased.Program, at: float) -> int:
    """Draw the complex in the plane y = at, and its cells inside the shape; return their number."""
    camera = make_camera(VIEW, UNIT_CUBE, SIZE)
    origin, basis = torch.tensor([0.0, at, 0.0]).double(), torch.eye(3, dtype=torch.float64)[:, ::2]
    cut = creased.slice_program(program, origin, basis)
    flat = flatten(cut.program, creased.Box.cube(2, 0.5))

    def seen(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return project(camera, cut.lift(torch.from_numpy(points)).numpy())

    def is_inside(points: NDArray[np.float64]) -> NDArray[np.bool_]:
        return cut.program(torch.from_numpy(points))[:, 0].numpy() < 0

    inside = is_inside(np.stack([polygon.mean(0) for polygon in flat.polygons]))
    cells = [seen(polygon) for polygon, shown in zip(flat.polygons, inside, strict=True) if shown]
    colours = by_direction(flat.gradients)[inside]
    axes.add_collection(PolyCollection(cells, facecolors=colours, edgecolors="face", lw=0.3))
    middles = is_inside(flat.segments.mean(1))
    ends = np.stack([seen(flat.segments[:, 0]), seen(flat.segments[:, 1])], axis=1)
    for layer in range(flat.n_layers):
        for side, opacity, width in ((middles, 1.0, 0.9), (~middles, FAINT, 0.5)):
            lines = ends[(flat.layers == layer) & side]
            axes.add_collection(LineCollection(list(lines), colors=by_layer(layer), lw=width, alpha=opacity))
    level = list(ends[flat.layers == flat.n_layers])
    for colour, width in (("white", 4.5), (INK, 2.4)):
        axes.add_collection(LineCollection(level, colors=colour, lw=width, capstyle="round"))
    return len(cells)


if __name__ == "__main__":
    main()
