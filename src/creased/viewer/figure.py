"""Interactive figures of level sets, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creased.core.complexes.level_set import LevelSet
from creased.extras import how_to_install

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from creased.drawing.palette import RGB
    from creased.viewer.scene import Scene

SIZE = 520  # pixels


def figure(level_set: LevelSet, *, title: str = "") -> Any:
    """Make a plotly figure of the flat-shaded surface and its creases, coloured by the layer that made them.

    In two dimensions it shows the polylines. A click on an entry of the legend hides it.

    Args:
        level_set: in 2 or 3 dimensions, bounded; may be empty.
        title: above the figure.

    Raises:
        ImportError: plotly or NumPy is not installed.
        ValueError: the level set is in other dimensions, or unbounded.
    """
    try:
        import plotly.graph_objects as go

        from creased.viewer.scene import SURFACE, level_set_scene
    except ImportError as error:
        raise ImportError(f"figures need plotly: {how_to_install('notebook')}") from error
    scene = level_set_scene(level_set, "level set")
    drawn = go.Figure(layout=_layout(title or scene.caption, level_set.dim))
    if len(scene.triangles):
        (x, y, z), (i, j, k) = scene.vertices.T, scene.triangles.T
        solid = {"color": _css(SURFACE), "flatshading": True, "hoverinfo": "skip", "showlegend": True}
        drawn.add_trace(go.Mesh3d(x=x, y=y, z=z, i=i, j=j, k=k, name="surface", **solid))
    for name, colour in scene.legend.items():
        x, y, z = _strokes(scene, colour)
        pen = {"name": name, "mode": "lines", "line": {"color": _css(colour), "width": 3}}
        is_flat = level_set.dim == 2
        drawn.add_trace(go.Scatter(x=x, y=y, **pen) if is_flat else go.Scatter3d(x=x, y=y, z=z, **pen))
    return drawn


def _strokes(scene: Scene, colour: RGB) -> NDArray[np.float32]:
    """Join the creases of a colour to one line (3, 3 n), with a NaN after each."""
    import numpy as np

    chosen = scene.creases.points[(scene.creases.colours == colour).all(axis=1)]
    return np.pad(chosen, ((0, 0), (0, 1), (0, 0)), constant_values=np.nan).reshape(-1, 3).T


def _layout(title: str, dim: int) -> dict[str, Any]:
    shared = {
        "title": {"text": title, "font": {"size": 14}},
        "height": SIZE,
        "margin": {"b": 0, "l": 0, "r": 0},
    }
    if dim == 2:
        return shared | {"yaxis": {"scaleanchor": "x"}, "width": SIZE, "template": "plotly_white"}
    return shared | {"scene": {"aspectmode": "data"}}


def _css(colour: RGB) -> str:
    return f"rgb{tuple(colour)}"
