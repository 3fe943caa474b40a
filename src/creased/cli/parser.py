"""Declare the arguments of each command of `creased`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from creased import __version__
from creased.cli.slices import SHOWING, SLICE, parse_slice
from creased.core.options import METHODS, TREATMENTS
from creased.io.checkpoint import Record
from creased.io.curves import CURVE_WRITERS
from creased.io.export import BOUNDARIES, WRITERS
from creased.io.units import Length, UnitError, parse_length, parse_unit
from creased.meshes.decimation import FEWEST
from creased.tropical.cells.counts import METHODS as COUNTING
from creased.tropical.compression.stable import METHODS as FINDING

Add = Callable[..., object]  # the method add_argument of a parser

EXAMPLES = {  # by command; the first example of each is in the overview
    "extract": """
  creased extract logs/train/runs/RUN --out mesh.ply          polygons, double precision, your coordinates
  creased extract last.ckpt --out mesh.glb --complete         prove that nothing is missing
  creased extract last.ckpt --out mesh.3mf --boundary cap --unit inch   closed along the walls, to print
  creased extract last.ckpt --out mesh.stl --offset 1mm       the surface 1 mm further out
  creased extract logs/train/runs/RUN --out mesh.ply --against shape    distances to the training shape
  creased extract quantised.npz --half-width 1 --out mesh.ply --exact --certify   prove every sign
  creased extract weights.npz --half-width 1 --out mesh.stl   weights store no domain: [-1, 1]^3
  creased extract plan.onnx --half-width 1 --out curve.svg    curves of two inputs: .svg, .dxf, .obj
  creased extract wide.onnx --slice "0,2 at 0,0.3,0,1,0" --half-width 1 --out curve.dxf   of five inputs
""",
    "info": """
  creased info logs/train/runs/RUN                            the last checkpoint of a run
  creased info model.onnx                                     inputs, widths, number of weights
""",
    "count": """
  creased count logs/train/runs/RUN                           cells of its training box, and known bounds
  creased count weights.npz --half-width 1 --method stream    cells alone, of more than memory holds
""",
    "compress": """
  creased compress RUN --out small.ckpt                       the same function by fewer neurons, certified
  creased compress RUN --out small.ckpt --delete-only         only delete: no weight is rounded
""",
    "draw": """
  creased draw RUN --across z --at 0.1 --out complex.png      the plane z = 0.1 of three inputs
  creased draw weights.npz --half-width 1 --out complex.svg   a network of two inputs
""",
    "eval": """
  creased eval logs/train/runs/RUN                            function and exact mesh, against the run's shape
  creased eval last --shape scan.obj --json metrics.json      against another mesh; --json - prints JSON
""",
    "check": """
  creased check part.stl scan.ply                             closed, manifold, oriented? walls? exit status
  creased check logs/train/runs/RUN                           the mesh of a run
""",
    "compare": """
  creased compare mesh.ply scan.obj --out error.png           distances both ways, topology, a picture
  creased compare logs/train/runs/RUN part.stl --within 0.1mm   exit status 1 beyond that
""",
    "view": """
  creased view logs/train/runs/RUN                            the epochs of a run, in the browser
  creased view mesh.ply                                       a mesh file
  creased view model.onnx --half-width 1                      the level set of any network
  creased view wide.onnx --slice "0,2,4" --half-width 1       of five inputs, the others zero
""",
}

OFFSET = "distance outward from the surface, in the coordinates of the mesh or with a unit: 1mm"
WITHIN = "largest distance that is no difference, perhaps with a unit: 0.1mm (default: 1%% of the size)"
MESH = "a mesh file, or a run folder (its mesh.ply)"
AGAINST = "a mesh file, or bunny, sphere, torus, box or bracket (default: the shape of the run)"
OF_MESHES = ("check", "compare")  # commands that load no network

SUMMARIES = {
    "extract": "write the exact level set of a network as a mesh",
    "info": "describe the network in a file",
    "count": "count cells, linear regions and affine pieces",
    "compress": "write an equal network of fewer neurons",
    "eval": "measure a checkpoint against its shape or another",
    "check": "say whether mesh files are solids, and what is wrong with them",
    "compare": "measure distances between two meshes, both ways",
    "view": "show a surface in the browser",
    "draw": "draw the complex of two inputs, or in a plane of three",
}


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        "creased",
        description="Extract exact meshes of piecewise-affine networks, audit, compare, count and draw.",
        epilog="\n".join(["examples:", *(lines.strip("\n").splitlines()[0] for lines in EXAMPLES.values())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"creased {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, summary in SUMMARIES.items():
        command = commands.add_parser(name, help=summary)
        add = command.add_argument
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        command.epilog = f"examples:\n{EXAMPLES[name].strip(chr(10))}"
        if name in OF_MESHES:
            continue
        if name == "eval":
            _add_evaluation(add)
            continue
        _add_file(add, ", a mesh" if name == "view" else "")
        _add_onnx(add)
        if name in (*SHOWING, "count"):
            add("--slice", type=parse_slice, help=SLICE)
        if name != "info":
            add("--half-width", type=_size, help="of the cube to look in (default: the training box)")
        if name in ("extract", "count"):
            add("--memory", type=float, help="GB that may be used (default: what is free)")
        if name in SHOWING:
            either = command.add_mutually_exclusive_group()
            either.add_argument("--level", type=float, default=0.0, help="value of the function (default 0)")
            either.add_argument("--offset", type=_length, help=OFFSET)
            add("--output", type=int, default=0, help="index of the network's output (default 0)")
    _add_mesh(commands.choices["extract"].add_argument)
    _add_extraction(commands.choices["extract"].add_argument)
    _add_counting(commands.choices["count"].add_argument)
    _add_compression(commands.choices["compress"].add_argument)
    _add_viewing(commands.choices["view"].add_argument)
    _add_drawing(commands.choices["draw"].add_argument)
    commands.choices["check"].add_argument("files", nargs="+", type=Path, metavar="FILE", help=MESH)
    _add_comparing(commands.choices["compare"].add_argument)
    return parser


def _add_file(add: Add, more: str) -> None:
    add("file", type=Path, help=f"a checkpoint, a run folder (its last checkpoint), .pt, .npz, .onnx{more}")
    add("--slope", type=float, default=0.0, help="for weights alone: slope of LeakyReLU (default: ReLU)")


def _add_evaluation(add: Add) -> None:
    add("file", type=Path, help="a checkpoint, or a run folder (its last checkpoint)")
    add("--shape", metavar="SHAPE", help=AGAINST)
    add(
        "--json",
        type=Path,
        metavar="FILE",
        help="write all metrics to a file; -: to the screen, without the table",
    )
    add("--certify", action="store_true", help="prove in exact arithmetic that the surface found is right")


def _add_onnx(add: Add) -> None:
    add("--input-shape", type=_shape, help="of one point, where an ONNX file leaves it open: 1,28,28")
    add("--tensor", metavar="NAME", help="of an ONNX file: the output, or any tensor within")
    add(
        "--fix",
        type=_fixed,
        action="append",
        default=[],
        metavar="NAME=NUMBERS",
        help="of an ONNX file of several inputs: the value of one; may be given again",
    )


def _add_mesh(add: Add) -> None:
    curves = ", ".join(CURVE_WRITERS)
    add("--out", type=Path, required=True, help=f"mesh: {', '.join(WRITERS)}; curves of two inputs: {curves}")
    add("--coordinates", choices=("user", "domain"), default="user", help="of the mesh (default user)")
    add("--boundary", choices=BOUNDARIES, default="open", help="where walls cut the surface (default: open)")
    add("--unit", type=_unit, help="of length in the file: mm, cm, m, in, ft, um (default: the shape's)")
    add(
        "--against",
        metavar="MESH",
        help="measure distances to a mesh file, or with 'shape' to the run's training shape",
    )
    add("--triangles", action="store_true", help="write triangles in PLY and OBJ too, instead of polygons")
    add("--decimate", type=_n_triangles, metavar="N", help="decimate by open3d: no longer exact")
    add("--check", action="store_true", help="check for self-intersections in the precision of the file")


def _add_extraction(add: Add) -> None:
    add(
        "--method",
        choices=METHODS,
        default="auto",
        help="subdivide the domain, or march along the surface (default: by the network's size)",
    )
    add("--complete", action="store_true", help="prove that no component is missing")
    add("--budget", type=float, help="seconds that this proof may take (default: unlimited)")
    add("--exact", action="store_true", help="decide in rationals the signs that rounding leaves in doubt")
    add("--certify", action="store_true", help="prove in exact arithmetic that the surface found is right")
    add(
        "--degeneracy",
        choices=TREATMENTS,
        default="perturb",
        help="of creases that meet non-generically: perturb symbolically, contract to one vertex, refuse",
    )
    add("--dtype", choices=("float64", "float32"), default="float64", help="of the computation")
    add("--threads", type=int, default=1, help="CPU threads (default 1)")


def _add_counting(add: Add) -> None:
    add(
        "--method",
        choices=(*COUNTING, "stream"),
        default="auto",
        help="exact: in integers; engine: in float64; stream: cells alone, a part at a time",
    )


def _add_compression(add: Add) -> None:
    add("--out", type=Path, required=True, help="checkpoint to write")
    add("--method", choices=FINDING, default="auto", help="how neurons of constant sign are found")
    add("--delete-only", action="store_true", help="do not fold neurons: no weight is rounded")


def _add_viewing(add: Add) -> None:
    add("--port", type=_port, default=8080, help="of 127.0.0.1 (default 8080; if taken, the next free one)")
    add("--open", action="store_true", help="open the browser")
    add("--up", choices=("x", "y", "z"), default="z", help="the axis that points up")


def _add_drawing(add: Add) -> None:
    add("--out", type=Path, required=True, help="picture: .png, .svg, .pdf")
    add("--across", choices=("x", "y", "z"), help="for three inputs: the plane's normal axis (default z)")
    add("--at", type=float, help="the plane's coordinate on that axis (default 0)")


def _add_comparing(add: Add) -> None:
    add("mesh", type=Path, help=MESH)
    add("shape", type=Path, help="the mesh that it should be, likewise")
    add("--within", type=_within, help=WITHIN)
    add("--out", type=_picture, help="picture of both and of the distances between them: .png")
    add("--up", choices=("x", "y", "z"), default="z", help="the axis that points up")
    add("--azimuth", type=float, default=-30.0, help="of the camera, in degrees from the front (default -30)")


def _shape(text: str) -> tuple[int, ...]:
    """Parse --input-shape: positive integers."""
    sizes = text.split(",")
    if not all(size.strip().isdecimal() and int(size) for size in sizes):
        raise argparse.ArgumentTypeError(f"a shape is of positive integers, as 1,28,28, got {text}")
    return tuple(int(size) for size in sizes)


def _fixed(text: str) -> tuple[str, list[float]]:
    """Parse --fix: a name and numbers."""
    name, _, numbers = text.partition("=")
    try:
        return name, [float(number) for number in numbers.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"an input is fixed as NAME=0.5 or NAME=1,2,3, got {text}") from None


def _length(text: str) -> Length:
    """Parse a length, perhaps with a unit."""
    try:
        return parse_length(text)
    except UnitError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _unit(text: str) -> str:
    """Parse --unit: the name of a unit."""
    try:
        return parse_unit(text)
    except UnitError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _within(text: str) -> Length:
    """Parse --within: a positive length, perhaps with a unit."""
    length = _length(text)
    if not length.value > 0:
        raise argparse.ArgumentTypeError(f"a distance is a positive number, got {text}")
    return length


def _picture(text: str) -> Path:
    """Parse --out of pictures that are written as PNG alone."""
    if Path(text).suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"the picture is a .png, got {text}")
    return Path(text)


def _size(text: str) -> float:
    """Parse --half-width: a positive number."""
    return _positive(text, "half a box")


def _positive(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{what} is a positive number, got {text}")
    return number


def _n_triangles(text: str) -> int:
    """Parse --decimate: a number of triangles."""
    if not text.isdecimal() or int(text) < FEWEST:
        raise argparse.ArgumentTypeError(f"a closed mesh has at least {FEWEST} triangles, got {text}")
    return int(text)


def _port(text: str) -> int:
    """Parse --port."""
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, got {text}")
    return int(text)


def in_bytes(gigabytes: float | None) -> int | None:
    """Convert --memory to bytes."""
    return None if gigabytes is None else int(gigabytes * 2**30)


def level_of(record: Record, chosen: argparse.Namespace) -> float:
    """Return --level, or the level of --offset, before the last activation of the network.

    Raises:
        ValueError: the network does not take it.
    """
    level = float(chosen.level) if chosen.offset is None else record.level_of(chosen.offset)
    return record.before(level, chosen.output)
