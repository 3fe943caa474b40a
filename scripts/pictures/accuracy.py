"""Draw time against accuracy: marching cubes on ever finer grids, and the exact level set, of one network.

    ./run train shape=bunny
    ./run python -m scripts.pictures.accuracy RUN --out docs/pictures/accuracy.png --json a.json

Marching cubes evaluate the network in float32, 4,096 points at a time; every mesh is made on one thread, in a
process of its own. Soft precision is the mean |f| at points on the mesh; soft recall brings points of the
training shape to f = 0 by Newton's method and takes their mean distance to the mesh, which is measured in
float32: below 1e-7 it says nothing.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import creased
from creased.drawing.palette import INK, by_layer
from creased.shapes import Shape
from creased.shapes.surface import Surface
from scripts.benchmarks.systems import Found, measure
from scripts.common.figures import pyplot, save_flat
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser
from scripts.runs.trials import load_shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRIDS = (64, 128, 256, 512)  # points an axis
ON_GRID = {"level_set": "exact mesh"}
PLAIN = {"march": "exact mesh, marched", "level_set": "exact mesh, subdivided"}
N_POINTS = 50_000  # on each surface
NEWTON_STEPS = 12  # f is piecewise affine: one a cell that is crossed
ARRIVED, SMALLEST = 1e-12, 1e-12  # |f| on the level set; squared length of a gradient
PANELS = {
    "max_error": "largest |f| on the mesh",
    "precision": "mean |f| on the mesh (soft precision)",
    "recall": "mean distance to the mesh (soft recall)",
}


def main() -> None:
    """Extract, measure, draw."""
    parser = make_parser(__doc__, "docs/pictures/accuracy.png", numbers=True)
    parser.add_argument("run", type=Path, help="a run folder, of a network on a grid or a plain one")
    parser.add_argument("--grids", type=int, nargs="+", default=GRIDS, help="points an axis")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    net, shape = chosen.run / "checkpoints" / "last.ckpt", load_shape_of(chosen.run)
    program = creased.load_program(net).to(dtype=torch.float64)
    named = {f"marching{n}": f"marching cubes {n}^3" for n in chosen.grids}
    named |= PLAIN if program.grid is None else ON_GRID
    with TemporaryDirectory() as folder:
        mesh = Path(folder) / "mesh.npz"
        results = {name: _judge(system, net, shape, mesh) for system, name in named.items()}
    print(as_table(["mesh", *_row(next(iter(results.values())))], _rows(results)))
    write_numbers(chosen.json, results=results)
    _draw(results, f"{shape.name}, {_describe(program)}", chosen.out)


def _describe(program: creased.Program) -> str:
    if program.grid is None:
        return f"plain network, {len(program.widths)}x{program.widths[0]}"
    return f"network on a grid of {program.grid.finest}³"


def _judge(system: str, net: Path, shape: Shape, path: Path) -> Found:
    found = measure(system, net, mesh=path)
    mesh, program = np.load(path), creased.load_program(net).to(dtype=torch.float64)
    rng = np.random.default_rng(0)
    surface = Surface.of_triangles(mesh["vertices"], mesh["triangles"])
    points, _ = surface.sample(N_POINTS, rng)
    errors = program.outputs_at(torch.from_numpy(np.asarray(points)).double()).abs()
    distances = surface.index.nearest(_on_level_set(program, shape, rng))
    measured = {
        "max_error": float(errors.max()),
        "precision": float(errors.mean()),
        "recall": float(distances.distance.mean()),
        "recall_max": float(distances.distance.max()),
        "components": surface.audit.n_components,
    }
    figures = ", ".join(f"{name} {value:.2g}" for name, value in (found | measured).items())
    print(f"{system}: {figures}", flush=True)
    return found | measured


def _on_level_set(program: creased.Program, shape: Shape, rng: np.random.Generator) -> NDArray[Any]:
    """Bring points of the shape to f = 0; the few that do not arrive are left out."""
    sampled = shape.sample_surface(N_POINTS, rng)
    points = torch.from_numpy(np.asarray(sampled)).double()
    for _ in range(NEWTON_STEPS):
        points.requires_grad_()
        values = program(points)
        (gradients,) = torch.autograd.grad(values.sum(), points)
        step = values.detach() / gradients.square().sum(1, keepdim=True).clamp(min=SMALLEST)
        points = (points.detach() - step * gradients).clamp(-0.5, 0.5)
    return points[program.outputs_at(points)[:, 0].abs() < ARRIVED].numpy()


def _row(found: Found) -> dict[str, str]:
    return {
        "faces": f"{found['faces']:,}",
        "components": f"{found['components']:,}",
        "max abs f": f"{found['max_error']:.0e}",
        "soft precision": f"{found['precision']:.1e}",
        "soft recall": f"{found['recall']:.1e}",
        "farthest": f"{found['recall_max']:.0e}",
        "CPU s": f"{found['seconds']:.3g}",
        "peak MB": f"{found['megabytes']:,.0f}",
    }


def _rows(results: dict[str, Found]) -> list[list[str]]:
    return [[name, *_row(found).values()] for name, found in results.items()]


def _draw(results: dict[str, Found], subject: str, out: Path) -> None:
    figure, axes = pyplot().subplots(1, 3, figsize=(12.5, 4), layout="constrained", sharex=True)
    grids = {name: found for name, found in results.items() if name.startswith("marching cubes")}
    for panel, (key, title) in zip(axes, PANELS.items(), strict=True):
        seconds, errors = ([found[what] for found in grids.values()] for what in ("seconds", key))
        panel.plot(seconds, errors, "s-", color=by_layer(1), label="marching cubes")
        for name, x, y in zip(grids, seconds, errors, strict=True):
            place = {"textcoords": "offset points", "xytext": (6, 5), "fontsize": 8.5, "color": INK}
            panel.annotate(f"{name.removeprefix('marching cubes ').removesuffix('^3')}³", (x, y), **place)
        for i, name in enumerate(name for name in results if name not in grids):
            found = results[name]
            panel.plot(found["seconds"], found[key], "o", ms=9, color=by_layer(2 * i), label=name)
        panel.set(xscale="log", yscale="log", xlabel="CPU seconds, one thread")
        panel.set_title(title, fontsize=10, color=INK)
        panel.grid(color="0.92", lw=0.6)
        panel.margins(0.15)
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].legend(fontsize=9, frameon=False, loc="center right")
    figure.suptitle(subject, fontsize=11, color=INK)
    save_flat(figure, out, 110)


if __name__ == "__main__":
    main()
