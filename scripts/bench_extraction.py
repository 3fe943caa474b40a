"""Time the exact complex and level set beside marching cubes and the published implementation.

    ./run python scripts/bench_extraction.py --peer PATH_TO_relu_edge_subdivision --json results.json

Every measurement is a process of its own with one thread, and systems alternate (benchmarks/systems.py).
Networks are fitted here, seeded, to a torus with a ball, those on grids to the bunny; those in ../shared/nets
are taken too where they lie. Marching cubes includes the evaluation of the network on its grid; its error is
the greatest |f| at its vertices. Components of the exact surface that it misses are named.
"""

from __future__ import annotations

import platform
import statistics
import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # run by its path

from scripts.benchmarks.components import components_of, missed
from scripts.benchmarks.systems import Found, measure
from scripts.common.networks import SHARED, fit, fit_grid
from scripts.common.numbers import write_numbers
from scripts.common.options import make_parser

NAMES = {
    "full": "complex",
    "full32": "complex, float32",
    "level_set": "level set",
    "level_set32": "level set, float32",
    "march": "level set, marched",
    "complete": "level set, marched and proven complete",
    "unpruned": "level set, not pruned",
    **{f"marching{n}": f"marching cubes {n}^3" for n in (64, 128, 256, 512)},
    "published": "published complex (float32)",
}
COMPLEXES = ("full", "full32", "published")
SURFACES = ("level_set", "march", "complete", "marching128", "marching256")
FITTED = {  # depth, width, systems
    "3,3x16 fitted": (3, 16, COMPLEXES + SURFACES),
    "3,4x24 fitted": (4, 24, COMPLEXES + SURFACES),
    "3,4x40 fitted": (4, 40, ("full", "unpruned", *SURFACES)),
    "3,3x128 fitted": (3, 128, SURFACES),
}
ON_GRIDS = {  # cubes an axis, systems
    "3,grid 64 bunny": (64, ("level_set", "level_set32", *(f"marching{n}" for n in (64, 128, 256, 512)))),
    "3,grid 128 bunny": (128, ("level_set", "level_set32", "marching256", "marching512")),
    "3,grid 256 bunny": (256, ("level_set32", "marching256", "marching512")),
}
LENT = {
    "2,2x50 bunny": ("bunny_2d_2x50", COMPLEXES),
    "2,2x100 bunny": ("bunny_2d_2x100", COMPLEXES),
    "3,3x16 bunny": ("bunny_3d_3x16", COMPLEXES + SURFACES),
    "3,8x32 bunny": ("bunny_3d_8x32", ("full", *SURFACES)),
}
Results = dict[str, dict[str, Found]]


def main() -> None:
    """Measure, print a table, and write JSON."""
    parser = make_parser(__doc__, numbers=True)
    parser.add_argument("--peer", type=Path, help="a checkout of relu_edge_subdivision")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="nets whose name contains this")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        nets = _nets(Path(folder), chosen.only)
        results = {name: _alternate(*net, chosen.peer, chosen.repeats) for name, net in nets.items()}
    _print(results, chosen.repeats)
    write_numbers(chosen.json, results=results)


def _nets(folder: Path, only: str) -> dict[str, tuple[Path, tuple[str, ...]]]:
    """Fit or find the networks whose names contain a text, with the systems to measure."""
    fitted = {
        name: (fit(folder / f"{depth}x{width}.npz", depth, width), systems)
        for name, (depth, width, systems) in FITTED.items()
        if only in name
    }
    lent = {name: (SHARED / f"{file}.npz", systems) for name, (file, systems) in LENT.items()}
    on_grids = {
        name: (fit_grid(folder / f"grid{n}.ckpt", n), systems)
        for name, (n, systems) in ON_GRIDS.items()
        if only in name
    }
    return fitted | on_grids | {name: net for name, net in lent.items() if only in name and net[0].exists()}


def _alternate(net: Path, systems: tuple[str, ...], peer: Path | None, repeats: int) -> dict[str, Found]:
    """Take the median of every figure, for each system."""
    wanted = [system for system in systems if peer or not system.startswith("published")]
    runs: dict[str, list[Found]] = {system: [] for system in wanted}
    with TemporaryDirectory() as folder:
        meshes = {system: Path(folder) / f"{system}.npz" for system in wanted}
        for _ in range(repeats):
            for system in wanted:
                runs[system].append(measure(system, net, peer, meshes[system]))
        found = {
            system: {key: statistics.median(run[key] for run in measured) for key in measured[0]}
            for system, measured in runs.items()
        }
        _compare_components(found, meshes)
    return found


def _compare_components(found: dict[str, Found], meshes: dict[str, Path]) -> None:
    """Count the components of each surface, and print those of the exact one that others miss."""
    exact = next((name for name in found if name.startswith("level_set")), None)
    for system in found if exact else ():
        if not meshes[system].exists():
            continue
        found[system]["components"] = len(components_of(meshes[system]))
        for component in missed(components_of(meshes[exact]), meshes[system]):
            print(f"{NAMES[system]} misses a component of {component}", flush=True)


def _print(results: Results, repeats: int) -> None:
    table = Table(title=f"one thread, medians of {repeats}; {platform.machine()}, {date.today()}")
    for column in ("net", "system", "vertices", "faces", "components", "max |f|", "CPU s", "peak MB"):
        table.add_column(column, justify="left" if column in ("net", "system") else "right")
    for net, by_system in results.items():
        for system, found in by_system.items():
            table.add_row(
                net,
                NAMES[system],
                f"{found['vertices']:,.0f}",
                f"{found['faces']:,.0f}" if "faces" in found else "",
                f"{found['components']:,.0f}" if "components" in found else "",
                f"{found['error']:.0e}" if "error" in found else "",
                f"{found['seconds']:.3f}",
                f"{found['megabytes']:.0f}",
            )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
