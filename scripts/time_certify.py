"""Times certificates beside the extractions that they are of.

    ./run python scripts/time_certify.py

CPU seconds of one thread, the least of several runs that alternate. Random networks on [-1, 1]^D, and those
in ../shared/nets on [-0.5, 0.5]^D where they lie. The certificate is that without counting, which follows
from the rest.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from nets import SHARED, load
from rich.console import Console
from rich.table import Table

import creased
from creased import Affine, Block, Box, Program

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.strategies import random_program

RANDOM = [(2, (50, 50)), (2, (32,) * 4), (3, (16,) * 3), (3, (24,) * 4), (3, (64, 64))]
LENT = ["bunny_2d_2x100", "bunny_3d_3x16"]


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of one call, and what it returns."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def compare(program: Program, box: Box, extract: Callable[..., Any], repeats: int) -> tuple[str, ...]:
    """A row of the table: vertices, seconds of both, their ratio, signs decided in rationals."""
    times = []
    for _ in range(repeats):
        extraction, found = seconds(lambda: extract(program, box))
        proof, certificate = seconds(lambda: creased.certify(found, program, count=False))  # noqa: B023
        times.append((extraction, proof))
    extraction, proof = (min(column) for column in zip(*times, strict=True))
    ratio = f"{proof / extraction:.0%}"
    sure = f"{certificate.n_rational:,}" if certificate.is_certified else "NOT CERTIFIED"
    return f"{certificate.n_vertices:,}", f"{extraction:.4f}", f"{proof:.4f}", ratio, sure


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cases = {}
    for dim, widths in RANDOM:
        name = f"{dim},{'x'.join(map(str, widths))} random"
        cases[name] = random_program(dim, widths, seed=1), Box.cube(dim, 1)
    for name in LENT:
        if (SHARED / f"{name}.npz").exists():
            affines = [
                Affine(weight.double(), bias.double()) for weight, bias in load(SHARED / f"{name}.npz")
            ]
            program = Program(tuple(Block(affine) for affine in affines[:-1]), affines[-1])
            cases[name] = program, Box.cube(program.in_dim, 0.5)
    table = Table("network", "of", "vertices", "extraction s", "certificate s", "ratio", "in rationals")
    for name, (program, box) in cases.items():
        for of, extract in (("complex", creased.extract_complex), ("level set", creased.extract_level_set)):
            table.add_row(name, of, *compare(program, box, extract, chosen.repeats))
    Console().print(table)


if __name__ == "__main__":
    main()
