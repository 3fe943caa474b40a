"""Traces of plotly in the plane and in space: lines, dots and polygons, with texts to hover over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from creased.drawing.palette import INK

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 520  # pixels
SCENE = {"aspectmode": "data", "camera": {"eye": {"x": 2.0, "y": 2.0, "z": 1.3}}}  # all of it is in view
UNSEEN = {"opacity": 0, "size": 9}  # markers that are there to be hovered over


class Picture(NamedTuple):
    """What a figure shows."""

    traces: list[Any]
    caption: str  # one line
    layout: dict[str, Any]  # of plotly


def require_few(n: int, most: int, what: str, instead: str) -> None:
    """Refuse what a browser does not turn smoothly.

    Raises:
        ValueError: there are more than allowed.
    """
    if n > most:
        raise ValueError(f"figure: {n:,} {what}, more than the {most:,} that a page is drawn with: {instead}")


def css(colour: Sequence[float] | NDArray[Any]) -> str:
    """Format red, green and blue, in 0..255 or as floats in 0..1."""
    scale = 255 if np.asarray(colour).dtype.kind == "f" else 1
    return f"rgb{tuple(round(float(x) * scale) for x in colour)}"


def lines(ends: NDArray[Any], name: str, colour: str, texts: Sequence[str] = (), **options: Any) -> list[Any]:
    """Draw segments (n, 2, D) as one line with gaps, each with its text in the middle (D = 2) or all along.

    Args:
        ends: of the segments.
        name: in the legend.
        colour: of CSS.
        texts: n, or none.
        options: of the trace; ``width`` in pixels.
    """
    import plotly.graph_objects as go

    pen = {"color": colour, "width": options.pop("width", 3)}
    shared = {"name": name, "legendgroup": name, "hoverinfo": "skip"} | options
    points = np.pad(ends, ((0, 0), (0, 1), (0, 0)), constant_values=np.nan).reshape(-1, ends.shape[2])
    if ends.shape[2] == 3:
        if texts:
            shared |= {"text": np.repeat(np.array(texts, dtype=object), 3), "hoverinfo": "text"}
        return [go.Scatter3d(**_axes(points), mode="lines", line=pen, **shared)]
    drawn = [go.Scatter(**_axes(points), mode="lines", line=pen, **shared)]
    if texts:
        marker = UNSEEN | {"color": colour}  # also of the box that a text is in
        shared |= {"showlegend": False, "text": list(texts), "hoverinfo": "text"}
        drawn.append(go.Scatter(**_axes(ends.mean(1)), mode="markers", marker=marker, **shared))
    return drawn


def dots(
    points: NDArray[Any], name: str, texts: Sequence[str], colours: Any = INK, size: float = 6, **options: Any
) -> Any:
    """Draw points (n, D), each with its text."""
    import plotly.graph_objects as go

    kind = go.Scatter3d if points.shape[1] == 3 else go.Scatter
    marker = {"color": colours, "size": size, "line": {"color": INK, "width": 1}}
    shared = {"name": name, "mode": "markers", "marker": marker, "text": list(texts), "hoverinfo": "text"}
    return kind(**_axes(points), **(shared | options))


def fills(
    polygons: Sequence[NDArray[Any]], colours: Sequence[str], texts: Sequence[str], **options: Any
) -> list[Any]:
    """Fill convex polygons (n, 2), each of its colour, with its text wherever one hovers over it."""
    import plotly.graph_objects as go

    shared = {"mode": "lines", "fill": "toself", "hoveron": "fills", "hoverinfo": "text", "showlegend": False}
    return [
        go.Scatter(
            **_axes(points),
            fillcolor=colour,
            line={"width": 0, "color": colour},
            text=text,
            **shared,
            **options,
        )
        for points, colour, text in zip(polygons, colours, texts, strict=True)
    ]


def faces(
    points: NDArray[Any],
    sizes: NDArray[np.int64],
    name: str,
    colour: str,
    texts: Sequence[str] = (),
    **options: Any,
) -> Any:
    """Draw convex polygons in space as fans of triangles, given corners (n, 3) one behind the other."""
    import plotly.graph_objects as go

    starts = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(sizes)), np.maximum(sizes - 2, 0))
    step = np.arange(len(owner)) - np.repeat(np.cumsum(sizes - 2) - (sizes - 2), sizes - 2)
    first = starts[owner]
    shared = {"name": name, "color": colour, "flatshading": True, "hoverinfo": "skip", "showlegend": True}
    if texts:
        shared |= {"hovertext": np.repeat(np.array(texts, dtype=object), sizes), "hoverinfo": "text"}
    corners = {"i": first, "j": first + step + 1, "k": first + step + 2}
    return go.Mesh3d(**_axes(points), **corners, **(shared | options))


def _axes(points: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return dict(zip("xyz", points.T, strict=False))


def layout(dim: int) -> dict[str, Any]:
    """Make the layout of a picture in two or three dimensions, at equal scales."""
    shared = {"height": SIZE, "hoverlabel": {"align": "left"}, "hovermode": "closest"}
    shared |= {"legend": {"itemsizing": "constant", "tracegroupgap": 0}}
    if dim == 3:
        return shared | {"scene": SCENE, "margin": {"b": 0, "l": 0, "r": 0}}
    plane = {"yaxis": {"scaleanchor": "x"}, "width": SIZE + 120, "template": "plotly_white"}
    return shared | plane | {"margin": {"b": 60, "l": 60, "r": 0}}
