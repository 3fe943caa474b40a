"""Interactive figures of complexes, level sets and tropical objects, for notebooks."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from creased.api import at_level
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.complexes.level_set import LevelSet
from creased.extras import how_to_install
from creased.networks.as_program import Network
from creased.regions import RegionGraph
from creased.topology import PersistenceDiagram
from creased.tropical import ClassificationFan, DualSubdivision, TropicalPolynomial, Zonotope

SHOWN_BY: dict[type, str] = {  # module of `figures` and function in it
    LevelSet: "surfaces.show_level_set",
    PolyhedralComplex: "complexes.show_complex",
    RegionGraph: "complexes.show_graph",
    PersistenceDiagram: "persistence.show_diagram",
    DualSubdivision: "tropical.show_curve",
    TropicalPolynomial: "tropical.show_curve",
    Zonotope: "tropical.show_zonotope",
    ClassificationFan: "tropical.show_fan",
}
TAKE_PROGRAMS = (LevelSet, PolyhedralComplex)


def figure(shown: Any, *, program: Network | None = None, title: str = "") -> Any:
    """Make a plotly figure: turn, zoom, hover for signs, affine maps and neurons.

    Args:
        shown: a level set or a complex in 2 or 3 dimensions, bounded; a `RegionGraph` of such a complex; a
            `PersistenceDiagram`; a tropical polynomial of two variables, or its dual subdivision; the
            zonotope of a layer with two inputs; a `ClassificationFan`.
        program: of a level set or a complex, for the affine maps in texts and colours by gradient.
        title: above the figure; by default what it shows.

    Raises:
        ImportError: plotly or NumPy is not installed.
        TypeError: there are no figures of such objects.
        ValueError: other dimensions, unbounded, another program, or more cells than a page is drawn with.
    """
    place = next((place for kind, place in SHOWN_BY.items() if isinstance(shown, kind)), None)
    if place is None:
        kinds = ", ".join(kind.__name__ for kind in SHOWN_BY)
        raise TypeError(f"figure: draws {kinds}, got {type(shown).__name__}")
    if program is not None and not isinstance(shown, TAKE_PROGRAMS):
        raise ValueError(
            f"figure: program= is for complexes and level sets, got it with {type(shown).__name__}"
        )
    module, function = place.split(".")
    try:
        import plotly.graph_objects as go

        show = getattr(import_module(f"creased.viewer.figures.{module}"), function)
    except ImportError as error:
        raise ImportError(f"figures need plotly: {how_to_install('notebook')}") from error
    lowered = None if program is None else at_level(program, None)[0].detach()
    traces, caption, layout = show(shown, lowered)
    return go.Figure(traces, layout | {"title": {"text": title or caption, "font": {"size": 14}}})
