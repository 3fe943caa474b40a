"""Time the dual graph, volumes, integrals and Lipschitz constants of networks, and print a table.

    ./run python -m scripts.benchmarks.regions
    ./run python -m scripts.benchmarks.regions --nets ../shared/nets/bunny_3d_3x16.npz

Random networks, and with --nets those of files, on [-0.5, 0.5]^D; one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import creased
from creased import Box, Program
from scripts.common.numbers import as_table
from scripts.common.options import make_parser
from tests.strategies import random_program

RANDOM = [(2, (50, 50)), (2, (100, 100)), (3, (16,) * 3), (4, (12, 12))]
HEADER = (
    "network", "regions", "pairs", "graph, s", "volumes, s", "integrate, s", "lipschitz, s", "diameter", "s"
)  # fmt: skip


def timed(work: Callable[[], Any]) -> tuple[Any, str]:
    """Measure the seconds of a call; return its result too."""
    start = time.perf_counter()
    found = work()
    return found, f"{time.perf_counter() - start:.2f}"


def measure(name: str, program: Program) -> tuple[str, ...]:
    """Measure one network."""
    box = Box.cube(program.in_dim, 0.5)
    creased.integrate(program, box)  # kernels are compiled
    graph, of_graph = timed(lambda: creased.region_graph(program, box))
    _, of_volumes = timed(lambda: graph.volumes)
    _, of_integrals = timed(lambda: creased.integrate(program, box))
    _, of_constant = timed(lambda: creased.lipschitz(program, box))
    diameter, of_diameter = timed(lambda: graph.diameter)
    counts = f"{graph.n:,}", f"{len(graph.pairs):,}"
    return (name, *counts, of_graph, of_volumes, of_integrals, of_constant, str(diameter), of_diameter)


def main() -> None:
    """Measure and print a table."""
    parser = make_parser(__doc__)
    parser.add_argument("--nets", type=Path, nargs="+", default=[], help="files of networks")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    programs = {
        f"{dim}D, {'x'.join(map(str, widths))}, random": random_program(dim, widths, seed=1)
        for dim, widths in RANDOM
    }
    programs |= {path.stem: creased.load_program(path) for path in chosen.nets}
    print(as_table(HEADER, [measure(name, program) for name, program in programs.items()]))


if __name__ == "__main__":
    main()
