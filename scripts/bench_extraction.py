"""Times the extraction of full complexes: ours, and the published implementation beside it.

    ./run python scripts/bench_extraction.py --peer PATH_TO_relu_edge_subdivision

Every measurement is a process of its own with one thread; systems alternate. Times are CPU seconds of the
extraction alone after a warm-up, memory is the growth of the peak over what the process needed before. Nets
are fitted here, seeded, to a torus with a ball; those in ../shared/nets are taken too where they lie.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from nets import SHARED, Layers, as_program, fit, load
from rich.console import Console
from rich.table import Table

import creased

FITTED = {"3,3x16": (3, 16), "3,4x24": (4, 24)}


def main() -> None:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", type=Path, help="a checkout of relu_edge_subdivision")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument("--worker", nargs=2, metavar=("SYSTEM", "NET"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.worker:
        print(json.dumps(_measure(chosen.worker[0], load(Path(chosen.worker[1])), chosen.peer)))
        return
    with TemporaryDirectory() as folder:
        results = _alternate(_collect_nets(Path(folder)), chosen.peer, chosen.repeats)
    _print(results)
    if chosen.json:
        chosen.json.write_text(json.dumps({"date": str(date.today()), "results": results}, indent=2))


def _collect_nets(folder: Path) -> dict[str, Path]:
    nets = {
        f"{name} fitted": fit(folder / f"{depth}x{width}.npz", depth, width)
        for name, (depth, width) in FITTED.items()
    }
    shared = {
        "3,3x16 bunny": "bunny_3d_3x16",
        "2,2x50 bunny": "bunny_2d_2x50",
        "2,2x100 bunny": "bunny_2d_2x100",
    }
    return nets | {k: SHARED / f"{v}.npz" for k, v in shared.items() if (SHARED / f"{v}.npz").exists()}


def _ours(layers: Layers, dtype: torch.dtype) -> Callable[[], int]:
    program = as_program(layers, dtype)
    box = creased.Box.cube(program.in_dim, 0.5)
    return lambda: creased.extract_complex(program, box).vertices.shape[0]


def _peers(layers: Layers, peer: Path) -> Callable[[], int]:
    sys.path.insert(0, str(peer))
    from edge_subdivision import skeletal_subdivision
    from NN import Net

    net = Net([layers[0][0].shape[1], *(len(bias) for _, bias in layers)])
    for linear, (weight, bias) in zip(net.fcs, layers, strict=True):
        linear.weight.data, linear.bias.data = weight, bias

    def extract() -> int:
        with torch.no_grad():
            return len(
                skeletal_subdivision(net, device="cpu", bbox=(-0.5, 0.5), verbose=False, prune=False)[0]
            )

    return extract


def _measure(system: str, layers: Layers, peer: Path) -> dict[str, float]:
    def make(of: Layers) -> Callable[[], int]:
        return _peers(of, peer) if system == "peer" else _ours(of, getattr(torch, system))

    dim = layers[0][0].shape[1]
    make([(torch.randn(8, dim), torch.randn(8)), (torch.randn(1, 8), torch.randn(1))])()
    extract = make(layers)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before, start = _status("VmRSS"), time.process_time()
    n_vertices = extract()
    seconds = time.process_time() - start
    return {"seconds": seconds, "megabytes": _status("VmHWM") - before, "vertices": n_vertices}


def _status(name: str) -> float:
    """A size in MB from Linux's account of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def _alternate(
    nets: dict[str, Path], peer: Path | None, repeats: int
) -> dict[str, dict[str, dict[str, float]]]:
    systems = ["float64", "float32", *(["peer"] if peer else [])]
    runs: dict[str, dict[str, list[dict[str, float]]]] = {
        net: {system: [] for system in systems} for net in nets
    }
    for net, path in nets.items():
        for _ in range(repeats):
            for system in systems:
                command = [sys.executable, __file__, "--worker", system, str(path)]
                command += ["--peer", str(peer.resolve())] if peer else []
                done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603, ourselves
                runs[net][system].append(json.loads(done.stdout.splitlines()[-1]))
    return {
        net: {
            system: {key: statistics.median(run[key] for run in measured) for key in measured[0]}
            for system, measured in by_system.items()
        }
        for net, by_system in runs.items()
    }


def _print(results: dict[str, dict[str, dict[str, float]]]) -> None:
    table = Table(title=f"full complex, one thread, medians; {platform.machine()}, {date.today()}")
    for column in ("net", "system", "vertices", "CPU s", "peak MB", "published / this"):
        table.add_column(column, justify="left" if column in ("net", "system") else "right")
    for net, by_system in results.items():
        for system, found in by_system.items():
            ratio = f"{by_system['peer']['seconds'] / found['seconds']:.2f}" if "peer" in by_system else ""
            name = "published (float32)" if system == "peer" else f"creased {system}"
            table.add_row(
                net,
                name,
                f"{found['vertices']:,.0f}",
                f"{found['seconds']:.3f}",
                f"{found['megabytes']:.1f}",
                ratio,
            )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
