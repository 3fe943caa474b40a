"""Figures of complexes and of their region graphs, in two and three dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from creased.core.complexes.complex import PolyhedralComplex, find_regions
from creased.core.complexes.polygons import Polygons
from creased.core.complexes.regions import Regions
from creased.core.formatting import format_number, format_number_of
from creased.core.program.program import Program
from creased.drawing.palette import INK, by_place
from creased.drawing.plane import layers_of, region_polygons
from creased.regions import RegionGraph
from creased.regions.rows import name_row
from creased.viewer.figures.hover import BREAK, describe_cells, require_same
from creased.viewer.figures.traces import Picture, css, dots, fills, layout, lines, require_few
from creased.viewer.scene import colours_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_POLYGONS = 2_000  # each is a trace of its own, so that all of it has its text
MOST_EDGES = 50_000
SMALLER = "take a smaller box, or see `creased draw`"


def show_complex(complex_: PolyhedralComplex, program: Program | None) -> Picture:
    """Show a whole, bounded complex: regions, and creases by layer.

    Raises:
        ValueError: it has other than two or three dimensions, is unbounded, a piece, or too large for a page.
    """
    regions = find_regions(_checked(complex_))
    require_same(complex_.layout, program)
    maps = None if program is None else regions.maps(program.to("cpu", torch.float64))
    names = [f"region {i}" for i in range(regions.n)]
    texts = describe_cells(names, regions.words, regions.layout, maps)
    points = _middles(complex_, regions)
    traces = _creases(complex_)
    if complex_.dim == 2:
        traces = _filled(complex_, regions, points if maps is None else _slopes(maps), texts) + traces
    else:
        traces.append(dots(points, "regions", texts, css(np.array([0.6, 0.6, 0.6])), 3))
    return Picture(traces, _caption(complex_, regions), layout(complex_.dim))


def show_graph(graph: RegionGraph, program: None = None) -> Picture:
    """Show the regions of a graph as dots, joined where they share a facet, in front of the complex.

    Raises:
        ValueError: as `show_complex`.
    """
    complex_, regions = _checked(graph.complex), graph.regions
    names = [
        f"region {i}, {format_number_of(n, 'neighbour')}, volume {format_number(volume)}"
        for i, (n, volume) in enumerate(zip(graph.degrees().tolist(), graph.volumes.tolist(), strict=True))
    ]
    texts = describe_cells(names, regions.words, regions.layout, graph.maps)
    points, traces = _middles(complex_, regions), _creases(complex_)
    if complex_.dim == 2:
        traces = _filled(complex_, regions, _slopes(graph.maps), texts) + traces
    else:
        traces = [trace.update(visible="legendonly") for trace in traces]
    pairs, rows = graph.pairs.tolist(), graph.rows.tolist()
    crossed = [
        f"regions {a} and {b}{BREAK}{name_row(regions.layout, row)}"
        for (a, b), row in zip(pairs, rows, strict=True)
    ]
    traces += lines(points[graph.pairs.numpy()], "neighbours", INK, crossed, width=1.2)
    traces.append(dots(points, "regions", texts, "white", 7 if complex_.dim == 2 else 4))
    title = f"{format_number_of(graph.n, 'region')}, {format_number_of(len(pairs), 'pair')} of neighbours"
    return Picture(traces, title, layout(complex_.dim))


def _checked(complex_: PolyhedralComplex) -> PolyhedralComplex:
    if complex_.dim not in (2, 3):
        raise ValueError(f"figure: draws complexes in 2 and 3 dimensions, got D = {complex_.dim}")
    if bool(complex_.is_ray().any()):
        raise ValueError("figure: the complex is unbounded; extract it on a box")
    require_few(complex_.edges.shape[0], MOST_EDGES, "edges", SMALLER)
    return complex_.to("cpu")


def _filled(
    complex_: PolyhedralComplex, regions: Regions, places: NDArray[np.float64], texts: list[str]
) -> list[Any]:
    """Fill the regions in the plane, each coloured by a place (R, 2)."""
    require_few(regions.n, MOST_POLYGONS, "regions", SMALLER)
    polygons = region_polygons(regions, complex_)
    corners = complex_.vertices[polygons.indices].numpy()
    return fills(
        np.split(corners, polygons.offsets[1:-1].tolist()),
        [css(colour) for colour in by_place(places)],
        texts,
    )


def _slopes(maps: Tensor) -> NDArray[np.float64]:
    """Gradients (R, 2) of the first output."""
    slopes: NDArray[np.float64] = maps[:, :-1, 0].detach().double().numpy()
    return slopes


def _creases(complex_: PolyhedralComplex) -> list[Any]:
    """Draw the edges in the colour of the latest row that they lie on, one trace a layer."""
    rows = complex_.edge_zero_ids
    layers, n_layers = layers_of(rows.amax(1), complex_.layout), len(complex_.layout.widths)
    ends = complex_.vertices.detach()[complex_.edges.long()].double().numpy()
    words = {-3: "grid", -1: "wall of the domain", n_layers: "output"}
    traces = []
    for layer in np.unique(layers).tolist():
        chosen = np.flatnonzero(layers == layer)
        names = [
            " and ".join(name_row(complex_.layout, row) for row in zeros) for zeros in rows[chosen].tolist()
        ]
        colour = INK if layer == n_layers else css(colours_of(np.array([layer]))[0])
        width = 3.0 if layer == n_layers else 1.4
        traces += lines(ends[chosen], words.get(layer, f"layer {layer + 1}"), colour, names, width=width)
    return traces


def _middles(complex_: PolyhedralComplex, regions: Regions) -> NDArray[np.float64]:
    """The mean (R, D) of the vertices of each region."""
    polygons = Polygons(*regions.vertices())
    sums = polygons.sums(complex_.vertices.detach().double()[polygons.indices])
    middles: NDArray[np.float64] = (sums / polygons.sizes[:, None]).numpy()
    return middles


def _caption(complex_: PolyhedralComplex, regions: Regions) -> str:
    numbers = (
        format_number_of(complex_.vertices.shape[0], "vertex", "vertices"),
        format_number_of(complex_.edges.shape[0], "edge"),
        format_number_of(regions.n, "region"),
    )
    return "complex: " + ", ".join(numbers) + (f"; {complex_.status}" if complex_.status else "")
