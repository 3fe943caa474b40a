"""Turn a folder of runs into a table (csv, markdown) and a plot of faces against Chamfer distance.

    ./run python -m scripts.runs.collect logs/train/multiruns/2026-01-31_12-00-00
    ./run python -m scripts.runs.collect logs/train/runs --out summary

Any folder below it with a metrics.json is a run. What varies between their configurations becomes columns;
the runs that no other beats in both faces and Chamfer distance are marked, for each shape by itself.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from creased.io.atomic_write import write_whole
from scripts.common.figures import pyplot
from scripts.common.numbers import as_table
from scripts.common.options import make_parser

FACES, CHAMFER = "n_polygons", "chamfer_l1_mean"
MEASURES = (FACES, CHAMFER, "iou", "surface_error_mean", "is_closed", "is_complete", "seconds")
NOT_CHOICES = ("paths.", "shape.", "hydra.", "logger.", "ckpt_path", "optimized_metric")


@dataclass(frozen=True)
class Run:
    """A finished run."""

    name: str  # its folder, from the folder of runs
    shape: str
    settings: dict[str, Any]  # the configuration, flat, without what only says where files go
    metrics: dict[str, Any]  # metrics.json


def main(arguments: Sequence[str] | None = None) -> int:
    """Write table.csv, table.md and pareto.png; return the exit status."""
    parser = make_parser(__doc__)
    parser.add_argument("folder", type=Path, help="the folder of a sweep, or of any runs")
    parser.add_argument("--out", type=Path, help="where to write; the folder itself by default")
    options = parser.parse_args(arguments)
    runs, unfinished = find_runs(options.folder)
    if not runs:
        print(
            f"collect: no run under {options.folder} has finished (none has a metrics.json)", file=sys.stderr
        )
        return 1
    table, out = make_table(runs), options.out or options.folder
    markdown = as_table(table[0], ([_shown(value) for value in row.values()] for row in table))
    write_whole(out / "table.csv", as_csv(table).encode())
    write_whole(out / "table.md", f"{markdown}\n".encode())
    drawn = draw_pareto(runs, out / "pareto.png")
    print(markdown)
    if unfinished:
        print(f"not finished: {', '.join(unfinished)}")
    if not drawn:
        print("no plot: no run has a surface")
    print(f"all of it is in {out}")
    return 0


def find_runs(folder: Path) -> tuple[list[Run], list[str]]:
    """List the finished runs below a folder by name, and the names of the others."""
    runs, unfinished = [], []
    for config in sorted(folder.rglob("config.yaml"), key=_in_order):
        if config.parent.name == ".hydra":
            continue
        name, path = str(config.parent.relative_to(folder)), config.parent / "metrics.json"
        if not path.is_file():
            unfinished.append(name)
            continue
        metrics = json.loads(path.read_text())
        runs.append(Run(name, metrics["shape"], read_settings(config), metrics))
    return runs, unfinished


def _in_order(path: Path) -> tuple[str, int, str]:
    """Sort numbers in names as numbers: job 10 after job 9."""
    number = path.parent.name.partition("_")[0]
    return (str(path.parent.parent), int(number) if number.isdigit() else 0, path.parent.name)


def read_settings(config: Path) -> dict[str, Any]:
    """Flatten a run's configuration to dotted names, without the paths of its files."""
    plain = OmegaConf.to_container(OmegaConf.load(config))
    output = str(plain.get("paths", {}).get("output")) if isinstance(plain, dict) else ""
    flat = _flatten(plain, "")
    return {k: v for k, v in flat.items() if not k.startswith(NOT_CHOICES) and output not in str(v)}


def _flatten(node: Any, prefix: str) -> dict[str, Any]:
    if not isinstance(node, dict):
        return {prefix: node}
    inner = [_flatten(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in node.items()]
    return {name: value for part in inner for name, value in part.items()}


def make_table(runs: list[Run]) -> list[dict[str, Any]]:
    """Make a row a run: its shape, the settings that vary, the measures, and whether it is on the front."""
    names = list(dict.fromkeys(name for run in runs for name in run.settings))
    varied = [name for name in names if len({str(run.settings.get(name)) for run in runs}) > 1]
    front = find_front(runs)
    return [
        {"run": run.name, "shape": run.shape}
        | {name: run.settings.get(name, "") for name in varied}
        | {name: _measure(run, name) for name in MEASURES}
        | {"front": run.name in front}
        for run in runs
    ]


def _measure(run: Run, name: str) -> Any:
    value = run.metrics.get(name, "")
    return value["total"] if isinstance(value, dict) else value


def find_front(runs: list[Run]) -> set[str]:
    """Find the runs that none of the same shape beats in both faces and distance."""
    points = {
        run.name: (run.shape, run.metrics[FACES], run.metrics[CHAMFER]) for run in runs if _has_surface(run)
    }
    return {
        name
        for name, (shape, faces, chamfer) in points.items()
        if not any(
            shape == other and f <= faces and c <= chamfer and (f, c) != (faces, chamfer)
            for other, f, c in points.values()
        )
    }


def _has_surface(run: Run) -> bool:
    return CHAMFER in run.metrics


def as_csv(table: list[dict[str, Any]]) -> str:
    """Write the table with all digits."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]))
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def draw_pareto(runs: list[Run], path: Path) -> bool:
    """Plot faces against Chamfer distance, the fronts as lines; return False without any surface."""
    from matplotlib.ticker import LogLocator, NullFormatter

    with_surface = [run for run in runs if _has_surface(run)]
    if not with_surface:
        return False
    plt, front = pyplot(), find_front(runs)
    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    for number, shape in enumerate(dict.fromkeys(run.shape for run in with_surface)):
        colour = f"C{number % 10}"
        points = {r.name: (r.metrics[FACES], r.metrics[CHAMFER]) for r in with_surface if r.shape == shape}
        best = sorted(point for name, point in points.items() if name in front)
        style = {"marker": "o", "color": colour, "drawstyle": "steps-post"}
        axes.plot(*zip(*best, strict=True), label=f"{shape}: not beaten", **style)
        if rest := [point for name, point in points.items() if name not in front]:
            axes.plot(*zip(*rest, strict=True), "o", mfc="white", color=colour, label=f"{shape}: beaten")
    axes.set(
        xscale="log", yscale="log", xlabel="faces of the exact mesh", ylabel="chamfer_l1_mean, domain units"
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    axes.legend()
    image = io.BytesIO()
    figure.savefig(image, dpi=130)
    plt.close(figure)
    write_whole(path, image.getvalue())
    return True


if __name__ == "__main__":
    sys.exit(main())
