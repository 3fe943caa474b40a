"""Time Betti numbers and persistence diagrams of networks, and print a table.

    ./run python -m scripts.benchmarks.topology
    ./run python -m scripts.benchmarks.topology --nets bunny_3d_3x16.npz RUN/checkpoints/last.ckpt

Random networks, and with --nets those of files, on [-0.5, 0.5]^D or the cube of their grid;
one thread, in seconds of CPU.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch

import creased
from creased import Box, GridMLP, Program
from creased.topology.betti import SIDES
from scripts.common.numbers import as_table
from scripts.common.options import make_parser
from tests.strategies import random_program

RANDOM = [(2, (50, 50)), (2, (100, 100)), (3, (16,) * 3), (3, (24,) * 3), (4, (12, 12))]
HEADER = ("network", "computed from", "s", "below", "on", "above", "classes", "s")


def measure(name: str, program: Program) -> tuple[str, ...]:
    """Measure one network: the Betti numbers of all sides, and its diagram, where it is not too large."""
    box = None if program.grid is not None else Box.cube(program.in_dim, 0.5)
    said: list[str] = []
    creased.betti_numbers(program, box)  # kernels are compiled
    start = time.process_time()
    found = [creased.betti_numbers(program, box, side=side, progress=said.append) for side in SIDES]
    betti, start = (time.process_time() - start) / len(SIDES), time.process_time()
    try:
        diagram = f"{len(creased.persistence(program, box)):,}", f"{time.process_time() - start:.2f}"
    except creased.CellLimitError:
        diagram = "too many cells", ""
    return (
        name,
        said[-1].partition(", ")[0],
        f"{betti:.2f}",
        *(f"({', '.join(map(str, numbers))})" for numbers in found),
        *diagram,
    )


def main() -> None:
    """Measure and print a table."""
    parser = make_parser(__doc__)
    parser.add_argument("--nets", type=Path, nargs="+", default=[], help="files of networks")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    programs = {
        f"{dim}D, {'x'.join(map(str, widths))}, random": random_program(dim, widths, seed=1)
        for dim, widths in RANDOM
    }
    grid = GridMLP(in_dim=3, levels=(4, 8, 16), features=2, width=16, depth=1)
    programs["3D, grid of 16, width 16, untrained"] = creased.lower(grid).detach()
    programs |= {path.stem: creased.load_program(path) for path in chosen.nets}
    print(as_table(HEADER, [measure(name, program) for name, program in programs.items()]))


if __name__ == "__main__":
    main()
