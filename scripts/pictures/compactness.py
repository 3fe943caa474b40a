"""Draw a bunny that becomes a ball at its own volume, beside smoothing and decimation of its mesh.

    ./run python -m scripts.pictures.compactness --out docs/pictures/compactness.png --json compactness.json

A small network is fitted to the bunny; `experiment=compact` then goes on without data, with the compactness
and the volume of the exact mesh in the loss. After Berzins (ICML 2023, section 5), who optimises the same.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from creased.render.images import load_png
from scripts.common.figures import pyplot
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser
from scripts.runs.trials import Trial, decimated, train

if TYPE_CHECKING:
    import trimesh

SIZE = ("shape=bunny", "model=mlp", "model.width=24", "model.depth=3")
PLAIN = ("optimizer.lr=0.01", "trainer.max_epochs=3")
STAGES = (1, 2, 4, 8, 15)  # epochs that are shown, behind the bunny
SMOOTHED = 300  # iterations


def main() -> None:
    """Fit, round off, compare, draw."""
    parser = make_parser(__doc__, "docs/pictures/compactness.png", numbers=True)
    parser.add_argument("--runs", type=Path, default=Path("logs/compactness"), help="where runs are kept")
    chosen = parser.parse_args()
    runs = chosen.runs.resolve()
    plain = train(runs / "plain", *SIZE, *PLAIN, draw=True)
    compact = train(runs / "compact", *SIZE, "experiment=compact", f"start_from={plain.folder}", draw=True)
    bunny, ball = plain.mesh(), compact.mesh()
    meshes = {
        "plain run": bunny,
        "compact": ball,
        "plain run, decimated": decimated(bunny, len(ball.faces)),
        f"plain run, {SMOOTHED} steps of Laplacian smoothing": _smoothed(bunny),
    }
    rows = [_row(name, mesh) for name, mesh in meshes.items()]
    print(as_table(["mesh", "triangles", "area", "volume", "compactness"], rows))
    history = [_history(plain)[-1], *_history(compact)]
    write_numbers(chosen.json, rows=rows, history=history)
    _draw(plain, compact, history, chosen.out)


def _smoothed(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Smooth the mesh (Laplacian), keeping its volume by scaling."""
    from trimesh.smoothing import filter_laplacian

    welded = mesh.copy()
    welded.merge_vertices()
    return filter_laplacian(welded, iterations=SMOOTHED, volume_constraint=True)


def _row(name: str, mesh: trimesh.Trimesh) -> list[str]:
    quotient = _compactness(mesh.area, mesh.volume)
    return [name, f"{len(mesh.faces):,}", f"{mesh.area:.4f}", f"{mesh.volume:.4f}", f"{quotient:.3f}"]


def _compactness(area: float, volume: float) -> float:
    return float(36 * np.pi * volume**2 / area**3)


def _history(trial: Trial) -> list[tuple[float, float]]:
    """Read area and volume of the exact mesh after each epoch."""
    with (trial.folder / "metrics.csv").open() as table:
        return [(float(row["mesh/area"]), float(row["mesh/volume"])) for row in csv.DictReader(table)]


def _draw(plain: Trial, compact: Trial, history: Sequence[tuple[float, float]], path: Path) -> None:
    """Draw pictures of some epochs above compactness and volume of all."""
    plt = pyplot()
    newest = max((plain.folder / "pictures").glob("*.png"))
    pictures = [newest, *(compact.folder / "pictures" / f"epoch_{epoch:03d}.png" for epoch in STAGES)]
    figure = plt.figure(figsize=(12, 5), layout="constrained")
    grid = figure.add_gridspec(2, len(pictures), height_ratios=[1, 1.2])
    for column, (epoch, picture) in enumerate(zip((0, *STAGES), pictures, strict=True)):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(load_png(picture))
        name = f"epoch {epoch}" if epoch else "plain run"
        axes.set_title(f"{name}: {_compactness(*history[epoch]):.3f}", fontsize=10)
        axes.axis("off")
    axes = figure.add_subplot(grid[1, :])
    epochs, volumes = range(len(history)), [volume for _, volume in history]
    axes.plot(epochs, [_compactness(*both) for both in history], "o-", label="compactness")
    axes.plot(epochs, np.array(volumes) / volumes[0], "s--", label="volume, as a share of the bunny's")
    axes.axhline(1, color="grey", lw=0.8)
    axes.set(xlabel="epochs of 100 steps", ylabel="compactness, 1 of a ball; volume", ylim=(0.3, 1.15))
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


if __name__ == "__main__":
    main()
