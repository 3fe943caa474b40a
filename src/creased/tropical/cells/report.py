"""The text of ``creased count``: a table of a network's counts and bounds."""

from __future__ import annotations

import torch

from creased.core.domains.box import Box
from creased.core.domains.whole_space import WholeSpace
from creased.core.extract_complex import count_cells, extract_complex
from creased.core.numerics.memory import CellLimitError
from creased.core.program.program import Program
from creased.core.program.simplices import n_paths
from creased.tropical.cells.cells import MOST_DIMENSIONS, require_few_corners
from creased.tropical.cells.counts import EXACT, count
from creased.tropical.cells.region_bounds import bounds_of, zaslavsky

WIDTH = 22  # of the first column
PERTURBED = "as if perturbed where degenerate"


def count_table(
    program: Program, domain: Box | WholeSpace, *, method: str = "auto", memory: int | None = None
) -> str:
    """Format the three counts, the f-vector, and the bounds by their names, one a line.

    Args:
        program: with finite weights; bounds are of networks without a grid.
        domain: where; all of space is counted in integers alone.
        method: see `creased.tropical.count`; or "stream", which counts cells of complexes of any size, but
            not regions and pieces.
        memory: bytes that the work may take; what is free by default.
    """
    widths = ", ".join(map(str, program.widths))
    outputs = "1 output" if program.out_dim == 1 else f"{program.out_dim} outputs"
    lines = [
        ("network", f"{program.in_dim} inputs, hidden widths ({widths}), {outputs}"),
        ("domain", str(domain)),
    ]
    if (grid := program.grid) is not None:
        n_simplices = n_paths(grid.dim) * grid.finest**grid.dim
        lines.insert(1, ("grid", f"{grid.finest} cubes an axis, cut into {n_simplices:,} simplices"))
    try:
        lines += _counted(program, domain, method, memory)
    except CellLimitError as error:
        goes_in_pieces = method != "stream" and domain.dim <= MOST_DIMENSIONS
        in_pieces = "; --method stream counts cells in pieces" if goes_in_pieces else ""
        lines.append(("not counted", f"{error}{in_pieces}"))
    if program.n_neurons and grid is None:
        lines += _bounds(program)
    return "\n".join(f"{name:<{WIDTH}} {value}" for name, value in lines)


def _counted(
    program: Program, domain: Box | WholeSpace, method: str, memory: int | None
) -> list[tuple[str, str]]:
    box = domain if isinstance(domain, Box) else None
    if box is not None:
        require_few_corners(box)
    if method == "stream":
        cells = count_cells(program, domain, level=None, memory=memory, dtype=torch.float64)
        return [("activation cells", f"{cells[-1]:,}"), _by_dimension(cells, PERTURBED)]
    counts = count(program, box, method=method, memory=memory)
    creases = "all creases" if program.grid is None else "all creases and the grid"
    if counts.guarantee == EXACT:
        true = extract_complex(program, domain, level=None, dtype=torch.float64, degeneracy="contract")
        among = "unbounded ones" if box is None else "the domain's faces"
        by_dimension = _by_dimension(true.f_vector(), f"{among} are among them")
    else:
        cells = count_cells(program, domain, level=None, memory=memory, dtype=torch.float64)
        by_dimension = _by_dimension(cells, PERTURBED)
    return [
        ("activation cells", _with_note(counts.activation_cells, f"full-dimensional cells of {creases}")),
        ("linear regions", _with_note(counts.linear_regions, "connected parts with one affine map")),
        ("affine pieces", _with_note(counts.affine_pieces, "distinct affine maps")),
        ("", counts.guarantee),
        by_dimension,
    ]


def _by_dimension(cells: tuple[int, ...], how: str) -> tuple[str, str]:
    numbers = ", ".join(f"{count:,}" for count in cells)
    return "f-vector", f"{numbers} (cells of dimension 0 to {len(cells) - 1}; {how})"


def _bounds(program: Program) -> list[tuple[str, str]]:
    bounds = bounds_of(program)
    upper = [("  Raghu 2017", _with_note(bounds.raghu, "the product of Zaslavsky's numbers of the layers"))]
    lower = _in_digits(bounds.montufar_2014)
    if any(block.has_passthrough for block in program.blocks):
        upper.append(("", "the others hold for layers without a passthrough only"))
        lower = "holds for layers without a passthrough only"
    else:
        others = (("  Serra 2018", bounds.serra), ("  Montufar 2017", bounds.montufar_2017))
        upper = [*((name, _in_digits(number)) for name, number in others), *upper]
        if not bounds.montufar_2014:
            lower = "says nothing: a layer is narrower than the input"
    one_layer = zaslavsky(program.in_dim, program.n_neurons)
    average = round(bounds.hanin_rolnick)
    random = "says nothing: it holds for many more neurons than inputs"
    if 0 < average <= bounds.raghu:
        random = _with_note(average, "N^D / D!: about what random weights make, however deep")
    return [
        ("upper bounds", "on activation cells, for all weights of these widths"),
        *upper,
        ("lower bound", "on what the best weights of these widths reach, not on this network"),
        ("  Montufar 2014", lower),
        ("for comparison", "no bounds on networks of several layers"),
        ("  Zaslavsky 1975", _with_note(one_layer, "the most that as many neurons in one layer make")),
        ("  Hanin-Rolnick 2019", random),
    ]


def _with_note(number: int, note: str) -> str:
    return f"{_in_digits(number):<12} {note}"


def _in_digits(number: int) -> str:
    """Format up to 15 digits in full, more as a power of ten."""
    digits = str(number)
    return f"{number:,}" if len(digits) <= 15 else f"{digits[0]}.{digits[1:3]}e{len(digits) - 1}"
