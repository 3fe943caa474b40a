"""Draw the labelings of networks with one hidden layer, and check properties of patterns; takes four minutes.

    ./run python -m scripts.tropical.network_fan --out docs/pictures/network_fan.png --json network_fan.json

On the left the plane of both hidden biases of a network 1-2-1, divided by the labelings of four points; at
dotted lines a neuron is 0 at a point. In the middle the number of labelings of points on a line. On the right
two patterns that change places, which types of tropical hyperplanes never do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from creased.tropical import (
    check_pattern_axioms,
    classification_fan,
    network_fan,
    network_labelings,
    realizable_labelings,
    tied_network_patterns,
    tied_patterns,
)
from scripts.common.figures import pyplot, save_flat
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser

SQUARE = [(0, 0), (1, 0), (0, 1), (1, 1)]
GENERIC = [(0, 0), (5, 1), (2, 7), (6, 5), (1, 3)]
LINE = [(i,) for i in range(6)]
WEIGHTS, CONSTANT, SHOWN = (1.0, 2.0), -0.3, (0.0, 1.0, 2.0, 3.0)  # w_i, c and the points on the left
MOST = 10**6


def draw_plane(axes: Any) -> int:
    """Colour the plane of biases by the signs of relu(w_1 x + b_1) - relu(w_2 x + b_2) + c at the points."""
    b1, b2 = np.meshgrid(np.linspace(-3.5, 1.5, 1201), np.linspace(-8, 1, 1201))
    labels = np.zeros(b1.shape, dtype=int)
    for bit, x in enumerate(SHOWN):
        value = np.maximum(WEIGHTS[0] * x + b1, 0) - np.maximum(WEIGHTS[1] * x + b2, 0) + CONSTANT
        labels |= (value > 0).astype(int) << bit
        axes.contour(b1, b2, value, levels=[0], colors="black", linewidths=0.8)
        axes.axvline(-WEIGHTS[0] * x, color="#555555", linewidth=0.6, linestyle=":")
        axes.axhline(-WEIGHTS[1] * x, color="#555555", linewidth=0.6, linestyle=":")
    present, colours = np.unique(labels, return_inverse=True)
    axes.pcolormesh(b1, b2, colours.reshape(b1.shape), cmap="tab20", alpha=0.6, rasterized=True)
    for number in present:
        i, j = np.argwhere(labels == number).mean(0).astype(int)
        signs = "".join("+" if number >> bit & 1 else "-" for bit in range(len(SHOWN)))
        axes.text(b1[i, j], b2[i, j], signs, ha="center", va="center", fontsize=7)
    axes.set(
        xlabel="$b_1$", ylabel="$b_2$", title=f"A plane of parameters: {len(present)} labelings of 4 points"
    )
    return len(present)


def draw_counts(axes: Any) -> dict[str, list[int]]:
    """Draw the number of labelings of 3 to 6 points on a line."""
    sizes = range(3, len(LINE) + 1)
    counts = {
        f"{n} neuron{'s' * (n > 1)}": [len(network_labelings(LINE[:m], n)) for m in sizes] for n in (1, 2, 3)
    }
    counts["2 terms less 2"] = [len(realizable_labelings(LINE[:m], 2, 2)) for m in sizes]
    counts["all"] = [2**m for m in sizes]
    for name, numbers in counts.items():
        axes.plot(sizes, numbers, "o--" if "terms" in name else ":" if name == "all" else "o-", label=name)
    axes.set(xlabel="points on a line", ylabel="labelings", xticks=sizes)
    axes.set_title("Labelings that are realized")
    axes.legend(frameon=False)
    return counts


def draw_exchange(axes: Any) -> None:
    """Draw two maxima of two terms, each the largest where the other was."""
    x = np.linspace(-0.3, 2.3, 50)
    for shift, name, slopes in ((0, "B", (1, -1)), (4.4, "A", (-1, 1))):
        for term, slope in enumerate(slopes):
            axes.plot(
                x, shift + slope * (x - 0.6), color=("#01665e", "#8c510a")[term], label=f"{name}: term {term}"
            )
        tops = ["#01665e" if slopes[0] * (p - 0.6) > 0 else "#8c510a" for p in range(3)]
        axes.scatter(range(3), [shift + abs(p - 0.6) for p in range(3)], color=tops, zorder=3)
    axes.annotate("A = 0|1|1", (1.2, 5.8), ha="center")
    axes.annotate("B = 1|0|0", (1.2, 1.3), ha="center")
    axes.set(
        xlabel="the points", yticks=[], xticks=range(3), title="Terms 0 (green) and 1 (brown) change places"
    )


def compare(points: list, n_positive: int, n_negative: int) -> list[int]:
    """Count patterns and labelings of networks, and of all functions with as many terms."""
    fans = (
        network_fan(points, n_positive, n_negative, most=MOST),
        classification_fan(points, 2**n_positive, 2**n_negative, most=MOST),
    )
    return [number for fan in fans for number in (sum(map(len, fan.values())), len(fan))]


def check(n_cases: int) -> dict[str, list[str]]:
    """Check the properties of patterns; print and return them, with the number of patterns."""
    cases = {
        "3 on a line, 3 terms": (tied_patterns(LINE[:3], 3), 3, LINE[:3]),
        "4 on a line, 3 terms": (tied_patterns(LINE[:4], 3), 3, LINE[:4]),
        "a triangle, 3 terms": (tied_patterns(SQUARE[:3], 3), 3, SQUARE[:3]),
        "the square, 3 terms": (tied_patterns(SQUARE, 3), 3, SQUARE),
        "3 on a line, network + -": (tied_network_patterns(LINE[:3], 1, 1), 4, LINE[:3]),
        "3 on a line, network + +": (tied_network_patterns(LINE[:3], 2, 0), 5, LINE[:3]),
    }
    axioms: dict[str, list[str]] = {}
    for name, (patterns, n_terms, points) in list(cases.items())[:n_cases]:
        found = str(check_pattern_axioms(patterns, n_terms, points)).split("\n")
        axioms[name] = [f"{len(patterns)} patterns", *found]
        print(name, *axioms[name], sep="\n", flush=True)
    return axioms


def main() -> None:
    """Count, check, draw, print."""
    parser = make_parser(__doc__, "docs/pictures/network_fan.png", numbers=True)
    parser.add_argument("--cases", type=int, default=6, help="sets of patterns that are checked")
    chosen = parser.parse_args()
    figure, axes = pyplot().subplots(1, 3, figsize=(13.5, 4.3), layout="constrained")
    in_plane, counts = draw_plane(axes[0]), draw_counts(axes[1])
    draw_exchange(axes[2])
    save_flat(figure, chosen.out, dpi=110)
    sets = {"6 on a line": LINE, "the square": SQUARE, "5 in general position": GENERIC}
    signs = {"+": (1, 0), "+ -": (1, 1), "+ +": (2, 0)}
    compared = {f"{name}, {s}": compare(p, *signs[s]) for name, p in sets.items() for s in signs}
    print(
        as_table(
            ("points, output signs", "patterns", "labelings", "of all", "labelings"),
            [(name, *map(str, row)) for name, row in compared.items()],
        )
    )
    axioms = check(chosen.cases)
    write_numbers(chosen.json, in_plane=in_plane, line=counts, compared=compared, axioms=axioms)


if __name__ == "__main__":
    main()
