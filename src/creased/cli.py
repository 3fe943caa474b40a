"""The command line: `creased extract CKPT --out mesh.ply`, `creased info CKPT`, `creased count CKPT`, ..."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import torch

from creased.checkpoint import KEY, CheckpointError, Record, read_record, write_record
from creased.core.domain import Box
from creased.core.extract import extract_level_set
from creased.core.methods import METHODS
from creased.export import WRITERS, ExportError, export_mesh, require_writer
from creased.files import write_whole
from creased.similarity import Similarity
from creased.tropical.compression import compress
from creased.tropical.counts import METHODS as COUNTING
from creased.tropical.report import count_table
from creased.tropical.stable import METHODS as FINDING

EXAMPLES = """examples:
  creased extract logs/train/runs/RUN --out mesh.ply        polygons, double precision, your coordinates
  creased extract last.ckpt --out mesh.glb --level 0.01     an offset surface, one domain unit being its box
  creased info last.ckpt                                    the network, its domain, what it was trained on
  creased count last.ckpt                                   cells, linear regions, affine pieces, and bounds
  creased compress last.ckpt --out small.ckpt               the same function by fewer neurons, certified
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; mistakes of the user end in one line, not in a trace."""
    chosen = _parser().parse_args(arguments)
    try:
        record = read_record(_find_checkpoint(chosen.checkpoint))
        COMMANDS[chosen.command](record, chosen)
    except (CheckpointError, ExportError, ValueError, OSError) as error:
        print(f"creased: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "creased",
        description="Exact meshes of piecewise-affine networks.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    extract = commands.add_parser("extract", help="write the exact level set of a checkpoint as a mesh")
    extract.add_argument("checkpoint", type=Path, help="a checkpoint, or a run folder (its last one)")
    extract.add_argument("--out", type=Path, required=True, help=f"mesh file: {', '.join(WRITERS)}")
    extract.add_argument("--level", type=float, default=0.0, help="value of the function (default 0)")
    extract.add_argument("--half-width", type=float, help="of the box to look in (default: the training box)")
    extract.add_argument("--coordinates", choices=("user", "domain"), default="user", help="of the mesh")
    extract.add_argument(
        "--method", choices=METHODS, default="auto", help="subdivide the domain, or march along the surface"
    )
    extract.add_argument("--complete", action="store_true", help="prove that no component is missing")
    extract.add_argument("--budget", type=float, help="seconds that the proof may take (default: any)")
    extract.add_argument("--memory", type=float, help="GB that the surface may take (default: what is free)")
    extract.add_argument("--dtype", choices=("float64", "float32"), default="float64", help="to work in")
    extract.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    info = commands.add_parser("info", help="say what a checkpoint holds")
    info.add_argument("checkpoint", type=Path, help="a checkpoint, or a run folder (its last one)")
    counting = commands.add_parser("count", help="count cells, linear regions and affine pieces")
    counting.add_argument("checkpoint", type=Path, help="a checkpoint, or a run folder (its last one)")
    counting.add_argument(
        "--half-width", type=float, help="of the box to look in (default: the training box)"
    )
    counting.add_argument(
        "--method",
        choices=(*COUNTING, "stream"),
        default="auto",
        help="exact: in integers; engine: in float64; stream: cells only, in pieces, of any number",
    )
    counting.add_argument("--memory", type=float, help="GB that the complex may take (default: what is free)")
    smaller = commands.add_parser("compress", help="write the same function by fewer neurons")
    smaller.add_argument("checkpoint", type=Path, help="a checkpoint, or a run folder (its last one)")
    smaller.add_argument("--out", type=Path, required=True, help="checkpoint to write")
    smaller.add_argument(
        "--half-width", type=float, help="of the box to be exact in (default: the training box)"
    )
    smaller.add_argument(
        "--method", choices=FINDING, default="auto", help="how units that never change sign are found"
    )
    smaller.add_argument(
        "--delete-only", action="store_true", help="fold nothing, so that no number is rounded"
    )
    return parser


def _find_checkpoint(path: Path) -> Path:
    """A run folder stands for its last checkpoint."""
    return path / "checkpoints" / "last.ckpt" if path.is_dir() else path


def _domain(record: Record, chosen: argparse.Namespace) -> Box:
    """The box that the user asked for, or that of training."""
    return record.domain if chosen.half_width is None else Box.cube(record.domain.dim, chosen.half_width)


def _bytes(gigabytes: float | None) -> int | None:
    return None if gigabytes is None else int(gigabytes * 2**30)


def _info(record: Record, chosen: argparse.Namespace) -> None:
    print(_describe(record))


def _count(record: Record, chosen: argparse.Namespace) -> None:
    box = _domain(record, chosen)
    print(count_table(record.program, box, method=chosen.method, memory=_bytes(chosen.memory)))


def _compress(record: Record, chosen: argparse.Namespace) -> None:
    box = _domain(record, chosen)
    program, certificate = compress(record.program, box, method=chosen.method, fold=not chosen.delete_only)
    checkpoint = BytesIO()
    torch.save({KEY: write_record(replace(record, program=program, domain=box))}, checkpoint)
    write_whole(chosen.out, checkpoint.getvalue())
    print(f"{chosen.out}: {certificate}")


def _extract(record: Record, chosen: argparse.Namespace) -> None:
    require_writer(chosen.out)  # before any work
    torch.set_num_threads(max(chosen.threads, 1))
    domain = _domain(record, chosen)
    start = time.perf_counter()
    program = record.program.to(dtype=getattr(torch, chosen.dtype))
    level_set = extract_level_set(
        program,
        domain,
        chosen.level,
        method=chosen.method,
        complete=chosen.complete,
        budget=chosen.budget,
        memory=_bytes(chosen.memory),
        progress=_tell if sys.stderr.isatty() else None,
    )
    seconds = time.perf_counter() - start
    to_domain = record.to_domain if chosen.coordinates == "user" else Similarity.identity()
    export_mesh(level_set, chosen.out, to_domain)
    print(f"{chosen.out}: {level_set.audit()}")
    print(f"{level_set.guarantee}; {seconds:.2f} s")
    if level_set.status:
        print(f"note: {level_set.status}")


def _tell(progress: str) -> None:
    """On one line, which the next one overwrites."""
    print(f"\r{progress:<90}", end="", file=sys.stderr, flush=True)


def _describe(record: Record) -> str:
    program = record.program
    n_weights = sum(tensor.numel() for tensor in program.tensors())
    sides = " x ".join(
        f"[{a:g}, {b:g}]" for a, b in zip(record.domain.lower, record.domain.upper, strict=True)
    )
    scale = record.to_domain.scale
    lines = {
        "trained on": f"{record.shape}, {record.epoch} epochs",
        "network": f"{program.in_dim} inputs, hidden widths {program.widths}, {program.out_dim} output(s)",
        "weights": f"{n_weights:,} in {str(program.dtype).removeprefix('torch.')}",
        "domain": sides,
        "coordinates": f"one unit of the domain is {1 / scale:g} of the user's, centred at "
        + f"({', '.join(f'{c:g}' for c in record.to_domain.centre)})",
    }
    return "\n".join(f"{name:<12} {value}" for name, value in lines.items())


COMMANDS = {"extract": _extract, "info": _info, "count": _count, "compress": _compress}


if __name__ == "__main__":
    sys.exit(main())
