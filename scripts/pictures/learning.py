"""Draw the error of plain networks and of networks on a grid against the CPU seconds of their training.

    ./run python -m scripts.pictures.learning --out docs/pictures/learning.png --json learning.json

Trains each network on the bunny by the settings of its recipe, on one thread, without extraction while it
trains; runs that are finished are read. Error is the mean |f| at points of the scan that training has not
seen, after each epoch. Rates fall to zero at the end of each run, so that ends are to be compared.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

from creased.drawing.palette import INK, by_layer
from scripts.common.figures import pyplot, save_flat
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser
from scripts.runs.trials import Trial, train_all

QUIET = ("shape=bunny", "callbacks.extract=null", "evaluation.certify=false", "logger=none")
CLOCK = (
    "+callbacks.clock._target_=scripts.runs.clock.CpuClock",
    "+callbacks.clock.path=${paths.output}/clock.json",
)
PLAIN = {f"4x{width}": ("model=mlp", f"model.width={width}") for width in (48, 96, 144)}
GRIDS = {quality: ("model=grid", f"quality={quality}") for quality in ("draft", "normal", "high")}
SECONDS = (3, 10, 30, 100, 300)  # marked
FAMILIES = {"plain network": PLAIN, "network on a grid": GRIDS}


class Learnt(NamedTuple):
    """Errors of a run by its CPU seconds."""

    seconds: list[float]  # of training, up to the end of each epoch
    errors: list[float]  # mean |f| then
    faces: int  # of the exact mesh at the end


def main() -> None:
    """Train or read the runs, print their ends, draw."""
    parser = make_parser(__doc__, "docs/pictures/learning.png", numbers=True)
    parser.add_argument("--runs", type=Path, default=Path("logs/learning"), help="where runs are kept")
    parser.add_argument("--at-once", type=int, default=1, help="runs at a time")
    parser.add_argument("--also", nargs="*", default=[], help="overrides for all runs: trainer.max_epochs=1")
    chosen = parser.parse_args()
    settings = {name: own for networks in FAMILIES.values() for name, own in networks.items()}
    jobs = [(chosen.runs.resolve() / n, [*QUIET, *CLOCK, *own, *chosen.also]) for n, own in settings.items()]
    trials = train_all(jobs, chosen.at_once)
    learnt = {name: _read(trial) for name, trial in zip(settings, trials, strict=True)}
    rows = [[n, f"{x.seconds[-1]:.0f}", f"{x.errors[-1]:.2e}", f"{x.faces:,}"] for n, x in learnt.items()]
    print(as_table(["network", "CPU seconds", "mean abs f", "faces"], rows))
    write_numbers(chosen.json, results={name: one._asdict() for name, one in learnt.items()})
    _draw(learnt, chosen.out)


def _read(trial: Trial) -> Learnt:
    with (trial.folder / "metrics.csv").open() as file:
        errors = [float(row["val/surface_error"]) for row in csv.DictReader(file)]
    seconds = json.loads((trial.folder / "clock.json").read_text())
    return Learnt(seconds, errors, trial.metrics["n_polygons"])


def _draw(learnt: dict[str, Learnt], out: Path) -> None:
    figure, axes = pyplot().subplots(figsize=(8, 4.6), layout="constrained")
    for i, (family, networks) in enumerate(FAMILIES.items()):
        colour = by_layer(i)
        for name in networks:
            seconds, errors, faces = learnt[name]
            axes.plot(seconds, errors, ".-", color=colour, lw=1, ms=4, alpha=0.55)
            axes.plot(seconds[-1], errors[-1], "o", color=colour, ms=8)
            _label(axes, f"{name}, {faces:,} faces", (seconds[-1], errors[-1]))
        axes.plot([], [], "o-", color=colour, label=family)
    axes.set(xscale="log", yscale="log", xlabel="CPU seconds of training, one thread")
    axes.set_ylabel("mean |f| at points of the scan (unit box)")
    axes.set_xticks(SECONDS, map(str, SECONDS))
    axes.margins(x=0.15, y=0.1)
    axes.grid(which="both", color="0.92", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right")
    save_flat(figure, out, 130)


def _label(axes: Any, text: str, at: tuple[float, float]) -> None:
    place = {"textcoords": "offset points", "xytext": (-4, -16), "ha": "right", "fontsize": 8.5}
    axes.annotate(text, at, color=INK, **place)


if __name__ == "__main__":
    main()
