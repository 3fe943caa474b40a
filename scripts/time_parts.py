"""Time extraction by sub-boxes beside that of the whole box, and compare the results cell by cell.

    ./run python scripts/time_parts.py --workers 2 --parts 16

Wall-clock seconds of one thread a process. A random network on [-1, 1]^3; Ray is started before the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from from_tests import random_program
from pictures import make_parser
from rich.console import Console
from rich.table import Table

from creased import Box, LevelSet, PolyhedralComplex, extract_complex, extract_level_set
from creased.parallel import extract_complex_in_parts, extract_level_set_in_parts, ray_workers

Found = PolyhedralComplex | LevelSet


def seconds(work: Callable[[], Found]) -> tuple[float, Found]:
    """Measure wall-clock seconds of one call; return its result too."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def codes(found: Found) -> torch.Tensor:
    """Collect signs and zero ids of vertices and edges, in an order that does not depend on the method."""
    first, second = found.edges.long().unbind(1)
    vertices = torch.cat([found.words, found.zero_ids], dim=1).unique(dim=0)
    edges = torch.cat([found.words[first] | found.words[second], found.edge_zero_ids], dim=1).unique(dim=0)
    return torch.cat([vertices.flatten(), edges.flatten()])


def main() -> None:
    """Measure, and print a table."""
    parser = make_parser(__doc__)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 64, 64])
    parser.add_argument("--parts", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(1)
    program, box, n_parts = random_program(3, args.widths), Box.cube(3, 1), args.parts
    table = Table("what", "vertices", "whole", f"{n_parts} parts", f"{args.workers} workers", "the same")
    with ray_workers(args.workers):
        for name, whole, by_parts in (
            ("complex", extract_complex, extract_complex_in_parts),
            ("level set", extract_level_set, extract_level_set_in_parts),
        ):
            alone, expected = seconds(lambda: whole(program, box))  # noqa: B023
            in_turn, first = seconds(lambda: by_parts(program, box, n_parts=n_parts))  # noqa: B023
            shared, second = seconds(
                lambda: by_parts(program, box, n_parts=n_parts, workers=args.workers)  # noqa: B023
            )
            is_same = all(torch.equal(codes(expected), codes(found)) for found in (first, second))
            n_vertices = f"{expected.vertices.shape[0]:,}"
            times = (f"{t:.1f} s" for t in (alone, in_turn, shared))
            table.add_row(name, n_vertices, *times, "yes" if is_same else "NO")
    Console().print(table)


if __name__ == "__main__":
    main()
