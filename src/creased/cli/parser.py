"""What the command line takes: the arguments of each command of `creased`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from creased.core.options import METHODS, TREATMENTS
from creased.io.export import BOUNDARIES, WRITERS
from creased.io.three_mf import UNITS
from creased.meshes.decimation import FEWEST
from creased.tropical.cells.counts import METHODS as COUNTING
from creased.tropical.compression.stable import METHODS as FINDING

EXAMPLES = {  # of each command; the first one stands in the overview
    "extract": """
  creased extract logs/train/runs/RUN --out mesh.ply          polygons, double precision, your coordinates
  creased extract last.ckpt --out mesh.glb --complete         and prove that nothing is missing
  creased extract last.ckpt --out mesh.3mf --boundary cap --unit inch   closed along the walls, to print
  creased extract logs/train/runs/RUN --out mesh.ply --against shape    how far from what it was fitted to
  creased extract quantised.npz --half-width 1 --out mesh.ply --exact --certify   every sign is right
  creased extract weights.npz --half-width 1 --out mesh.stl   weights have no domain: say where to look
""",
    "info": """
  creased info logs/train/runs/RUN                            the last checkpoint of a run
  creased info model.onnx                                     a function alone: inputs, widths, weights
""",
    "count": """
  creased count logs/train/runs/RUN                           in its training box, beside the known bounds
  creased count weights.npz --half-width 1 --method stream    cells alone, more than memory holds
""",
    "compress": """
  creased compress RUN --out small.ckpt                       the same function by fewer neurons, certified
  creased compress RUN --out small.ckpt --delete-only         no number is rounded
""",
    "draw": """
  creased draw RUN --across z --at 0.1 --out complex.png      the plane z = 0.1 of three inputs
  creased draw weights.npz --half-width 1 --out complex.svg   all of two inputs
""",
    "view": """
  creased view logs/train/runs/RUN                            the epochs of a run, on a page of this machine
  creased view mesh.ply                                       a mesh
  creased view model.onnx --half-width 1                      the level set of any network
""",
}


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        "creased",
        description="Exact meshes of piecewise-affine networks, and what is known of them.",
        epilog="\n".join(["examples:", *(lines.strip("\n").splitlines()[0] for lines in EXAMPLES.values())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    extract = commands.add_parser("extract", help="write the exact level set of a network as a mesh")
    info = commands.add_parser("info", help="say what a file holds")
    counting = commands.add_parser("count", help="count cells, linear regions and affine pieces")
    smaller = commands.add_parser("compress", help="write the same function by fewer neurons")
    viewing = commands.add_parser("view", help="show a surface on a page of this machine")
    drawing = commands.add_parser("draw", help="draw the complex in the plane, or in a plane of space")
    for command in (extract, info, counting, smaller, drawing):
        _add_file(command)
    _add_file(viewing, ", a mesh")
    for command in (extract, counting, smaller, viewing, drawing):
        command.add_argument(
            "--half-width", type=_size, help="of the box to look in (default: the training box)"
        )
    for command in (extract, counting):
        command.add_argument("--memory", type=float, help="GB that it may take (default: what is free)")
    _add_extraction(extract)
    _add_viewing(viewing)
    _add_drawing(drawing)
    counting.add_argument(
        "--method",
        choices=(*COUNTING, "stream"),
        default="auto",
        help="exact: in integers; engine: in float64; stream: cells only, in pieces, of any number",
    )
    smaller.add_argument("--out", type=Path, required=True, help="checkpoint to write")
    smaller.add_argument(
        "--method", choices=FINDING, default="auto", help="how units that never change sign are found"
    )
    smaller.add_argument(
        "--delete-only", action="store_true", help="fold nothing, so that no number is rounded"
    )
    add_examples(commands.choices)
    return parser


def _add_file(command: argparse.ArgumentParser, more: str = "") -> None:
    command.add_argument(
        "file", type=Path, help=f"a checkpoint, a run folder (its last one), .pt, .npz, .onnx{more}"
    )
    command.add_argument(
        "--slope", type=float, default=0.0, help="weights alone: of LeakyReLU between layers (default: ReLU)"
    )


def _add_extraction(extract: argparse.ArgumentParser) -> None:
    extract.add_argument("--out", type=Path, required=True, help=f"mesh file: {', '.join(WRITERS)}")
    extract.add_argument("--level", type=float, default=0.0, help="value of the function (default 0)")
    extract.add_argument("--output", type=int, default=0, help="which output of the network (default 0)")
    extract.add_argument("--coordinates", choices=("user", "domain"), default="user", help="of the mesh")
    extract.add_argument(
        "--boundary", choices=BOUNDARIES, default="open", help="where walls cut the surface (default: open)"
    )
    extract.add_argument("--unit", choices=UNITS, help="of the coordinates in 3MF (default: millimeter)")
    extract.add_argument(
        "--against",
        metavar="MESH",
        help="distances to a mesh file, or 'shape': to what a run was trained on",
    )
    extract.add_argument("--triangles", action="store_true", help="in PLY and OBJ too, instead of polygons")
    extract.add_argument(
        "--decimate", type=_n_triangles, metavar="N", help="to about N triangles by open3d: no longer exact"
    )
    extract.add_argument(
        "--check", action="store_true", help="look for self-intersections in the precision of the file"
    )
    extract.add_argument(
        "--method", choices=METHODS, default="auto", help="subdivide the domain, or march along the surface"
    )
    extract.add_argument("--complete", action="store_true", help="prove that no component is missing")
    extract.add_argument("--budget", type=float, help="seconds that the proof may take (default: any)")
    extract.add_argument(
        "--exact", action="store_true", help="decide signs that rounding leaves in doubt in rationals"
    )
    extract.add_argument(
        "--certify", action="store_true", help="prove in exact arithmetic that what was found is right"
    )
    extract.add_argument(
        "--degeneracy",
        choices=TREATMENTS,
        default="perturb",
        help="where creases meet that should not: move them apart by nothing, make one vertex, refuse",
    )
    extract.add_argument("--dtype", choices=("float64", "float32"), default="float64", help="to work in")
    extract.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")


def _add_viewing(viewing: argparse.ArgumentParser) -> None:
    viewing.add_argument("--port", type=_port, default=8080, help="of 127.0.0.1; the next free one if taken")
    viewing.add_argument("--open", action="store_true", help="in the browser")
    viewing.add_argument("--up", choices=("x", "y", "z"), default="z", help="the axis that points up")
    viewing.add_argument("--level", type=float, default=0.0, help="value of the function (default 0)")
    viewing.add_argument("--output", type=int, default=0, help="which output of the network (default 0)")


def _add_drawing(drawing: argparse.ArgumentParser) -> None:
    drawing.add_argument("--out", type=Path, required=True, help="picture: .png, .svg, .pdf")
    drawing.add_argument("--across", choices=("x", "y", "z"), help="three inputs: axis held (default z)")
    drawing.add_argument("--at", type=float, help="where along it, in the domain (default 0)")
    drawing.add_argument("--level", type=float, default=0.0, help="value of the function (default 0)")
    drawing.add_argument("--output", type=int, default=0, help="which output of the network (default 0)")


def _size(text: str) -> float:
    """A positive number, for --half-width."""
    try:
        size = float(text)
    except ValueError:
        size = math.nan
    if not 0 < size < math.inf:
        raise argparse.ArgumentTypeError(f"half a box is a positive number, got {text}")
    return size


def _n_triangles(text: str) -> int:
    """How many triangles a closed mesh may have, for --decimate."""
    if not text.isdecimal() or int(text) < FEWEST:
        raise argparse.ArgumentTypeError(f"a closed mesh has at least {FEWEST} triangles, got {text}")
    return int(text)


def _port(text: str) -> int:
    """A number of a port, for --port."""
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, got {text}")
    return int(text)


def in_bytes(gigabytes: float | None) -> int | None:
    """What --memory allows."""
    return None if gigabytes is None else int(gigabytes * 2**30)


def add_examples(commands: dict[str, argparse.ArgumentParser]) -> None:
    """Write them under the options of each command."""
    for name, command in commands.items():
        if name in EXAMPLES:
            command.formatter_class = argparse.RawDescriptionHelpFormatter
            command.epilog = f"examples:\n{EXAMPLES[name].strip(chr(10))}"
