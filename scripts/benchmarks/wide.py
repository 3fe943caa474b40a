"""Time marching on wide networks fitted to the bunny, beside the least arithmetic of composing cells.

    ./run python -m scripts.benchmarks.wide --json wide.json           about an hour, most of it 4x512
    ./run python -m scripts.benchmarks.wide --only 4x128

The floor is the composition of the affine maps of as many cells as there are faces, as matrix products of 512
cells at once in float64. The last columns are with `complete=True`: nothing is missed, all signs are proven.
Every measurement is a process of its own with one thread.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.systems import Found, measure
from scripts.common.networks import fit_bunny
from scripts.common.numbers import write_numbers
from scripts.common.options import make_parser

NETS = {"4x96": 1500, "4x128": 2000, "8x128": 1500, "4x256": 1500, "4x512": 700}  # steps of the fit


def main() -> None:
    """Fit, measure, print a table, and write JSON."""
    parser = make_parser(__doc__, numbers=True)
    parser.add_argument("--only", default="", help="nets whose name contains this")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        results = {
            name: _measure(Path(folder) / f"{name}.npz", name, steps)
            for name, steps in NETS.items()
            if chosen.only in name
        }
    _print(results)
    write_numbers(chosen.json, results=results)


def _measure(path: Path, name: str, steps: int) -> Found:
    depth, width = (int(n) for n in name.split("x"))
    fit_bunny(path, depth, width, steps)
    systems = ("compose", "march", "complete", "compose")
    floor, marched, complete, again = (measure(system, path) for system in systems)
    n_composed = floor["faces"] + again["faces"]
    return marched | {
        "floor": (floor["seconds"] + again["seconds"]) / n_composed,
        "complete": complete["seconds"],
        "complete_megabytes": complete["megabytes"],
    }


def _print(results: dict[str, Found]) -> None:
    table = Table(title=f"marching, one thread; {date.today()}")
    for column in (
        "net",
        "faces",
        "CPU s",
        "us a face",
        "floor, us",
        "ratio",
        "peak MB",
        "max |f|",
        "complete, s",
        "MB",
    ):
        table.add_column(column, justify="left" if column == "net" else "right")
    for name, found in results.items():
        cost, floor = 1e6 * found["seconds"] / found["faces"], 1e6 * found["floor"]
        table.add_row(
            name,
            f"{found['faces']:,.0f}",
            f"{found['seconds']:.1f}",
            f"{cost:.0f}",
            f"{floor:.0f}",
            f"{cost / floor:.1f}",
            f"{found['megabytes']:,.0f}",
            f"{found['error']:.0e}",
            f"{found['complete']:.1f}",
            f"{found['complete_megabytes']:,.0f}",
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
