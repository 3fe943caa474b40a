"""Draw a tropical conic beside its dual subdivision, and exact numbers of linear regions below their bound.

    ./run python -m scripts.tropical.region_bound --out docs/pictures/region_bound.png --json rows.json

After Zhang, Naitzat and Lim (ICML 2018). Networks of two inputs and one output are random, with integer
weights and biases from -9 to 9; regions are counted on the whole plane, in integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import torch

import creased
from creased.drawing import draw_curve, draw_dual, flatten_curve
from creased.tropical import Counts, RegionBounds, TropicalPolynomial, count, region_bounds
from scripts.common.figures import pyplot, save_flat
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser

SLOPES = [(2, 0), (0, 2), (1, 1), (1, 0), (0, 1), (0, 0)]
CONSTANTS = [1, 1, 2, 2, 2, 2]
ARCHITECTURES = [(4,), (8,), (12,), (2, 2), (4, 4), (6, 6), (8, 8), (3, 3, 3), (4, 4, 4), (5, 5, 5)]
SEEDS = 10
MOST = 9  # the largest weight


class Counted(NamedTuple):
    """Regions of random networks of one architecture."""

    widths: tuple[int, ...]
    bounds: RegionBounds
    counts: list[Counts]

    @property
    def regions(self) -> list[int]:
        """Linear regions, ascending."""
        return sorted(found.linear_regions for found in self.counts)


def main() -> None:
    """Count and draw."""
    chosen = make_parser(__doc__, "docs/pictures/region_bound.png", numbers=True).parse_args()
    counted = [_count(widths) for widths in ARCHITECTURES]
    rows = [_row(one) for one in counted]
    print(as_table(["hidden", "bound", "Serra", "regions", "largest / bound", "cells, on average"], rows))
    write_numbers(chosen.json, rows=rows)
    _draw(counted, chosen.out)


def integer_network(widths: Sequence[int], seed: int) -> creased.Program:
    """Draw a network of two inputs and one output with integer weights."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randint(-MOST, MOST + 1, shape, generator=generator).double()

    *hidden, head = [creased.Affine(draw(n, m), draw(n)) for m, n in pairwise([2, *widths, 1])]
    return creased.Program(tuple(map(creased.Block, hidden)), head)


def _count(widths: tuple[int, ...]) -> Counted:
    counts = [count(integer_network(widths, seed)) for seed in range(SEEDS)]
    return Counted(widths, region_bounds(2, widths), counts)


def _row(one: Counted) -> list[str]:
    low, high = one.regions[0], one.regions[-1]
    mean = sum(found.activation_cells for found in one.counts) / len(one.counts)
    return [
        ", ".join(map(str, one.widths)),
        f"{one.bounds.raghu:,}",
        f"{one.bounds.serra:,}",
        f"{low} to {high}",
        f"{high / one.bounds.raghu:.3f}",
        f"{mean:.1f}",
    ]


def _draw(counted: Sequence[Counted], path: Path) -> None:
    plt = pyplot()
    figure = plt.figure(figsize=(12.6, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3, gridspec_kw={"width_ratios": [1, 1, 1.5]})
    curve = flatten_curve(TropicalPolynomial(SLOPES, CONSTANTS))
    draw_curve(left, curve)
    draw_dual(middle, curve)
    left.set_title("a tropical conic", fontsize=10)
    middle.set_title("its dual subdivision", fontsize=10)
    _draw_counts(right, counted)
    save_flat(figure, path, dpi=110)


def _draw_counts(axes: Any, counted: Sequence[Counted]) -> None:
    for i, one in enumerate(counted):
        axes.plot(
            [i] * SEEDS, one.regions, "o", ms=4, color="tab:blue", label="linear regions" if not i else None
        )
    places = range(len(counted))
    for bounds, size, colour, label in (
        ([one.bounds.raghu for one in counted], 24, "black", "the bound"),
        ([one.bounds.serra for one in counted], 11, "tab:orange", "that of Serra et al."),
    ):
        axes.plot(places, bounds, "_", ms=size, mew=2, color=colour, label=label)
    axes.set(yscale="log", xlabel="hidden layers", title=f"{SEEDS} random networks each, on the whole plane")
    axes.title.set_fontsize(10)
    axes.set_xticks(places, [",".join(map(str, one.widths)) for one in counted], fontsize=8)
    axes.legend(frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
