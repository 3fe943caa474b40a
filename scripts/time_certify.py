"""Time certificates, in per cent of their extractions.

    ./run python scripts/time_certify.py --nets ../shared/nets
    ./run python scripts/time_certify.py --checkpoints RUN/checkpoints/last.ckpt     trained networks

CPU seconds of one thread, the least of several runs that alternate. Random networks on [-1, 1]^D, and with
--nets those of a folder on [-0.5, 0.5]^D. The certificate is that without counting, which follows from the
rest.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

import creased
from creased import Box, Program

sys.path.insert(0, str(Path(__file__).parents[1]))  # run by its path

from scripts.common.networks import as_program, load
from scripts.common.options import make_parser
from tests.strategies import random_program

RANDOM = [(2, (50, 50)), (2, (32,) * 4), (3, (8,) * 3), (3, (16,) * 3), (3, (24,) * 4), (3, (64, 64))]
LENT = ["bunny_2d_2x50", "bunny_2d_2x100", "bunny_2d_4x32", "bunny_3d_3x16"]
Case = tuple[Program, Box]


class Cost(NamedTuple):
    """The cost of an extraction and of its certificate."""

    dim: int
    n_vertices: int
    n_rational: int
    extraction: float  # seconds
    proof: float  # seconds

    def columns(self) -> tuple[str, str, str]:
        """Format vertices, seconds, and the certificate's share."""
        return f"{self.n_vertices:,}", f"{self.extraction:.4f}", f"{self.share:.0f} %"

    @property
    def share(self) -> float:
        """The certificate's time, in per cent of the extraction's."""
        return 100 * self.proof / self.extraction


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Measure the CPU seconds of one call; return its result too."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def measure(program: Program, box: Box, extract: Callable[..., Any], repeats: int) -> Cost:
    """Take the least time of several runs of an extraction and of its certificate, in turn."""
    times = []
    for _ in range(repeats):
        extraction, found = seconds(lambda: extract(program, box))
        proof, certificate = seconds(lambda: creased.certify(found, program, count=False))  # noqa: B023
        times.append((extraction, proof))
    if not certificate.is_certified:
        raise SystemExit(str(certificate))
    least = map(min, zip(*times, strict=True))
    return Cost(program.in_dim, certificate.n_vertices, certificate.n_rational, *least)


def cases(folder: Path | None) -> dict[str, Case]:
    """Make networks and domains by name."""
    found = {
        f"{dim},{'x'.join(map(str, widths))} random": (random_program(dim, widths, seed=1), Box.cube(dim, 1))
        for dim, widths in RANDOM
    }
    for name in LENT if folder else ():
        path = Path(folder or "") / f"{name}.npz"
        if not path.exists():
            raise SystemExit(f"--nets: there is no {path}")
        program = as_program(load(path), torch.float64)
        found[name.replace("_", " ")] = program, Box.cube(program.in_dim, 0.5)
    return found


def between(costs: Iterable[Cost]) -> str:
    """Format the least and the largest share of several."""
    shares = sorted(round(cost.share) for cost in costs)
    return f"{shares[0]}-{shares[-1]} %"


def main() -> None:
    """Measure and print a table."""
    parser = make_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--nets", type=Path, help=f"a folder with {', '.join(f'{n}.npz' for n in LENT)}")
    parser.add_argument("--checkpoints", type=Path, nargs="+", default=[], help="of trained networks")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.checkpoints:
        print_level_sets(chosen.checkpoints, chosen.repeats)
        return
    costs = {name: _both(*case, chosen.repeats) for name, case in cases(chosen.nets).items()}
    of_each = ("vertices", "s", "certificate")
    columns = (f"{of}: {column}" for of in ("complex", "level set") for column in of_each)
    table = Table("network", *columns, "in rationals", box=MARKDOWN)
    for name, (whole, level_set) in costs.items():
        n_rational = whole.n_rational + level_set.n_rational
        table.add_row(name, *whole.columns(), *level_set.columns(), f"{n_rational:,}")
    console = Console(width=160)
    console.print(table)
    plane, space = (between(whole for whole, _ in costs.values() if whole.dim == dim) for dim in (2, 3))
    level_sets = between(level_set for _, level_set in costs.values())
    console.print(f"Of plane complexes {plane}, of complexes in space {space}, of level sets {level_sets}.")


def print_level_sets(checkpoints: Iterable[Path], repeats: int) -> None:
    """Measure level sets of trained networks in [-0.5, 0.5]^3, and print a table."""
    table = Table("checkpoint", "vertices", "extraction, s", "certificate", "in rationals", box=MARKDOWN)
    for path in checkpoints:
        program = creased.load_program(path).to(dtype=torch.float64)
        cost = measure(program, Box.cube(3, 0.5), creased.extract_level_set, repeats)
        table.add_row(str(path), *cost.columns(), f"{cost.n_rational:,}")
    Console(width=160).print(table)


def _both(program: Program, box: Box, repeats: int) -> tuple[Cost, Cost]:
    return (
        measure(program, box, creased.extract_complex, repeats),
        measure(program, box, creased.extract_level_set, repeats),
    )


if __name__ == "__main__":
    main()
