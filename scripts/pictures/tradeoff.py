"""Draw the gain and the cost of a regularizer: plain runs, regularized ones, and decimated meshes.

    ./run python -m scripts.pictures.tradeoff fewer_faces --out docs/pictures/face_count.png --json f.json
    ./run python -m scripts.pictures.tradeoff short_edges --out docs/pictures/edge_length.png --json e.json

Three shapes, three seeds each; plain and regularized runs differ in `experiment=...` alone. The mesh of each
plain run is also decimated to as many triangles as the regularized one has.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scripts.common.figures import pyplot
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser
from scripts.runs.trials import Trial, compare, decimated, load_shape_of, train_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPOCHS = {"bunny": 5, "torus": 3, "box": 3, "bracket": 5}
MODEL = ("model=mlp", "model.width=40", "optimizer.lr=0.01")
MEASURES = {  # what each experiment makes small: its name in metrics.json, and in words
    "fewer_faces": ("n_polygons", "faces"),
    "short_edges": ("edge_length_total", "total edge length"),
}
TERMS = {"fewer_faces": "face_count", "short_edges": "edge_length"}
WEIGHTS = {  # as shares of the distance loss's gradient: the same for all seeds of a shape
    "fewer_faces": {"bunny": 0.008, "torus": 0.011, "box": 0.02, "bracket": 0.004},
    "short_edges": {"bunny": 0.008, "torus": 0.011, "box": 0.02, "bracket": 0.004},
}
MARKERS = ({"marker": "o", "mfc": "white"}, {"marker": "o"}, {"marker": "x"})
COLOURS = {"bunny": "#8c510a", "torus": "#01665e", "box": "#4575b4", "bracket": "#762a83"}


def main() -> None:
    """Train, decimate, draw, print."""
    parser = make_parser(__doc__, numbers=True)
    parser.add_argument("experiment", choices=list(MEASURES))
    parser.add_argument("--shapes", nargs="+", default=["bunny", "torus", "box"], choices=list(EPOCHS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=2, help="runs at a time")
    parser.add_argument("--runs", type=Path, default=Path("logs/tradeoff"), help="where runs are kept")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    results = {shape: _measure(shape, chosen) for shape in chosen.shapes}
    write_numbers(chosen.json, results=results)
    print(_table(results, MEASURES[chosen.experiment][1]))
    _draw(results, MEASURES[chosen.experiment][1], chosen.out)


def _measure(shape: str, chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure the minimised quantity and the Chamfer distances of one shape, seed by seed."""
    folder, jobs = chosen.runs.resolve(), []
    for seed in range(chosen.seeds):
        plain = [f"shape={shape}", f"seed={seed}", f"trainer.max_epochs={EPOCHS[shape]}", *MODEL]
        jobs.append((folder / f"{shape}_plain_{seed}", plain))
        term, weight = TERMS[chosen.experiment], WEIGHTS[chosen.experiment][shape]
        regularized = [*plain, f"experiment={chosen.experiment}", f"regularizer.{term}.weight={weight}"]
        jobs.append((folder / f"{shape}_{chosen.experiment}_{seed}", regularized))
    trials = train_all(jobs, chosen.at_once)
    name = MEASURES[chosen.experiment][0]
    return [_judge(*pair, name) for pair in zip(trials[::2], trials[1::2], strict=True)]


def _judge(plain: Trial, regularized: Trial, name: str) -> dict[str, Any]:
    """Collect the figures of a plain run, a regularized one, and the plain mesh decimated."""
    both = (plain, regularized)
    reduced = decimated(plain.mesh(), len(regularized.mesh().faces))
    unique = reduced.vertices[reduced.edges_unique]
    instead = {"n_polygons": len(reduced.faces), "edge_length_total": _total_length(unique)}
    return {
        "measure": [trial.metrics[name] for trial in both] + [instead[name]],
        "chamfer": [t.metrics["chamfer_l1_mean"] for t in both]
        + [compare(load_shape_of(plain.folder), reduced).chamfer],
        "closed": [t.metrics["is_closed"] for t in both] + [bool(reduced.is_watertight)],
        "seconds": [t.metrics["seconds"]["training"] for t in both],
    }


def _total_length(edges: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(edges[:, 0] - edges[:, 1], axis=1).sum())


def _table(results: dict[str, list[dict[str, Any]]], what: str) -> str:
    header = ["shape"]
    header += [f"{what}, plain", "regularized", "less by", "decimated"]
    header += ["Chamfer, plain", "regularized", "worse by", "decimated"]
    return as_table(header, [_row(shape, runs) for shape, runs in results.items()])


def _row(shape: str, runs: Sequence[dict[str, Any]]) -> list[str]:
    """Format means over the seeds, and in brackets the changes seed by seed."""
    measures, chamfers = (np.array([run[key] for run in runs]) for key in ("measure", "chamfer"))
    cells = [shape]
    for values, form in ((measures, ",.0f"), (chamfers, ".2e")):
        plain, regularized, reduced = values.mean(0)
        by_seed = " ".join(f"{b / a - 1:+.0%}" for a, b, _ in values)
        change = f"{regularized / plain - 1:+.0%} ({by_seed})"
        cells += [f"{plain:{form}}", f"{regularized:{form}}", change, f"{reduced:{form}}"]
    return cells


def _draw(results: dict[str, list[dict[str, Any]]], what: str, path: Path) -> None:
    """Draw an arrow from each plain run to the regularized one of the same seed."""
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(7.5, 5), layout="constrained")
    for shape, runs in results.items():
        colour = COLOURS[shape]
        for run in runs:
            plain, regularized, reduced = zip(run["measure"], run["chamfer"], strict=True)
            axes.annotate("", regularized, plain, arrowprops={"arrowstyle": "-|>", "color": colour})
            axes.plot(*plain, "o", color=colour, mfc="white")
            axes.plot(*regularized, "o", color=colour)
            axes.plot(*reduced, "x", color=colour)
        axes.plot([], [], "o-", color=colour, label=shape)
    for marker, label in zip(MARKERS, ("plain", "regularized", "plain, decimated"), strict=True):
        axes.plot([], [], color="grey", ls="", label=label, **marker)
    axes.set(xscale="log", yscale="log", xlabel=what, ylabel="Chamfer distance to the shape")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, which="both")
    figure.savefig(path, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main()
