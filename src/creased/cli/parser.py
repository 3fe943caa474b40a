"""Declare the arguments of each command of `creased`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from creased import __version__
from creased.cli.examples import EXAMPLES, SUMMARIES
from creased.cli.slices import SHOWING, SLICE, parse_slice
from creased.cli.values import (
    parse_density,
    parse_fixed,
    parse_half_width,
    parse_offset,
    parse_picture,
    parse_port,
    parse_shape,
    parse_triangle_count,
    parse_unit_name,
    parse_within,
)
from creased.core.options import METHODS, TREATMENTS
from creased.decomposition.bisection import MOST_PIECES
from creased.decomposition.inside_cells import MOST_CELLS as MOST_INSIDE
from creased.io.bodies import PART_WRITERS, TETRAHEDRA_FORMATS
from creased.io.bodies.part_files import DENSITY
from creased.io.curves import CURVE_WRITERS
from creased.io.export import BOUNDARIES, WRITERS
from creased.topology.problem import MOST_CELLS, MOST_ON_GRID
from creased.tropical.cells.counts import METHODS as COUNTING
from creased.tropical.compression.stable import METHODS as FINDING

Add = Callable[..., object]  # the method add_argument of a parser

OFFSET = "distance outward from the surface, in the coordinates of the mesh or with a unit: 1mm"
WITHIN = "largest distance that is no difference, perhaps with a unit: 0.1mm (default: 1%% of the size)"
STREAM = (
    "for more faces than memory holds: walk in sub-boxes of up to --memory GB, keep finished ones in the "
    "folder OUT.parts until the mesh (.ply, .obj) is written, and go on with them after an interruption"
)
NAMES = "bunny, sphere, torus, box or bracket"  # shapes that need no file
MESH = f"a mesh file, a run folder (its mesh.ply), or {NAMES}"
AGAINST = f"a mesh file, or {NAMES} (default: the shape of the run)"
OF_MESHES = ("check", "compare")  # commands that take no network


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
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        command.epilog = f"examples:\n{EXAMPLES[name].strip(chr(10))}"
        if name not in (*OF_MESHES, "eval"):
            _add_network(command, name)
    _add_evaluation(commands.choices["eval"].add_argument)
    _add_mesh(commands.choices["extract"].add_argument)
    _add_extraction(commands.choices["extract"].add_argument)
    _add_counting(commands.choices["count"].add_argument)
    _add_topology(commands.choices["topology"].add_argument)
    _add_parts(commands.choices["parts"].add_argument)
    _add_compression(commands.choices["compress"].add_argument)
    _add_viewing(commands.choices["view"].add_argument)
    _add_drawing(commands.choices["draw"].add_argument)
    commands.choices["check"].add_argument("files", nargs="+", type=Path, metavar="FILE", help=MESH)
    _add_comparing(commands.choices["compare"].add_argument)
    return parser


def _add_network(command: argparse.ArgumentParser, name: str) -> None:
    """Declare the network, and the domain, level and memory of the commands that have them."""
    add = command.add_argument
    _add_file(add, ", a mesh" if name == "view" else "")
    _add_onnx(add)
    if name in (*SHOWING, "count", "topology"):
        add("--slice", type=parse_slice, help=SLICE)
    if name != "info":
        where = command.add_mutually_exclusive_group()
        cube = "of the cube to look in (default: the training box)"
        where.add_argument("--half-width", type=parse_half_width, help=cube)
        if name in ("count", "topology"):
            where.add_argument("--whole-space", action="store_true", help="look in all of space")
    if name in ("extract", "count", "topology", "parts"):
        add("--memory", type=float, help="GB that may be used (default: what is free)")
    if name in (*SHOWING, "topology", "parts"):
        either = command.add_mutually_exclusive_group()
        either.add_argument("--level", type=float, default=0.0, help="value of the function (default 0)")
        either.add_argument("--offset", type=parse_offset, help=OFFSET)
        add("--output", type=int, default=0, help="index of the network's output (default 0)")


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
    add("--input-shape", type=parse_shape, help="of one point, where an ONNX file leaves it open: 1,28,28")
    add("--tensor", metavar="NAME", help="of an ONNX file: the output, or any tensor within")
    add(
        "--fix",
        type=parse_fixed,
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
    add(
        "--unit",
        type=parse_unit_name,
        help="of length in the file: mm, cm, m, in, ft, um (default: the shape's)",
    )
    add(
        "--against",
        metavar="MESH",
        help="measure distances to a mesh file, or with 'shape' to the run's training shape",
    )
    add("--triangles", action="store_true", help="write triangles in PLY and OBJ too, instead of polygons")
    add("--decimate", type=parse_triangle_count, metavar="N", help="decimate by open3d: no longer exact")
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
    add("--stream", action="store_true", help=STREAM)
    add("--dtype", choices=("float64", "float32"), default="float64", help="of the computation")
    add("--threads", type=int, default=1, help="CPU threads (default 1)")


def _add_counting(add: Add) -> None:
    add(
        "--method",
        choices=(*COUNTING, "stream"),
        default="auto",
        help="exact: in integers; engine: in float64; stream: cells alone, a part at a time",
    )


def _add_topology(add: Add) -> None:
    default = f"{MOST_CELLS:,}, on a grid {MOST_ON_GRID:,}"
    add("--max-cells", type=int, help=f"cells that are allowed (default {default})")
    add("--json", type=Path, metavar="FILE", help="write the numbers, and all intervals of persistence")


def _add_parts(add: Add) -> None:
    parts, tetrahedra = ", ".join(PART_WRITERS), ", ".join(TETRAHEDRA_FORMATS)
    add("--out", type=Path, required=True, help=f"convex parts: {parts}; tetrahedra: {tetrahedra}")
    add(
        "--error",
        type=parse_within,
        help="distance by which parts may stick out, in the mesh's coordinates or with a unit (default: 0)",
    )
    add("--unit", type=parse_unit_name, help="of length in .obj, .glb and tetrahedra; others are in metres")
    add(
        "--density",
        type=parse_density,
        default=DENSITY,
        help="for masses in .xml and .urdf (default 1000 kg/m^3)",
    )
    add(
        "--max-cells",
        type=int,
        help=f"cells inside, or pieces of boxes, that are allowed (default {MOST_INSIDE:,}; {MOST_PIECES:,})",
    )


def _add_compression(add: Add) -> None:
    add("--out", type=Path, required=True, help="checkpoint to write")
    add("--method", choices=FINDING, default="auto", help="how neurons of constant sign are found")
    add("--delete-only", action="store_true", help="do not fold neurons: no weight is rounded")


def _add_viewing(add: Add) -> None:
    add(
        "--port",
        type=parse_port,
        default=8080,
        help="of 127.0.0.1 (default 8080; if taken, the next free one)",
    )
    add("--open", action="store_true", help="open the browser")
    add("--up", choices=("x", "y", "z"), default="z", help="the axis that points up")


def _add_drawing(add: Add) -> None:
    add("--out", type=Path, required=True, help="picture: .png, .svg, .pdf")
    add("--across", choices=("x", "y", "z"), help="for three inputs: the plane's normal axis (default z)")
    add("--at", type=float, help="the plane's coordinate on that axis (default 0)")


def _add_comparing(add: Add) -> None:
    add("mesh", type=Path, help=MESH)
    add("shape", type=Path, help="the mesh that it should be, likewise")
    add("--within", type=parse_within, help=WITHIN)
    add("--out", type=parse_picture, help="picture of both and of the distances between them: .png")
    add("--up", choices=("x", "y", "z"), default="z", help="the axis that points up")
    add("--azimuth", type=float, default=-30.0, help="of the camera, in degrees from the front (default -30)")
