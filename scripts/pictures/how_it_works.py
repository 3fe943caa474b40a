"""Draw how a level set is found: a square cut by neuron after neuron, cells dropped by proof, the curve.

    ./run python -m scripts.pictures.how_it_works --out docs/pictures/how_it_works.png

A small network is fitted to the distance of a rounded star in two dimensions. Every line, shaded cell and
vertex is what the engine finds: `extract_complex` on the network cut short, the certified bounds of
`core/program/bounds.py` on its cells, and `extract_level_set` on the whole.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

import creased
from creased.core.program.affine_arithmetic import input_forms
from creased.core.program.bounds import Cells, Tail, excludes_zero
from scripts.common.figures import pyplot
from scripts.common.options import make_parser

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, STEPS, HALF = 12, 3000, 1.0
DROPPED = ("#ccd2dc", "#a9c6ec")  # after the first layer, after the second


class Panel(NamedTuple):
    """The data of one drawing."""

    title: str
    complex_: creased.PolyhedralComplex
    cells: list[Tensor]  # corners (n, 2) of each region, in order around it
    dropped: Tensor  # (R,) bool


def main() -> None:
    """Fit, cut, draw."""
    chosen = make_parser(__doc__, "docs/pictures/how_it_works.png").parse_args()
    torch.set_num_threads(1)
    program = creased.lower(_fit()).detach()
    box = creased.Box.cube(2, HALF)
    level_set = creased.extract_level_set(program, box)
    panels = [
        _panel("three neurons", program, box, 1, 3),
        _panel("the first layer", program, box, 1, WIDTH),
        _panel("the second layer", program, box, 2, WIDTH),
    ]
    _draw(panels, level_set, chosen.out)


def _fit() -> creased.MLP:
    """Fit a network of two layers to a rounded star."""
    torch.manual_seed(3)
    network = creased.MLP(in_dim=2, width=WIDTH, depth=2).double()
    points = (2 * torch.rand(4000, 2, dtype=torch.float64) - 1) * HALF
    angle = torch.atan2(points[:, 1], points[:, 0])
    wanted = points.norm(dim=1) - 0.55 - 0.14 * torch.cos(3 * angle)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(STEPS):
        optimizer.zero_grad()
        (network(points)[:, 0] - wanted).square().mean().backward()
        optimizer.step()
    return network


def _panel(title: str, program: creased.Program, box: creased.Box, n_blocks: int, n_neurons: int) -> Panel:
    """Cut the square by the first blocks, of the last one by so many neurons alone."""
    *whole, last = program.blocks[:n_blocks]
    affine = creased.Affine(last.affine.weight[:n_neurons], last.affine.bias[:n_neurons])
    nothing = creased.Affine(affine.weight.new_zeros(1, n_neurons), affine.bias.new_zeros(1))
    short = replace(program, blocks=(*whole, replace(last, affine=affine)), head=nothing)
    complex_ = creased.extract_complex(short, box, level=None)
    offsets, indices = creased.find_regions(complex_).vertices()
    cells = [
        _around(complex_.vertices[indices[a:b]])
        for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    ]
    return Panel(title, complex_, cells, torch.stack([_is_dropped(program, cell) for cell in cells]))


def _around(corners: Tensor) -> Tensor:
    """Sort the corners (n, 2) of a convex cell by their angle from its middle."""
    middle = corners - corners.mean(0)
    return corners[torch.atan2(middle[:, 1], middle[:, 0]).argsort()]


def _is_dropped(program: creased.Program, corners: Tensor) -> Tensor:
    """Check whether the bounds prove that the whole network keeps its sign on a cell."""
    signs = program(corners)[:, 0].sign()
    if not bool((signs == signs[0]).all()):
        return torch.tensor(False)
    forms = input_forms(2, corners.dtype, corners.device)
    padded = torch.cat([corners, torch.ones_like(corners[:, :1])], dim=1)[None]
    reach = corners.new_tensor([HALF, HALF, 1.0])
    return excludes_zero(Tail(program, reach), Cells(padded, forms, signs[:1]))[0]


def _draw(panels: list[Panel], level_set: creased.LevelSet, out: Path) -> None:
    plt = pyplot()
    figure, axes = plt.subplots(1, 4, figsize=(14, 3.9), constrained_layout=True)
    _draw_cells(axes[0], panels[0], None)
    _draw_cells(axes[1], panels[1], None)
    _draw_cells(axes[2], panels[2], panels[1])
    _draw_cells(axes[3], panels[2], panels[1], faint=True)
    ends = level_set.vertices[level_set.edges]
    for (x0, y0), (x1, y1) in ends.tolist():
        axes[3].plot((x0, x1), (y0, y1), color="#c2410c", linewidth=1.8, zorder=3)
    axes[3].scatter(*level_set.vertices.T.tolist(), s=9, color="#7c2d12", zorder=4)
    axes[3].set_title(f"the level set: {level_set.vertices.shape[0]} vertices, each on a crease", fontsize=10)
    for axis in axes:
        axis.set(aspect="equal", xlim=(-HALF, HALF), ylim=(-HALF, HALF), xticks=[], yticks=[])
    figure.savefig(out, dpi=120)


def _draw_cells(axis: Axes, panel: Panel, before: Panel | None, faint: bool = False) -> None:
    """Draw creases and dropped cells; cells dropped before are not cut any more."""
    from matplotlib.collections import PolyCollection

    edge = "#cbd5e1" if faint else "#334155"
    old = [] if before is None else [cell for cell, gone in _pairs(before) if gone]
    alive = [(cell, gone) for cell, gone in _pairs(panel) if not any(_holds(big, cell) for big in old)]
    for cells, colour in (
        ([cell for cell, gone in alive if not gone], "white"),
        ([cell for cell, gone in alive if gone], DROPPED[before is not None]),
        (old, DROPPED[0]),
    ):
        axis.add_collection(PolyCollection([c.numpy() for c in cells], fc=colour, ec=edge, lw=0.7))
    n_dropped = len(old) + sum(gone for _, gone in alive)
    axis.set_title(f"{panel.title}: {len(alive) + len(old)} cells, {n_dropped} dropped", fontsize=10)


def _pairs(panel: Panel) -> list[tuple[Tensor, bool]]:
    return list(zip(panel.cells, panel.dropped.tolist(), strict=True))


def _holds(big: Tensor, cell: Tensor) -> bool:
    """Check whether the middle of a cell lies in a convex polygon with counter-clockwise corners."""
    side, way = big.roll(-1, 0) - big, cell.mean(0) - big
    return bool((side[:, 0] * way[:, 1] - side[:, 1] * way[:, 0] > 0).all())


if __name__ == "__main__":
    main()
