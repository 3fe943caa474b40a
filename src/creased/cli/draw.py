"""`creased draw`: the complex of a network of two inputs, or of a plane section of one of three inputs."""

from __future__ import annotations

from io import BytesIO
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

from creased.core.domains.box import Box, slice_across
from creased.core.program.program import Program
from creased.drawing.plane import PlaneComplex, draw_complex, draw_directions, flatten
from creased.extras import how_to_install
from creased.io.atomic_write import write_whole
from creased.tropical.algebra.rational_maps import one_output

AXES = "xyz"
FEW = 3000  # edges, beyond which lines get thinner
SIZE = 6.0  # inches


class Section(NamedTuple):
    """A plane on which one of three inputs is constant."""

    across: str = "z"  # that input: the axis normal to the plane
    at: float = 0.0  # its value, in the coordinates of the domain


def draw(
    program: Program,
    domain: Box,
    out: Path,
    *,
    section: Section | None = None,
    level: float = 0.0,
    output: int = 0,
    name: str = "",
) -> str:
    """Write a picture of the complex, and return a sentence that counts its cells.

    Args:
        program: of two or three inputs.
        domain: the box to draw.
        out: a file in a format of matplotlib: .png, .svg, .pdf.
        section: for three inputs: the plane; z = 0 by default.
        level: value of the function on the level set.
        output: index of the network's output.
        name: of the shape, for the title.

    Raises:
        ImportError: matplotlib is not installed.
        OSError: the file cannot be written.
        ValueError: the network has other than two or three inputs, the plane misses the domain, there is no
            such output, or matplotlib does not write such files.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"pictures need matplotlib: {how_to_install('train')}") from error
    figure = Figure(figsize=(SIZE, SIZE), layout="constrained")
    kind, kinds = out.suffix[1:].lower(), sorted(figure.canvas.get_supported_filetypes())
    if kind not in kinds:
        raise ValueError(f"cannot write {out}: a picture ends in one of {', '.join('.' + k for k in kinds)}")
    if not 0 <= output < program.out_dim:
        raise ValueError(f"draw: output must be in 0..{program.out_dim - 1}, got {output}")
    program, plane, where = _in_plane(one_output(program, output, "draw"), domain, section)
    flat = flatten(program, plane, level)
    across = where[:1]
    _draw(
        figure, flat, ": ".join(filter(None, (name, where))), AXES.replace(across, "") if across else AXES[:2]
    )
    written = BytesIO()
    figure.savefig(written, format=kind, dpi=150, bbox_inches="tight", pad_inches=0.1)
    write_whole(out, written.getvalue())
    has_level = bool((flat.layers == flat.n_layers).any())
    n_pieces = f"which the level set cuts into {len(flat.polygons):,}" if has_level else "no level set"
    return f"{out}: {flat.n_cells:,} activation cells{f' in {where}' if where else ''}, {n_pieces}"


def _in_plane(program: Program, domain: Box, section: Section | None) -> tuple[Program, Box, str]:
    """Slice program and domain to two dimensions; also name the plane, "" for a network of two inputs."""
    if program.in_dim == 2:
        if section is not None:
            raise ValueError("draw: a network of two inputs is drawn whole: leave --across and --at out")
        return program, domain, ""
    if program.in_dim != 3:
        raise ValueError(
            f"draw: needs a network of two or three inputs, got {program.in_dim}; slice it with "
            "creased.slice_program"
        )
    across, at = section or Section()
    axis = AXES.index(across)
    if not domain.lower[axis] <= at <= domain.upper[axis]:
        raise ValueError(
            f"draw: --at must be in the domain, from {domain.lower[axis]:g} to {domain.upper[axis]:g} along "
            f"{across}, got {at:g}"
        )
    cut, plane = slice_across(program, domain, axis, at)
    return cut.program, plane, f"{across} = {at:g}"


def _draw(figure: Any, flat: PlaneComplex, title: str, names: str) -> None:
    """Draw a complex with its scales, a legend of its lines, and one of its colours."""
    from matplotlib.ticker import AutoLocator

    axes = figure.add_subplot()
    draw_complex(axes, flat, line_width=0.8 * min(1.0, sqrt(FEW / max(len(flat.segments), 1))))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(AutoLocator())
    axes.set(xlabel=names[0], ylabel=names[1])
    axes.set_title(title, fontsize=10)
    axes.get_legend().set_bbox_to_anchor((0.5, -0.1), transform=axes.transAxes)
    draw_directions(axes.inset_axes((1.08, 0.84, 0.16, 0.16)), names)
