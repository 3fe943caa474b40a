"""Draw time against accuracy: marching cubes on ever finer grids, and the exact level set, of one network.

    ./run python scripts/draw_accuracy.py --out docs/accuracy.png --json accuracy.json

The network is fitted to the bunny. Soft precision is the mean |f| at points on the mesh; soft recall brings
points of the bunny to f = 0 by Newton's method and takes their mean distance to the mesh, which is measured
in float32: below 1e-7 it says nothing.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from nets import as_program, bunny, fit_bunny, load
from pictures import make_parser, pyplot, write_numbers
from systems import Found, measure

import creased
from creased.core.marching.seeds import project
from creased.shapes.surface import Surface

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRIDS = (64, 128, 256, 512)
EXACT = {"march": "marched", "level_set": "subdivided"}
N_POINTS = 50_000  # on each surface
PANELS = {
    "max_error": "max |f| on the mesh",
    "precision": "mean |f| on the mesh (soft precision)",
    "recall": "mean distance from the level set to the mesh (soft recall)",
}


def main() -> None:
    """Fit, extract, measure, draw."""
    parser = make_parser(__doc__, "docs/accuracy.png", numbers=True)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--width", type=int, default=96)
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        net = fit_bunny(Path(folder) / "net.npz", chosen.depth, chosen.width)
        systems = [*(f"marching{n}" for n in GRIDS), *EXACT]
        results = {system: _judge(system, net, Path(folder) / "mesh.npz") for system in systems}
    write_numbers(chosen.json, results=results)
    _draw(results, f"{chosen.depth}x{chosen.width}", chosen.out)


def _judge(system: str, net: Path, path: Path) -> Found:
    found = measure(system, net, mesh=path)
    mesh, program, rng = np.load(path), as_program(load(net), torch.float64), np.random.default_rng(0)
    surface = Surface.of_triangles(mesh["vertices"], mesh["triangles"])
    points, _ = surface.sample(N_POINTS, rng)
    errors = program.outputs_at(torch.from_numpy(np.asarray(points)).double()).abs()
    distances = surface.index.nearest(_on_level_set(program, rng))
    measured = {
        "max_error": float(errors.max()),
        "precision": float(errors.mean()),
        "recall": float(distances.distance.mean()),
        "recall_max": float(distances.distance.max()),
    }
    figures = ", ".join(f"{name} {value:.2g}" for name, value in (found | measured).items())
    print(f"{system}: {figures}", flush=True)
    return found | measured


def _on_level_set(program: creased.Program, rng: np.random.Generator) -> NDArray[Any]:
    points, _ = bunny().sample_surface(N_POINTS, rng)
    brought = project(program, creased.Box.cube(3, 0.5), torch.from_numpy(np.asarray(points)))
    return brought.numpy()


def _draw(results: dict[str, Found], net: str, out: Path) -> None:
    plt = pyplot()
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained", sharex=True)
    grids = [results[f"marching{n}"] for n in GRIDS]
    for panel, (key, title) in zip(axes, PANELS.items(), strict=True):
        panel.plot([f["seconds"] for f in grids], [f[key] for f in grids], "s-", color="tab:grey")
        for n, found in zip(GRIDS, grids, strict=True):
            place = {"textcoords": "offset points", "xytext": (4, 4), "fontsize": 8}
            panel.annotate(f"{n}³", (found["seconds"], found[key]), **place)
        for (system, label), colour in zip(EXACT.items(), ("tab:blue", "tab:orange"), strict=True):
            found = results[system]
            panel.plot(found["seconds"], found[key], "o", color=colour, label=f"exact, {label}")
        panel.plot([], [], "s-", color="tab:grey", label="marching cubes")
        panel.set(xscale="log", yscale="log", xlabel=f"CPU seconds, {net} fitted to the bunny", title=title)
        panel.title.set_fontsize(9)
    axes[0].legend(fontsize=8)
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    main()
