"""Compare creased on a GPU with the CPU, time it there, and say where its time goes.

    PYTHONPATH=src python3 scripts/on_gpu.py --out results
    PYTHONPATH=src python3 scripts/on_gpu.py --out results --device cpu --quick

Needs torch alone; the part that trains in Lightning is left out where `creased[train]` is not installed.
Networks are read from a folder (--nets) or fitted on the device, see `accelerator/networks.py`. Each part has
a time limit, and what fails is reported and does not stop the others. The folder gets ``results.json``,
``results.md`` and ``profiles.txt``.
"""

from __future__ import annotations

import sys
import time
import warnings
from datetime import date
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # run by its path

from scripts.accelerator import equality, extractions, launches, training
from scripts.accelerator.bench import Bench
from scripts.accelerator.networks import Networks
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser

THREADS = 4  # of the CPU, for what is compared
HEADER = ("part", "device", "seconds", "first run", "peak MiB", "result")
PATIENCE = {"cpu": 10}  # times these seconds, where no machine is borrowed
PARTS = (  # with seconds that each may take, in the order of their worth
    (equality.compare_complexes, 25),
    (equality.compare_level_sets, 35),
    (equality.compare_gradients, 20),
    (extractions.grid_64, 30),
    (extractions.march, 30),
    (extractions.grid_128, 25),
    (extractions.certified, 30),
    (extractions.grid_certificate, 20),
    (training.epochs, 30),
    (training.regularized, 20),
    (extractions.small_complexes, 10),
    (launches.march_profile, 30),
    (launches.grid_profile, 30),
    (launches.step_profile, 15),
    (launches.subdivide_profile, 15),
    (extractions.full_complex, 30),
    (training.lightning_epoch, 30),
    (extractions.grid_256, 40),
    (extractions.proven, 40),
)


def main() -> int:
    """Run all parts, print rows as they come, and write the tables."""
    parser = make_parser(__doc__, out="results")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--nets", type=Path, help="a folder with networks and samples")
    parser.add_argument("--quick", action="store_true", help="small networks alone")
    parser.add_argument("--budget", type=float, default=230, help="seconds after which no part starts")
    parser.add_argument("--only", default="", help="parts whose name contains this")
    args = parser.parse_args()
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("--device cuda: torch finds none; --device cpu --quick tries the script")
    ends = time.monotonic() + args.budget
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "profiles.txt").unlink(missing_ok=True)
    warnings.filterwarnings("ignore", message="Converting a tensor with requires_grad")
    device = torch.device(args.device)
    bench = Bench(device, Networks(args.nets, device, quick=args.quick), args.out, args.quick, ends)
    torch.set_num_threads(min(torch.get_num_threads(), THREADS))
    print(f"{bench.name}, torch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
    for part, limit in PARTS:
        if args.only not in part.__name__:
            continue
        bench.run(part, limit * PATIENCE.get(device.type, 1))
        _write(bench)
    wrong = [row.part for row in bench.rows if not row.is_right]
    print(f"{len(bench.rows)} rows, {len(wrong)} wrong, {len(bench.failures)} parts failed", flush=True)
    return 1 if wrong or bench.failures else 0


def _write(bench: Bench) -> None:
    """Write what is known so far: a run may be cut off."""
    write_numbers(bench.out / "results.json", **bench.numbers())
    table = as_table(HEADER, (row.cells() for row in bench.rows))
    title = f"{bench.name}, torch {torch.__version__}, {date.today()}"
    failed = "".join(f"\n- failed: {failure}" for failure in bench.failures)
    (bench.out / "results.md").write_text(f"{title}\n\n{table}\n{failed}\n")


if __name__ == "__main__":
    raise SystemExit(main())
