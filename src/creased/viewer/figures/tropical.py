"""Figures of tropical objects: curves beside dual subdivisions, zonotopes, classification fans."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.core.domains.box import Box
from creased.core.exact.elimination import primitive
from creased.core.formatting import cut_list, format_number_of, format_point, format_signs
from creased.drawing.curves import flatten_curve, in_order
from creased.drawing.palette import INK, by_class, by_place
from creased.drawing.zonotopes import PALE, solid_of, upper_polynomial
from creased.tropical import ClassificationFan, DualSubdivision, TropicalPolynomial, Zonotope
from creased.viewer.figures.hover import BREAK
from creased.viewer.figures.traces import (
    SCENE,
    SIZE,
    Picture,
    css,
    dots,
    faces,
    fills,
    layout,
    lines,
    require_few,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_CELLS = 2_000  # of a curve or a zonotope; they are found in fractions
MOST_CONES = 5_000
FLOOR = "#f1f3f6"


def show_curve(shown: DualSubdivision | TropicalPolynomial, program: None = None) -> Picture:
    """Show a tropical curve in the plane on the left, and its dual subdivision on the right.

    Raises:
        ValueError: there are other than two variables, or too many monomials for a page.
    """
    polynomial = shown.polynomial if isinstance(shown, DualSubdivision) else shown
    require_few(polynomial.n, MOST_CELLS, "monomials", "prune by `essential`, or take one of fewer")
    curve = flatten_curve(polynomial)
    monomials = [
        f"monomial {i + 1}: {text}" for i, text in enumerate(curve.dual.polynomial.format_monomials())
    ]
    colours = [css(colour) for colour in by_place(curve.slopes)]
    there = [i for i, corners in enumerate(curve.regions) if len(corners)]
    traces = fills(
        [curve.regions[i] for i in there], [colours[i] for i in there], [monomials[i] for i in there]
    )
    equal = [BREAK.join(["equal:", monomials[a], monomials[b]]) for a, b in curve.pairs.tolist()]
    traces += lines(curve.segments, "curve", INK, equal, width=2)
    corners = [
        f"vertex {format_point(point)}{BREAK}monomials {cut_list(str(i + 1) for i in cell)}"
        for point, cell in zip(curve.dual.vertices, curve.dual.cells, strict=True)
    ]
    traces.append(dots(curve.vertices, "vertices", corners))
    right: dict[str, Any] = {"xaxis": "x2", "yaxis": "y2"}
    cells = [in_order(curve.slopes[list(cell)]) for cell in curve.dual.cells]
    traces += fills(cells, [FLOOR] * len(cells), [f"dual to {text}" for text in corners], **right)
    edges = np.array(curve.dual.edges, dtype=np.int64).reshape(-1, 2)
    dual = [f"dual to where {a + 1} and {b + 1} are equal" for a, b in edges.tolist()]
    traces += lines(curve.slopes[edges], "dual subdivision", INK, dual, width=2, **right)
    traces.append(dots(curve.slopes, "monomials", monomials, colours, 11, **right))
    counts = (
        format_number_of(curve.dual.polynomial.n, "monomial"),
        format_number_of(len(corners), "vertex", "vertices"),
        format_number_of(len(edges), "edge"),
    )
    return Picture(traces, f"tropical curve: {', '.join(counts)}", _side_by_side(curve.domain))


def _side_by_side(domain: Box) -> dict[str, Any]:
    """Make the layout of two pictures, the left one of a box."""
    (left, bottom), (right, top) = domain.lower, domain.upper
    return layout(2) | {
        "width": 2 * SIZE,
        "showlegend": False,
        "xaxis": {"domain": [0, 0.48], "range": [left, right], "constrain": "domain"},
        "yaxis": {"scaleanchor": "x", "range": [bottom, top], "constrain": "domain"},
        "xaxis2": {"domain": [0.54, 1], "constrain": "domain"},
        "yaxis2": {"scaleanchor": "x2", "anchor": "x2", "constrain": "domain"},
    }


def show_zonotope(zonotope: Zonotope, program: None = None) -> Picture:
    """Show a zonotope in space, its upper vertices coloured as the regions of the layer.

    Raises:
        ValueError: its generators span other than three dimensions, or are too many for a page.
    """
    n_faces = len(zonotope.generators) * (len(zonotope.generators) - 1)
    require_few(n_faces, MOST_CELLS, "faces", "take a layer of fewer neurons")
    solid, upper = solid_of(zonotope), upper_polynomial(zonotope).format_monomials()
    corners = solid.vertices[[i for face in solid.faces for i in face]]
    sizes = np.array([len(face) for face in solid.faces])
    traces = [faces(corners, sizes, "faces", PALE, opacity=0.55, lighting={"ambient": 0.7})]
    named = defaultdict(list)
    for number, row in enumerate(zonotope.rows()):
        if any(row):
            named[max(row, tuple(-x for x in row))].append(f"neuron {number}")
    unit = np.array([primitive(row) for row in named], dtype=np.float64)
    unit /= np.linalg.norm(unit, axis=1)[:, None]
    ends = solid.vertices[np.array(solid.edges)]
    nearest = np.abs((ends[:, 1] - ends[:, 0]) @ unit.T).argmax(1)
    along = [cut_list(names) for names in named.values()]
    traces += lines(ends, "edges", INK, [along[i] for i in nearest])
    texts = [f"upper vertex, region where the layer's sum is{BREAK}{text}" for text in upper]
    colours = [css(colour) for colour in by_place(solid.vertices[: solid.n_upper, :2])]
    traces.append(dots(solid.vertices[: solid.n_upper], "upper vertices", texts, colours, 7))
    lower = solid.vertices[solid.n_upper :]
    traces.append(dots(lower, "lower vertices", [format_point(row) for row in lower.tolist()], PALE, 3))
    caption = (
        f"zonotope: {format_number_of(len(zonotope.generators), 'generator')}, {solid.n_upper} of "
        f"{format_number_of(len(solid.vertices), 'vertex', 'vertices')} upper"
    )
    names = {
        f"{axis}axis": {"title": {"text": text}} for axis, text in zip("xyz", ("w1", "w2", "b"), strict=True)
    }
    return Picture(traces, caption, layout(3) | {"scene": SCENE | names})


def show_fan(fan: ClassificationFan, program: None = None) -> Picture:
    """Show the cones of a fan as the vertices of the activation polytope, to which they are normal.

    The polytope is projected to its three principal axes. Lines join cones of patterns that differ at one
    point.

    Raises:
        ValueError: there are more cones than a page is drawn with.
    """
    owned = [(labeling, pattern) for labeling, patterns in fan.items() for pattern in patterns]
    require_few(len(owned), MOST_CONES, "cones", "take fewer points or terms")
    vertices, share = _projected(fan, [pattern for _, pattern in owned])
    texts = [
        f"labeling {format_signs(labeling)}{BREAK}largest terms {', '.join(map(str, pattern))}"
        for labeling, pattern in owned
    ]
    traces = lines(vertices[_flips([p for _, p in owned])], "differ at one point", "#b4b4b4", width=1.5)
    colours, start = by_class(np.arange(len(fan)), len(fan)), 0
    for colour, (labeling, patterns) in zip(colours, fan.items(), strict=True):
        mine = slice(start, start + len(patterns))
        name = f"{format_signs(labeling)}: {format_number_of(len(patterns), 'cone')}"
        traces.append(dots(vertices[mine], name, texts[mine], css(colour), 5))
        start = mine.stop
    counts = f"{format_number_of(len(owned), 'cone')}, {format_number_of(len(fan), 'labeling')}"
    titles = {f"{axis}axis": {"title": {"text": f"principal axis {i}"}} for i, axis in enumerate("xyz", 1)}
    caption = f"fan: {counts}; the axes hold {share:.0%} of the spread"
    return Picture(traces, caption, layout(3) | {"scene": SCENE | titles})


def _projected(fan: ClassificationFan, patterns: list[tuple[int, ...]]) -> tuple[NDArray[np.float64], float]:
    """Vertices (n, 3) of the activation polytope on its principal axes, and the share of variance there."""
    n_terms = fan.n_positive + fan.n_negative
    rows = np.array([[*map(float, point), 1.0] for point in fan.points])
    chosen = np.eye(n_terms)[np.array(patterns)]  # (n, M, k)
    vertices = np.einsum("npk,pd->nkd", chosen, rows).reshape(len(patterns), -1)
    vertices -= vertices.mean(0)
    _, sizes, axes = np.linalg.svd(vertices, full_matrices=False)
    flat = vertices @ axes[:3].T
    share = float((sizes[:3] ** 2).sum() / ((sizes**2).sum() or 1.0))
    return np.pad(flat, ((0, 0), (0, 3 - flat.shape[1]))), share


def _flips(patterns: list[tuple[int, ...]]) -> NDArray[np.int64]:
    """Pairs (n, 2) of patterns that differ at one point."""
    groups = defaultdict(list)
    for number, pattern in enumerate(patterns):
        for point in range(len(pattern)):
            groups[point, pattern[:point] + pattern[point + 1 :]].append(number)
    pairs = {(a, b) for group in groups.values() for a in group for b in group if a < b}
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
