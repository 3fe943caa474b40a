"""The command line: `creased extract FILE --out mesh.ply`, `creased info FILE`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from creased.checkpoint import CheckpointError, Record
from creased.core.domain import Box
from creased.core.extract import extract_level_set
from creased.core.methods import METHODS
from creased.core.program import Program
from creased.export import WRITERS, ExportError, export_mesh, require_writer
from creased.load import Loaded, load_file
from creased.networks import UnsupportedModuleError
from creased.similarity import Similarity

EXAMPLES = """examples:
  creased extract logs/train/runs/RUN --out mesh.ply        polygons, double precision, your coordinates
  creased extract last.ckpt --out mesh.glb --level 0.01     an offset surface, one domain unit being its box
  creased extract weights.npz --half-width 1 --out mesh.ply any network of linear layers; .pt, .onnx as well
  creased info last.ckpt                                    the network, its domain, what it was trained on
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; mistakes of the user end in one line, not in a trace."""
    chosen = _parser().parse_args(arguments)
    try:
        path = _find_checkpoint(chosen.file)
        loaded = load_file(path, slope=chosen.slope)
        if chosen.command == "info":
            print(_describe(loaded))
        else:
            _extract(_located(loaded, path, chosen.half_width), chosen)
    except (ExportError, ImportError, OSError, UnsupportedModuleError, ValueError) as error:
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
    extract = commands.add_parser("extract", help="write the exact level set of a network as a mesh")
    info = commands.add_parser("info", help="say what a file holds")
    for command in (extract, info):
        command.add_argument(
            "file", type=Path, help="a checkpoint, a run folder (its last one), .pt, .npz, .onnx"
        )
        command.add_argument(
            "--slope",
            type=float,
            default=0.0,
            help="weights alone: of LeakyReLU between layers (default: ReLU)",
        )
    extract.add_argument("--out", type=Path, required=True, help=f"mesh file: {', '.join(WRITERS)}")
    extract.add_argument("--level", type=float, default=0.0, help="value of the function (default 0)")
    extract.add_argument("--output", type=int, default=0, help="which output of the network (default 0)")
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
    return parser


def _find_checkpoint(path: Path) -> Path:
    """A run folder stands for its last checkpoint."""
    return path / "checkpoints" / "last.ckpt" if path.is_dir() else path


def _located(loaded: Loaded, path: Path, half_width: float | None) -> Record:
    """The record of a file, or one for a function alone, which has no domain of its own."""
    if loaded.record is not None:
        return loaded.record
    if half_width is None:
        raise CheckpointError(f"{path} holds a function alone, and no domain: give --half-width")
    domain = Box.cube(loaded.program.in_dim, half_width)
    return Record(loaded.program, domain, Similarity.identity(), path.name, 0)


def _extract(record: Record, chosen: argparse.Namespace) -> None:
    require_writer(chosen.out)  # before any work
    torch.set_num_threads(max(chosen.threads, 1))
    domain = record.domain
    if chosen.half_width is not None:
        domain = Box.cube(record.domain.dim, chosen.half_width)
    start = time.perf_counter()
    program = record.program.to(dtype=getattr(torch, chosen.dtype))
    level_set = extract_level_set(
        program,
        domain,
        chosen.level,
        output=chosen.output,
        method=chosen.method,
        complete=chosen.complete,
        budget=chosen.budget,
        memory=None if chosen.memory is None else int(chosen.memory * 2**30),
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


def _describe(loaded: Loaded) -> str:
    lines = _describe_program(loaded.program)
    if loaded.record is not None:
        lines = _describe_training(loaded.record) | lines
    return "\n".join(f"{name:<12} {value}" for name, value in lines.items())


def _describe_program(program: Program) -> dict[str, str]:
    n_weights = sum(tensor.numel() for tensor in program.tensors())
    return {
        "network": f"{program.in_dim} inputs, hidden widths {program.widths}, {program.out_dim} output(s)",
        "weights": f"{n_weights:,} in {str(program.dtype).removeprefix('torch.')}",
    }


def _describe_training(record: Record) -> dict[str, str]:
    sides = " x ".join(
        f"[{a:g}, {b:g}]" for a, b in zip(record.domain.lower, record.domain.upper, strict=True)
    )
    return {
        "trained on": f"{record.shape}, {record.epoch} epochs",
        "domain": sides,
        "coordinates": f"one unit of the domain is {1 / record.to_domain.scale:g} of the user's, centred at "
        + f"({', '.join(f'{c:g}' for c in record.to_domain.centre)})",
    }


if __name__ == "__main__":
    sys.exit(main())
