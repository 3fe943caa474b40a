"""Draw delayed generalisation beside exact local complexity: a small ReLU network on handwritten digits.

    ./run python -m scripts.classifiers.grokking --out docs/pictures/grokking.png --json grokking.json

Few training images of scikit-learn's digits (8 x 8, nothing is downloaded), weights that begin many times too
large, and weight decay: the network soon knows its training images, and long after that the others (Liu,
Michaud and Tegmark 2022, "Omnigrok"). At steps evenly spaced in the logarithm the neurons that cross a small
ball in a random plane are counted exactly, around training images, test images, and random ones.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from creased import lower
from creased.tropical import local_complexity
from scripts.classifiers.digits import classifier, load_digits
from scripts.common.figures import pyplot
from scripts.common.numbers import write_numbers
from scripts.common.options import make_parser

COLOURS = {"train": "#01665e", "test": "#8c510a", "random": "#762a83"}
Images = dict[str, tuple[Tensor, Tensor]]  # (n, 64) and classes (n,), by name


def main() -> None:
    """Train, count, draw, print."""
    parser = make_parser(__doc__, "docs/pictures/grokking.png", numbers=True)
    parser.add_argument("--images", type=int, default=200, help="for training")
    parser.add_argument("--width", type=int, default=128, help="of two hidden layers")
    parser.add_argument("--scale", type=float, default=16.0, help="factor on all weights to begin with")
    parser.add_argument("--decay", type=float, default=0.5)
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--points", type=int, default=32, help="of each kind, to count around")
    parser.add_argument("--radius", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows = train(load(chosen.images, chosen.seed), chosen)
    write_numbers(chosen.json, options={k: str(v) for k, v in vars(chosen).items()}, rows=rows)
    draw(rows, chosen.out)


def load(n_training: int, seed: int) -> Images:
    """Split the digits: few for training, the others for testing."""
    images, classes = load_digits()
    images = images.float()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    first, others = order[:n_training], order[n_training:]
    return {"train": (images[first], classes[first]), "test": (images[others], classes[others])}


def train(images: Images, chosen: argparse.Namespace) -> list[dict[str, float]]:
    """Train on full batches; return a row for each measured step."""
    torch.manual_seed(chosen.seed)
    network = classifier(chosen.width)
    with torch.no_grad():
        for weights in network.parameters():
            weights.mul_(chosen.scale)
    points = {name: x[: chosen.points] for name, (x, _) in images.items()}
    points["random"] = torch.rand((chosen.points, 64))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=chosen.decay)
    return learn(
        network, optimizer, images, chosen.steps, lambda: measure(network, images, points, chosen.radius)
    )


def learn(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Images,
    n_steps: int,
    look: Callable[[], dict[str, float]],
) -> list[dict[str, float]]:
    """Train on full batches; look at steps evenly spaced in the logarithm, and return a row for each."""
    marks, rows = {round(10 ** (k / 6)) for k in range(100)} | {n_steps}, []
    for step in range(1, n_steps + 1):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images["train"][0]), images["train"][1]).backward()
        optimizer.step()
        if step in marks:
            rows.append({"step": float(step), **look()})
            print("  ".join(f"{name} {value:.3f}" for name, value in rows[-1].items()), flush=True)
    return rows


@torch.no_grad()
def measure(network: nn.Module, images: Images, points: dict[str, Tensor], radius: float) -> dict[str, float]:
    """Measure accuracies and mean local complexity."""
    row = {
        f"{name}_accuracy": float((network(x).argmax(1) == y).float().mean())
        for name, (x, y) in images.items()
    }
    start, program = time.perf_counter(), lower(network)
    for name, x in points.items():
        found = local_complexity(program, x, radius)
        row[f"{name}_crossing"] = float(found.n_crossing.double().mean())
        row[f"{name}_by_corners"] = float(found.by_corners.sum(1).double().mean())
        row[f"{name}_cells"] = float(found.cells.double().mean())
    return row | {"seconds": time.perf_counter() - start}


def draw(rows: list[dict[str, float]], path: Path) -> None:
    """Plot accuracy above, crossing neurons below, on one axis of steps."""
    plt = pyplot()
    figure, (above, below) = plt.subplots(
        2, 1, sharex=True, figsize=(7, 6), height_ratios=(1, 1.2), layout="constrained"
    )
    plot(rows, above, below)
    below.set(xlabel="step")
    figure.savefig(path, dpi=130)


def plot(rows: list[dict[str, float]], above: Any, below: Any) -> None:
    """Plot accuracies and crossing neurons on two axes."""
    steps = [row["step"] for row in rows]
    for name in ("train", "test"):
        above.plot(steps, [row[f"{name}_accuracy"] for row in rows], color=COLOURS[name], label=name)
    style: dict[str, Any] = {"linewidth": 1, "linestyle": ":"}
    for name, colour in COLOURS.items():
        below.plot(steps, [row[f"{name}_crossing"] for row in rows], color=colour, label=name)
        below.plot(steps, [row[f"{name}_by_corners"] for row in rows], color=colour, **style)
    above.set(ylabel="accuracy", ylim=(0, 1.03), xscale="log")
    below.set(ylabel="neurons that cross the ball", ylim=(0, None))
    below.plot([], [], color="grey", label="by corners", **style)
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)


if __name__ == "__main__":
    main()
