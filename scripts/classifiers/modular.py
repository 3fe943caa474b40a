"""Draw delayed generalisation on addition modulo a prime beside exact local complexity and counts of regions.

    ./run python -m scripts.classifiers.modular --out docs/pictures/modular.png --json modular.json

A network with one hidden layer reads two numbers, each one-hot, and learns their sum modulo 23 from 70 % of
all pairs, with weight decay (Power et al. 2022; Gromov 2023). At steps evenly spaced in the logarithm the
neurons that cross a small ball in a random plane are counted exactly, and the linear regions on squares
through three inputs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from creased import Box, lower, slice_through
from creased.tropical import count
from scripts.classifiers.grokking import Images, learn, measure, plot
from scripts.common.figures import pyplot, save_flat
from scripts.common.numbers import write_numbers
from scripts.common.options import make_parser

COLOURS = {"through training inputs": "#01665e", "through random points": "#762a83"}


def main() -> None:
    """Train, count, draw, print."""
    parser = make_parser(__doc__, "docs/pictures/modular.png", numbers=True)
    parser.add_argument("--prime", type=int, default=23)
    parser.add_argument("--share", type=float, default=0.7, help="of pairs for training")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--decay", type=float, default=1.0)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--points", type=int, default=16, help="of each kind, to count around")
    parser.add_argument("--planes", type=int, default=4, help="of each kind, to count regions on")
    parser.add_argument("--radius", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows = train(chosen)
    write_numbers(chosen.json, options={k: str(v) for k, v in vars(chosen).items()}, rows=rows)
    draw(rows, chosen.out)


def pairs(prime: int, share: float) -> Images:
    """List all pairs, one-hot (n, 2 p), with their sums (n,), and divide them."""
    numbers = torch.cartesian_prod(torch.arange(prime), torch.arange(prime))
    inputs = nn.functional.one_hot(numbers, prime).flatten(1).float()
    order = torch.randperm(len(numbers))
    first, others = order.split([round(share * len(numbers)), len(numbers) - round(share * len(numbers))])
    sums = numbers.sum(1) % prime
    return {"train": (inputs[first], sums[first]), "test": (inputs[others], sums[others])}


def train(chosen: argparse.Namespace) -> list[dict[str, float]]:
    """Train on full batches; return a row for each measured step."""
    torch.manual_seed(chosen.seed)
    data = pairs(chosen.prime, chosen.share)
    network = nn.Sequential(
        nn.Linear(2 * chosen.prime, chosen.width), nn.ReLU(), nn.Linear(chosen.width, chosen.prime)
    )
    points = {name: x[: chosen.points] for name, (x, _) in data.items()}
    points["random"] = torch.rand((chosen.points, 2 * chosen.prime)) * 2 / chosen.prime  # mean as of inputs
    n_corners = 3 * chosen.planes
    planes = {
        "through training inputs": data["train"][0][:n_corners],
        "through random points": torch.nn.functional.normalize(torch.rand((n_corners, 2 * chosen.prime))),
    }
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3, betas=(0.9, 0.98), weight_decay=chosen.decay)

    def look() -> dict[str, float]:
        row = measure(network, data, points, chosen.radius)
        return row | {name: mean_regions(network, corners) for name, corners in planes.items()}

    return learn(network, optimizer, data, chosen.steps, look)


def mean_regions(network: nn.Module, corners: Tensor) -> float:
    """Count linear regions on the squares [-1, 1]^2 of planes through three points each (3 n, D)."""
    program = lower(network).detach().to(dtype=torch.float64)
    slices = [slice_through(program, *three).program for three in corners.double().split(3)]
    counts = [count(one, Box.cube(2, 1.0), method="engine").linear_regions for one in slices]
    return sum(counts) / len(counts)


def draw(rows: list[dict[str, float]], path: Path) -> None:
    """Plot accuracy, crossing neurons and regions, on one axis of steps."""
    figure, (above, middle, below) = pyplot().subplots(
        3, 1, sharex=True, figsize=(7, 8), layout="constrained"
    )
    plot(rows, above, middle)
    for name, colour in COLOURS.items():
        below.plot([row["step"] for row in rows], [row[name] for row in rows], color=colour, label=name)
    below.set(ylabel="linear regions on a square", xlabel="step", ylim=(0, None))
    below.grid(alpha=0.3)
    below.legend(frameon=False)
    save_flat(figure, path, dpi=110)


if __name__ == "__main__":
    main()
