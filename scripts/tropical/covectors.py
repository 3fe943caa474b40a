"""Draw where strong elimination and composition of sign vectors hold and fail; takes a minute.

    ./run python -m scripts.tropical.covectors --out docs/pictures/covectors.png --json covectors.json

Two cells X and Y that one crease tells apart, in a layer and in a network: elimination asks for a point of
that crease with all other signs as in X and Y. On the right, signs of F - G on five points.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import torch

from creased import MLP, Box, Program, lower
from creased.tropical import check_axioms, classification_covectors, covectors
from creased.tropical.algebra.oriented_matroids import Covector
from creased.tropical.cells.cells import cells
from scripts.common.figures import pyplot, save_flat
from scripts.common.numbers import write_numbers
from scripts.common.options import make_parser

SEED, WIDTH, BOX = 1, 4, Box.cube(2, 2.0)
COLOURS = {"X": "#80cdc1", "Y": "#dfc27d", "the crease": "#c51b7d"}


def network(seed: int, depth: int) -> Program:
    """Make a network, or only its first layer: the same weights, drawn first."""
    torch.manual_seed(seed)
    program = lower(MLP(in_dim=2, width=WIDTH, depth=2).double()).detach()
    hidden = program.blocks[:depth]
    return Program(hidden, program.head)


def apart(program: Program) -> tuple[int, Covector, Covector]:
    """Find two cells that differ in one neuron; the first pair that has no cell between, if there is one."""
    known = covectors(program, BOX)
    pairs = []
    for x, y in product(sorted(z for z in known if all(z)), repeat=2):
        differ = [e for e, (a, b) in enumerate(zip(x, y, strict=True)) if a < b]
        if len(differ) == 1 == sum(a != b for a, b in zip(x, y, strict=True)):
            e = differ[0]
            pairs.append(((*x[:e], 0, *x[e + 1 :]) in known, e, x, y))
    return min(pairs)[1:]


def draw_cells(axes: Any, program: Program) -> bool:
    """Draw the cells, X and Y, and the crease between; return whether X and Y share a facet."""
    e, x, y = apart(program)
    for cell in cells(program, BOX):
        corners = np.array([[a / t for a in place] for *place, t in cell.cone.rays], dtype=float)
        around = corners - corners.mean(0)
        corners = corners[np.arctan2(around[:, 1], around[:, 0]).argsort()]
        colour = COLOURS["X"] if cell.signs == x else COLOURS["Y"] if cell.signs == y else "white"
        axes.fill(*corners.T, facecolor=colour, edgecolor="#999999", linewidth=0.7)
        if cell.signs in (x, y):
            axes.text(*corners.mean(0), "X" if cell.signs == x else "Y", ha="center", va="center")
    grid = np.linspace(-2, 2, 801)
    points = torch.tensor(np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2))
    values = preactivations(program, points)[:, e].reshape(801, 801)
    axes.contour(grid, grid, values, levels=[0], colors=COLOURS["the crease"], linewidths=2)
    axes.set(aspect="equal", xlim=(-2, 2), ylim=(-2, 2), xlabel="x", ylabel="y")
    return (*x[:e], 0, *x[e + 1 :]) in covectors(program, BOX)


def preactivations(program: Program, points: torch.Tensor) -> Any:
    """Evaluate all neurons (n, N) at points (n, D)."""
    found, state = [], points
    for block in program.blocks:
        found.append(state @ block.affine.weight.mT + block.affine.bias)
        state = found[-1].relu()
    return torch.cat(found, 1).numpy()


def draw_signs(axes: Any) -> None:
    """Draw two functions F - G of one term less two, and the signs that their composition would have."""
    x = np.linspace(-0.4, 4.4, 200)
    for values, name, colour in (
        (np.minimum(x - 1, 0), "X = (-, 0, 0, 0, 0)", "#01665e"),
        (np.minimum(3 - x, 0), "Y = (0, 0, 0, 0, -)", "#8c510a"),
        (np.minimum(np.minimum(x - 1, 3 - x), 0) - 0.03, "X o Y = (-, 0, 0, 0, -): two bends", "black"),
    ):
        axes.plot(x, values, color=colour, label=name, linestyle=":" if colour == "black" else "-")
    axes.plot(range(5), [0] * 5, "o", color="black", markersize=5)
    axes.set(xlabel="the five points", ylabel="F - G", ylim=(-1.6, 0.9))
    axes.legend(frameon=False, loc="upper center", fontsize=8)


def main() -> None:
    """Check, draw, print."""
    parser = make_parser(__doc__, "docs/pictures/covectors.png", numbers=True)
    parser.add_argument("--networks", type=int, default=20, help="random ones that are checked")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    line = [(i,) for i in range(5)]
    sets = {
        "layer of 4": covectors(network(SEED, 1)),
        "network 2-4-4": covectors(network(SEED, 2)),
        "1 term less 1, five points": classification_covectors(line, 1, 1),
        "1 term less 2, five points": classification_covectors(line, 1, 2),
        "2 terms less 2, five points": classification_covectors(line, 2, 2),
    }
    for name, signs in sets.items():
        print(f"{name}: {len(signs)} sign vectors\n{check_axioms(signs)}")
    failing = [
        bool(check_axioms(covectors(network(seed, 2))).elimination.n_failed)
        for seed in range(chosen.networks)
    ]
    print(f"2-4-4: elimination fails in {sum(failing)} of {len(failing)} random networks")
    write_numbers(chosen.json, sizes={name: len(signs) for name, signs in sets.items()}, failing=failing)
    figure, axes = pyplot().subplots(1, 3, figsize=(12.5, 4.2), layout="constrained")
    for place, depth, title in zip(axes, (1, 2), ("A layer", "Two layers"), strict=False):
        adjacent = draw_cells(place, network(SEED, depth))
        place.set_title(f"{title}: elimination {'holds' if adjacent else 'fails'} for X, Y", fontsize=10)
    draw_signs(axes[2])
    axes[2].set_title("One term less two: X o Y is missing", fontsize=10)
    save_flat(figure, chosen.out, dpi=110)


if __name__ == "__main__":
    main()
