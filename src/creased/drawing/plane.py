"""Complexes in the plane: regions coloured by gradient, creases by layer, and a level set.

A network is affine on each region, so that its gradient there is one vector, and one colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from creased.core.arrangement.cofaces import arrange
from creased.core.arrangement.signs import RowLayout
from creased.core.complexes.complex import PolyhedralComplex, find_regions
from creased.core.complexes.polygons import Polygons, area_vectors
from creased.core.complexes.regions import Regions
from creased.core.domains.box import Box
from creased.core.extract_complex import extract_complex
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.program import Program
from creased.drawing.palette import FAINT, INK, by_direction, by_layer

if TYPE_CHECKING:
    from numpy.typing import NDArray


GRID = -3  # the layer of planes of a grid


@dataclass(frozen=True)
class PlaneComplex:
    """A complex in two dimensions, ready to be drawn; sizes as in `creased.core`."""

    polygons: list[NDArray[np.float64]]  # R of (n, 2): the regions, counter-clockwise
    gradients: NDArray[np.float64]  # (R, 2): of the function on each
    cells: NDArray[np.int64]  # (R,): the activation cell of each; the level set cuts some in two
    segments: NDArray[np.float64]  # (E, 2, 2)
    layers: NDArray[np.int64]  # (E,): the layer of each; -1 a wall, -3 the grid, n_layers the level set
    n_layers: int
    domain: Box

    @property
    def n_cells(self) -> int:
        """Number of activation cells, which the level set does not cut."""
        return int(self.cells.max(initial=-1)) + 1

    def __repr__(self) -> str:
        return f"drawing of {len(self.polygons):,} regions and {len(self.segments):,} edges in {self.domain}"


def flatten(program: Program, domain: Box, level: float = 0.0) -> PlaneComplex:
    """Compute the complex of a function of the plane, cut by its level set, as polygons and segments.

    Where creases coincide or meet in a point the complex has regions without extent between them; regions
    thinner than the rounding of coordinates are left out. `creased.tropical.count` counts exactly.

    Raises:
        ValueError: there are other than two inputs, several outputs, or the complex was given up.
    """
    if program.in_dim != 2 or program.out_dim != 1:
        raise ValueError(
            f"flatten: needs two inputs and one output, got {program.in_dim} and {program.out_dim}: "
            "see slice_program"
        )
    program = program.detach().to("cpu", torch.float64)
    complex_ = extract_complex(program, domain, level=level)
    regions = find_regions(complex_)
    layout = regions.layout
    polygons = region_polygons(regions, complex_)
    kept = _has_extent(complex_.vertices, polygons, domain)
    corners = np.split(complex_.vertices[polygons.indices].numpy(), polygons.offsets[1:-1].tolist())
    segments = complex_.vertices[complex_.edges.long()].numpy()
    layers = layers_of(complex_.edge_zero_ids[:, 0], complex_.layout)
    long = np.linalg.norm(segments[:, 0] - segments[:, 1], axis=1) > _finest(domain)
    gradients = regions.maps(program)[:, :-1, 0].numpy()[kept]
    without_outputs = regions.words & arrange(layout, regions.words.device).before[layout.first_output]
    _, cells = np.unique(without_outputs.numpy()[kept], axis=0, return_inverse=True)
    return PlaneComplex(
        [points for points, is_kept in zip(corners, kept, strict=True) if is_kept],
        gradients,
        cells.reshape(-1),
        segments[long],
        layers[long],
        len(program.widths),
        domain,
    )


def _has_extent(vertices: Tensor, polygons: Polygons, domain: Box) -> NDArray[np.bool_]:
    """Mark polygons (R,) that are wider than the rounding of coordinates."""
    areas = area_vectors(torch.nn.functional.pad(vertices, (0, 1)), polygons)[:, 2]
    perimeters = polygons.sums((vertices[polygons.heads()] - vertices[polygons.indices]).norm(dim=1))
    mask: NDArray[np.bool_] = (2 * areas > perimeters * _finest(domain)).numpy()
    return mask


def _finest(domain: Box) -> float:
    """Bound the rounding error of a coordinate."""
    return get_epsilon(torch.float64) * max(map(abs, (*domain.lower, *domain.upper)))


def region_polygons(regions: Regions, complex_: PolyhedralComplex) -> Polygons:
    """Order the corners of each region around their mean."""
    polygons = Polygons(*regions.vertices())
    points, owners = complex_.vertices[polygons.indices], polygons.owners()
    arms = points - (polygons.sums(points) / polygons.sizes[:, None])[owners]
    order = np.lexsort((torch.atan2(arms[:, 1], arms[:, 0]).numpy(), owners.numpy()))
    return Polygons(polygons.offsets, polygons.indices[torch.from_numpy(order)])


def layers_of(rows: Tensor, layout: RowLayout) -> NDArray[np.int64]:
    """Find the layer (n,) of each row (n,), from 0: -1 for walls, -3 for planes of a grid.

    Outputs are one layer more.
    """
    starts = np.cumsum([layout.n_walls, *layout.widths])
    layers = np.searchsorted(starts, rows.cpu().numpy(), side="right") - 1
    return np.where(rows.cpu().numpy() < 0, GRID, layers)


def draw_complex(
    axes: Any,
    flat: PlaneComplex,
    *,
    colours: NDArray[np.float64] | None = None,
    line_width: float = 0.8,
    legend: bool = True,
) -> None:
    """Draw regions coloured by gradient, creases by layer, and the level set bold.

    Args:
        axes: of matplotlib.
        flat: see `flatten`.
        colours: of the regions (R, 3), in place of the gradients'.
        line_width: of the first layer's creases, in points; later layers are thinner.
        legend: whether to add a legend of the layers.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.collections import LineCollection, PolyCollection

    inside = by_direction(flat.gradients) if colours is None else colours
    axes.add_collection(PolyCollection(flat.polygons, facecolors=inside, edgecolors="face", lw=0.2))
    handles = []
    if (flat.layers == GRID).any():
        lines = LineCollection(
            list(flat.segments[flat.layers == GRID]), colors=FAINT, linewidths=0.5 * line_width, label="grid"
        )
        handles.append(axes.add_collection(lines))
    for layer in range(flat.n_layers):
        lines = LineCollection(
            list(flat.segments[flat.layers == layer]),
            colors=by_layer(layer),
            linewidths=line_width * 0.85**layer,
            capstyle="round",
            label=f"layer {layer + 1}",
        )
        handles.append(axes.add_collection(lines))
    level = flat.segments[flat.layers == flat.n_layers]
    handles.append(draw_bold(axes, level, (5.0, 2.4), label="level set"))
    frame(axes, flat.domain)
    if legend:
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.01)}
        named = axes.legend(
            handles=handles, ncols=min(len(handles), 5), frameon=False, handlelength=1.4, **place
        )
        for handle in named.legend_handles:  # lines may be too thin to see alone
            handle.set_linewidth(max(1.2, float(np.max(handle.get_linewidth()))))


def draw_bold(axes: Any, segments: NDArray[np.float64], widths: tuple[float, float], **style: Any) -> Any:
    """Draw segments (n, 2, 2) in white, then dark, of these widths in points; give the dark lines."""
    from matplotlib.collections import LineCollection

    for colour, width in zip(("white", INK), widths, strict=True):
        lines = LineCollection(list(segments), colors=colour, linewidths=width, capstyle="round", **style)
        axes.add_collection(lines)
    return lines


def draw_directions(axes: Any, names: str = "xy", n: int = 101) -> None:
    """Draw the legend of `by_direction`: the colour of each gradient, as a disk of n pixels across."""
    across = np.linspace(-1, 1, n)
    vectors = np.stack(np.meshgrid(across, across), axis=-1).reshape(-1, 2)
    lengths = np.linalg.norm(vectors, axis=1)
    colours = by_direction(vectors / np.quantile(lengths, 0.9))  # full at the rim
    colours[lengths > 1] = 1
    axes.imshow(colours.reshape(n, n, 3), origin="lower", extent=(-1, 1, -1, 1), interpolation="bilinear")
    axes.set(xticks=[], yticks=[], xlabel=f"d/d{names[0]}", ylabel=f"d/d{names[1]}")
    axes.set_title("gradient", fontsize=8)
    axes.spines[:].set_visible(False)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_size(8)


def frame(axes: Any, domain: Box) -> None:
    """Show a box in the plane at equal scales, with neither ticks nor a frame."""
    axes.set(
        xlim=(domain.lower[0], domain.upper[0]), ylim=(domain.lower[1], domain.upper[1]), xticks=[], yticks=[]
    )
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)
