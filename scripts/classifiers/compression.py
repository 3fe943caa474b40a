"""Compress networks on handwritten digits without loss, trained with and without an l1 penalty.

    ./run python -m pip install scikit-learn
    ./run python -m scripts.classifiers.compression --out docs/pictures/compression.png --json rows.json

As Serra, Kumar and Ramalingam (2020) do with MNIST: networks with two hidden layers learn scikit-learn's
digits (8 x 8 pixels in [0, 1], 1,400 to learn from), stable units are found on all of [0, 1]^64, and the
network is rewritten without them. Units with both signs at images or at corners of the box are known to be
unstable; of those between, mixed-integer programs (HiGHS, in floating point) find the extremes.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from creased import Box, Program, lower
from creased.tropical import compress_stable, stable_units
from creased.tropical.compression.stable import state_ranges
from scripts.classifiers.digits import TRAINING, classifier, load_digits
from scripts.common.figures import pyplot, save_flat
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser

BOX = Box([0.0] * 64, [1.0] * 64)
COLOURS = {"never positive": "#8c510a", "never negative": "#01665e", "neither is proven": "#dddddd"}


def train(width: int, penalty: float, seed: int, steps: int) -> Program:
    """Train a classifier with an l1 penalty on its weights, by proximal steps: they become exactly 0."""
    torch.manual_seed(seed)
    images, classes = (part[:TRAINING] for part in load_digits())
    network = classifier(width).double()
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        batch = torch.randint(TRAINING, (128,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images[batch]), classes[batch]).backward()
        optimizer.step()
        with torch.no_grad():
            for weight in (w for w in network.parameters() if w.ndim == 2):
                weight.copy_(nn.functional.softshrink(weight, penalty * schedule.get_last_lr()[0]))
        schedule.step()
    return lower(network).detach()


def accuracy(program: Program) -> float:
    """Return the share of the other images that are read rightly."""
    images, classes = (part[TRAINING:] for part in load_digits())
    return float((program(images).argmax(1) == classes).double().mean())


def unstable_mask(program: Program) -> Tensor:
    """Mark units (N,) that have both signs at images, random corners, or extremes of the first layer."""
    images, _ = load_digits()
    corners = torch.randint(2, (20000, 64), generator=torch.Generator().manual_seed(0)).double()
    weight = program.blocks[0].affine.weight
    points = torch.cat([images, corners, (weight > 0).double(), (weight < 0).double()])
    values = program.preactivations(points)[:, : program.n_neurons]
    return (values > 0).any(0) & (values < 0).any(0)


def unstable_by_programs(program: Program, units: list[int], seconds: float) -> list[bool | None]:
    """Say of units of the second layer whether they have both signs, by two mixed-integer programs each.

    None: not decided in the seconds.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    (first, second), n = program.blocks, program.blocks[0].n_neurons
    (low, high), _ = (tuple(side.numpy() for side in layer) for layer in state_ranges(program, BOX)[0])
    weight, bias = first.affine.weight.numpy(), first.affine.bias.numpy()
    up, down = np.maximum(high, 0), np.minimum(low, 0)
    eye, zeros = np.eye(n), np.zeros((n, 64))
    rows = [  # variables: the image (64), relu(z) (n), and whether z > 0 (n)
        LinearConstraint(np.hstack([-weight, eye, 0 * eye]), bias, np.inf),
        LinearConstraint(np.hstack([-weight, eye, -np.diag(down)]), -np.inf, bias - down),
        LinearConstraint(np.hstack([zeros, eye, -np.diag(up)]), -np.inf, 0),
    ]
    bounds = Bounds(np.zeros(64 + 2 * n), np.concatenate([np.ones(64), up, np.ones(n)]))
    kinds = np.concatenate([np.zeros(64 + n), np.ones(n)])

    def reaches(unit: int, sign: float) -> bool | None:
        costs = np.zeros(64 + 2 * n)
        costs[64 : 64 + n] = -sign * second.affine.weight[unit].numpy()
        found = milp(
            costs, constraints=rows, bounds=bounds, integrality=kinds, options={"time_limit": seconds}
        )
        offset = sign * float(second.affine.bias[unit])
        if found.x is not None and -found.fun + offset > 1e-6:
            return True
        bound = found.mip_dual_bound  # None where the time was too short for any
        return False if bound is not None and -bound + offset <= 1e-6 else None

    answers = []
    for unit in units:
        signs = [reaches(unit, 1.0), reaches(unit, -1.0)]
        answers.append(False if False in signs else None if None in signs else True)
    return answers


def measure(width: int, penalty: float, seed: int, steps: int, seconds: float) -> dict[str, Any]:
    """Train and compress one network."""
    program = train(width, penalty, seed, steps)
    start = time.perf_counter()
    stable = stable_units(program, BOX, "linear")
    smaller, certificate = compress_stable(program, BOX, stable)
    spent = time.perf_counter() - start
    interval = stable_units(program, BOX, "interval")
    undecided = (torch.cat(stable.signs) == 0) & ~unstable_mask(program)
    second = undecided[width:].nonzero()[:, 0].tolist()
    answers = unstable_by_programs(program, second, seconds) if second else []
    images, _ = load_digits()
    return {
        "width": width,
        "penalty": penalty,
        "seed": seed,
        "accuracy": accuracy(program),
        "accuracy_after": accuracy(smaller),
        "inactive": [int((s < 0).sum()) for s in stable.signs],
        "active": [int((s > 0).sum()) for s in stable.signs],
        "interval": interval.n_active + interval.n_inactive,
        "after": list(certificate.widths_after),
        "error_bound": certificate.error_bound,
        "difference": float((program(images) - smaller(images)).abs().max()),
        "undecided": int(undecided.sum()),
        "undecided_first": int(undecided[:width].sum()),
        "milp_stable": answers.count(False),
        "milp_unknown": answers.count(None),
        "parameters": [sum(w.numel() for w in _weights(p)) for p in (program, smaller)],
        "seconds": spent,
    }


def _weights(program: Program) -> list[Tensor]:
    affines = [*(block.affine for block in program.blocks), program.head]
    return [part for affine in affines for part in (affine.weight, affine.bias)]


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw the units of each network as bars, and accuracies as dots."""
    plt = pyplot()
    penalties = sorted({row["penalty"] for row in rows})
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4), layout="constrained")
    widths = sorted({row["width"] for row in rows})
    for k, width in enumerate(widths):
        for i, penalty in enumerate(penalties):
            group = [r for r in rows if (r["width"], r["penalty"]) == (width, penalty)]
            parts = [
                np.mean([sum(r["inactive"]) for r in group]),
                np.mean([sum(r["active"]) for r in group]),
            ]
            bottom = 0.0
            for part, (name, colour) in zip([*parts, 2 * width - sum(parts)], COLOURS.items(), strict=True):
                label = name if i == k == 0 else None
                left.bar(i + 0.4 * k - 0.2, 100 * part / (2 * width), 0.36, bottom, color=colour, label=label)
                bottom += 100 * part / (2 * width)
            left.text(i + 0.4 * k - 0.2, 101, str(width), ha="center", fontsize=8)
        group_means = [
            np.mean([100 * r["accuracy"] for r in rows if (r["width"], r["penalty"]) == (width, p)])
            for p in penalties
        ]
        right.plot(range(len(penalties)), group_means, "o-", label=f"two layers of {width}")
    for axes in (left, right):
        axes.set_xticks(range(len(penalties)), [f"{p:g}" for p in penalties])
        axes.set_xlabel("l1 penalty")
    left.set(ylabel="% of hidden units (width above)", ylim=(0, 109))
    right.set(ylabel="% of test images right", ylim=(80, 100))
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False)
    right.legend(frameon=False)
    right.grid(alpha=0.3)
    save_flat(figure, path, dpi=110)


def main() -> None:
    """Train, compress, draw, and print a table."""
    parser = make_parser(__doc__, "docs/pictures/compression.png", numbers=True)
    parser.add_argument("--widths", type=int, nargs="+", default=[25, 50])
    parser.add_argument("--penalties", type=float, nargs="+", default=[0.0, 0.1, 0.2, 0.3, 0.5])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each mixed-integer program")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cases = [(w, p, s) for w in chosen.widths for p in chosen.penalties for s in range(chosen.seeds)]
    rows = []
    for width, penalty, seed in cases:
        rows.append(measure(width, penalty, seed, chosen.steps, chosen.seconds))
        print(rows[-1], flush=True)
    header = ("widths", "l1", "accuracy", "never positive", "never negative", "widths after", "bound")
    print(as_table(header, map(as_row, rows)))
    write_numbers(chosen.json, rows=rows)
    draw(rows, chosen.out)


def as_row(row: dict[str, Any]) -> list[str]:
    """Format one network."""
    return [
        f"{row['width']}, {row['width']}",
        f"{row['penalty']:g}",
        f"{100 * row['accuracy']:.1f}%",
        " + ".join(map(str, row["inactive"])),
        " + ".join(map(str, row["active"])),
        ", ".join(map(str, row["after"])),
        f"{row['error_bound']:.1e}",
    ]


if __name__ == "__main__":
    main()
