"""Draw how many vertices random networks have, by width, depth and dimension, and what they cost.

    ./run python -m scripts.tropical.edge_subdivision --out docs/pictures/edge_subdivision.png --json e.json

After the experiments of Berzins (ICML 2023). Networks are random, as `creased.MLP` begins, with a bias at the
output. Complexes are extracted in float64 on [-1, 1]^D by subdividing edges; small ones are counted again by
subdividing regions, in integers, which shares no code.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import factorial
from typing import Any, NamedTuple

import torch

import creased
from creased.tropical import f_vector
from scripts.common.figures import pyplot
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser

WIDTHS = (4, 8, 16, 32, 64, 128)
DEPTHS = (1, 2, 4, 8)
SPATIAL = ((4, 2), (8, 2), (16, 2), (32, 2), (64, 2), (16, 4), (32, 4))  # width and depth, in 3D
COUNTED = ((2, 4, 1), (2, 8, 2), (2, 8, 4), (2, 16, 2), (2, 32, 1), (3, 4, 2), (3, 6, 2), (3, 12, 1))
SEEDS = 3


class Extracted(NamedTuple):
    """Means over random networks of one size."""

    dim: int
    width: int
    depth: int
    vertices: float
    seconds: float  # of one thread

    @property
    def reference(self) -> float:
        """N^D / D! for N neurons (Hanin and Rolnick 2019)."""
        return float((self.width * self.depth) ** self.dim / factorial(self.dim))


def main() -> None:
    """Extract, count, draw."""
    parser = make_parser(__doc__, "docs/pictures/edge_subdivision.png", numbers=True)
    parser.add_argument("--widest", type=int, default=WIDTHS[-1], help="neurons a layer at most")
    chosen = parser.parse_args()
    widths = [width for width in WIDTHS if width <= chosen.widest]
    torch.set_num_threads(1)
    extracted = [_extract(2, width, depth) for depth in DEPTHS for width in widths]
    extracted += [_extract(3, *size) for size in SPATIAL if size[0] <= chosen.widest]
    for one in extracted:
        print(
            f"{one.dim}D, {one.depth}x{one.width}: {one.vertices:,.0f} vertices, "
            f"{one.vertices / one.reference:.2f} of N^D/D!, {one.seconds:.3f} s"
        )
    counted = [_count(*size) for size in COUNTED]
    rows = [
        (f"{d}D, {depth}x{w}", ", ".join(map(str, cells)), f"{1000 * s:.1f}", f"{1000 * t:.0f}")
        for (d, w, depth), (cells, s, t) in zip(COUNTED, counted, strict=True)
    ]
    print(as_table(["network", "cells", "edges, ms", "regions, ms"], rows))
    write_numbers(chosen.json, extracted=[one._asdict() for one in extracted], counted=rows)
    _draw(extracted, [(cells[0], s, t) for cells, s, t in counted], chosen.out)


def random_network(dim: int, width: int, depth: int, seed: int) -> creased.Program:
    """Draw the weights of a network, the output's bias too, so that no output vanishes on a cell."""
    torch.manual_seed(seed)
    network = creased.MLP(dim, width, depth).double()
    torch.nn.init.uniform_(network[-1].bias, -0.3, 0.3)
    return creased.lower(network).detach()


def _extract(dim: int, width: int, depth: int) -> Extracted:
    box, counts, seconds = creased.Box.cube(dim, 1), [], []
    for seed in range(SEEDS):
        program = random_network(dim, width, depth, seed)
        creased.extract_complex(program, box)  # warm
        found, spent = _timed(lambda program=program: creased.extract_complex(program, box))
        counts.append(len(found.vertices))
        seconds.append(spent)
    return Extracted(dim, width, depth, sum(counts) / SEEDS, sum(seconds) / SEEDS)


def _count(dim: int, width: int, depth: int) -> tuple[tuple[int, ...], float, float]:
    """Count cells by edges and by regions, and the seconds of both."""
    program, box = random_network(dim, width, depth, 0), creased.Box.cube(dim, 1)
    found, by_edges = _timed(lambda: creased.extract_complex(program, box))
    exact, by_regions = _timed(lambda: f_vector(program, box, with_outputs=True))
    if found.f_vector() != exact:
        raise ArithmeticError(f"{dim}, {width}, {depth}: {found.f_vector()} by edges, {exact} by regions")
    return exact, by_edges, by_regions


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    found = call()
    return found, time.process_time() - start


def _draw(extracted: list[Extracted], counted: list[tuple[int, float, float]], path: Any) -> None:
    plt = pyplot()
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained")
    colours = plt.get_cmap("viridis")([0.05, 0.35, 0.6, 0.85])
    for colour, depth in zip(colours, DEPTHS, strict=True):
        family = [one for one in extracted if one.dim == 2 and one.depth == depth]
        vertices = [one.vertices for one in family]
        left.plot(
            [one.width for one in family],
            vertices,
            "o-",
            color=colour,
            label=f"{depth} layer{'s' * (depth > 1)}",
        )
        middle.plot([one.width * depth for one in family], vertices, "o", color=colour)
    spatial = [one for one in extracted if one.dim == 3]
    neurons = [one.width * one.depth for one in spatial]
    middle.plot(neurons, [one.vertices for one in spatial], "^", color="tab:red")
    for dim, colour in ((2, "black"), (3, "tab:red")):
        ends = [4, 1024] if dim == 2 else [8, 128]
        middle.plot(ends, [n**dim / factorial(dim) for n in ends], "-", lw=0.9, color=colour, zorder=1)
        end = (ends[1], ends[1] ** dim / factorial(dim))
        text = f"$N^{dim} / {factorial(dim)}$"
        middle.annotate(text, end, (-44, 0), color=colour, textcoords="offset points")
    for dim, style in ((2, "o"), (3, "^")):
        family = [one for one in extracted if one.dim == dim]
        sizes, seconds = [one.vertices for one in family], [one.seconds for one in family]
        right.plot(sizes, seconds, style, color="tab:blue", label=f"edges, float64, {dim}D")
    right.plot(
        *zip(*[(v, t) for v, _, t in counted], strict=True), "s", color="grey", label="regions, integers"
    )
    left.set(xscale="log", yscale="log", xlabel="neurons a layer", ylabel="vertices", title="in the plane")
    middle.set(
        xscale="log", yscale="log", xlabel="neurons N", ylabel="vertices", title="circles 2D, triangles 3D"
    )
    right.set(xscale="log", yscale="log", xlabel="vertices", ylabel="CPU seconds", title="one thread")
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=9)
    for axes in (left, middle, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
