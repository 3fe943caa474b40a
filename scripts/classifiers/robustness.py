"""Compare the exact least changes of handwritten digits, on slices, with those that PGD finds.

    ./run python -m pip install scikit-learn
    ./run python -m scripts.classifiers.robustness --out docs/pictures/robustness.png --json robustness.json

The network and the slices are those of `distance.py`. Projected gradient descent (Madry et al. 2018)
is given balls of the 2-norm, and the radius at which it begins to find another class is bisected: within the
slice, where the exact distance is known, and in all 64 dimensions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from creased import Box, Program, slice_through
from creased.tropical import distance_to_other_class
from scripts.classifiers.digits import Reader, add_options
from scripts.common.figures import pyplot, save_flat
from scripts.common.numbers import write_numbers
from scripts.common.options import make_parser

MOST = 3.0  # radius to begin with, and half-width of the squares that are searched


def pgd(f: Callable[[Tensor], Tensor], dim: int, mine: int, radius: float, steps: int, restarts: int) -> bool:
    """Tell whether PGD finds another class within a radius of the origin of a space of `dim` dimensions."""
    generator = torch.Generator().manual_seed(0)
    t = torch.randn((restarts, dim), generator=generator, dtype=torch.float64)
    t = radius * t / t.norm(dim=1, keepdim=True) * torch.rand((restarts, 1), generator=generator).double()
    for _ in range(steps):
        t.requires_grad_(True)
        logits = f(t)
        if bool((logits.argmax(1) != mine).any()):
            return True
        others = logits.clone()
        others[:, mine] = -torch.inf
        (slope,) = torch.autograd.grad((others.amax(1) - logits[:, mine]).sum(), t)
        t = t.detach() + 2.5 * radius / steps * slope / slope.norm(dim=1, keepdim=True).clamp(min=1e-12)
        t = t * (radius / t.norm(dim=1, keepdim=True).clamp(min=1e-12)).clamp(max=1)
    return bool((f(t).argmax(1) != mine).any())


def least_radius(
    f: Callable[[Tensor], Tensor], dim: int, mine: int, steps: int = 40, restarts: int = 10
) -> float:
    """Bisect the radius at which PGD begins to succeed; infinity where it never does."""
    if not pgd(f, dim, mine, MOST, steps, restarts):
        return float("inf")
    low, high = 0.0, MOST
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if pgd(f, dim, mine, middle, steps, restarts) else (middle, high)
    return high


def measure(program: Program, image: Tensor, others: list[Tensor]) -> dict[str, float]:
    """Measure one image on the plane through it and two others."""
    to, origin = slice_through(program, image, *others), torch.zeros(len(others))
    mine = int(program(image).argmax())
    start = time.perf_counter()
    exact = distance_to_other_class(to, Box.cube(len(others), MOST), origin)
    middle = time.perf_counter()
    within = least_radius(lambda t: program(to.lift(t)), len(others), mine)
    end = time.perf_counter()
    return {
        "exact": exact.value,
        "pgd": within,
        "pgd_one": least_radius(lambda t: program(to.lift(t)), len(others), mine, restarts=1),
        "pgd_everywhere": least_radius(lambda t: program(image + t), 64, mine),
        "seconds": middle - start,
        "pgd_seconds": end - middle,
    }


def draw(rows: list[dict[str, float]], path: Path) -> None:
    """Plot PGD's radii against the exact distances."""
    figure, axes = pyplot().subplots(figsize=(6, 5), layout="constrained")
    exact = [row["exact"] for row in rows]
    axes.axline((0, 0), slope=1, color="black", linewidth=0.8, label="equal")
    for name, label, marker, colour in (
        ("pgd_one", "PGD in the slice, 1 start", "x", "#c51b7d"),
        ("pgd", "PGD in the slice, 10 starts", "o", "#8c510a"),
        ("pgd_everywhere", "PGD in all 64 dimensions", "s", "#01665e"),
    ):
        style: dict[str, Any] = {"s": 22, "alpha": 0.8, "color": colour, "marker": marker}
        axes.scatter(exact, [row[name] for row in rows], label=label, **style)
    axes.set(xlabel="exact distance in the slice (2-norm)", ylabel="radius at which PGD succeeds")
    axes.set(xlim=(0, None), ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    save_flat(figure, path, dpi=110)


def main() -> None:
    """Train, measure, draw and print."""
    parser = make_parser(__doc__, "docs/pictures/robustness.png", numbers=True)
    add_options(parser, images=12)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    reader = Reader.trained(chosen.width, chosen.steps)
    rows = []
    for index in reader.read_rightly(chosen.images):
        rows.append(measure(reader.program, reader.images[index], reader.nearest_others(index, 2)))
        print("  ".join(f"{name} {value:.4f}" for name, value in rows[-1].items()), flush=True)
    for name in ("pgd_one", "pgd", "pgd_everywhere"):
        ratios = torch.tensor([row[name] / row["exact"] for row in rows])
        print(f"{name}: least {ratios.min():.4f}, median {ratios.median():.4f}, most {ratios.max():.4f}")
    write_numbers(chosen.json, rows=rows)
    draw(rows, chosen.out)


if __name__ == "__main__":
    main()
