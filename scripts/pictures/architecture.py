"""Draw the way from a mesh to a loss beside the packages and their imports; takes seconds.

./run python -m scripts.pictures.architecture --out docs/pictures/architecture.png

Imports are read from the source by grimp. An arrow leads from a package to one that it imports; it is left
out where a longer way leads there. Boxes are placed by hand so that each arrow is a vertical line that meets
no other box. The arrows are written into the picture's metadata: a test compares them with the imports.
"""

from __future__ import annotations

import json
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

import grimp
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch

from creased.drawing.palette import INK, LAYERS
from scripts.common.figures import pyplot, save_flat
from scripts.common.options import make_parser

GREY = "#64748b"
COLOURS = {
    "core": LAYERS[0],
    "training": LAYERS[1],
    "geometry": LAYERS[2],
    "shapes": LAYERS[3],
    "networks": LAYERS[4],
}
HEAD = "-|>,head_width=0.22,head_length=0.45"
ARROW = {"arrowstyle": HEAD, "color": GREY, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
TEXT = {"ha": "center", "va": "center", "color": INK}
LOOSE = "core.extract_*"  # the modules of core that are in no package of it, but for those with a box
BESIDE = "core.marching, grids"  # packages that import the same, and not each other
IN_BOX = {"core.marching": BESIDE, "core.grids": BESIDE, "core.formatting": "core.numerics"}
Arrow = tuple[str, str]


class Box(NamedTuple):
    """The box of a package in the drawing; y grows downward."""

    left: float
    right: float
    top: float
    about: str
    height: float = 0.62


BOXES = {
    "training": Box(0, 12, 0, "Lightning modules, data, losses, callbacks, runs"),
    "cli": Box(1.0, 9.4, 0.89, "creased extract, view, draw, compare, count, ..."),
    "viewer": Box(3.8, 10.2, 1.78, "pages, live too, and figures in notebooks"),
    "evaluation": Box(0, 3.2, 2.67, "a function against its shape"),
    "render": Box(3.8, 6.6, 2.67, "pictures by ray casting"),
    "drawing": Box(8.3, 11, 2.67, "figures in the plane"),
    "shapes": Box(0.8, 6.2, 3.56, "training shapes, distances"),
    "io": Box(0, 7.6, 4.45, "exact meshes out, networks in"),
    "parallel": Box(7.9, 10.1, 4.45, "sub-boxes on workers"),
    "api": Box(0, 8.2, 5.34, "modules in, results out"),
    "decomposition": Box(1.8, 10.1, 6.23, "convex parts, tetrahedra"),
    "meshes": Box(1.8, 6, 7.12, "polygons, caps, checks"),
    "regions": Box(7.5, 10.1, 7.12, "graphs, volumes, Lipschitz"),
    "geometry": Box(1.8, 6, 8.01, "vertices, regularizers, in training"),
    "topology": Box(0, 1.5, 8.01, "homology"),
    "tropical": Box(7.5, 12, 8.01, "exact forms, counts, distances"),
    "networks": Box(1.8, 12, 8.9, "models, lowering, ONNX"),
    "core": Box(0, 12, 9.78, "the engine: torch and the standard library only", 8.85),
    LOOSE: Box(0.3, 11.7, 10.53, "extract_complex, extract_level_set, the choice of a method"),
    "core.certificates": Box(0.3, 5.8, 11.43, "proofs that signs and edges are right"),
    "core.streaming": Box(6.2, 11.7, 11.43, "walks what is larger than memory in sub-boxes"),
    BESIDE: Box(0.3, 11.7, 12.33, "walks the level set from cell to cell; cuts the simplices of a grid"),
    "core.complexes": Box(0.3, 5.8, 13.23, "complexes, level sets, audits"),
    "core.subdivision": Box(6.2, 11.7, 13.23, "cuts the domain, drops cells by proof"),
    "core.provenance": Box(3.9, 8.1, 14.13, "how a result was found, what is missing"),
    "core.domains": Box(0.3, 11.7, 15.03, "boxes, simplices, polytopes, the whole space"),
    "core.exact": Box(0.3, 11.7, 15.93, "signs in integers"),
    "core.arrangement": Box(0.3, 5.8, 16.83, "sign vectors, cofaces, skeletons"),
    "core.program": Box(6.2, 11.7, 16.83, "blocks, bounds, affine arithmetic"),
    "core.native": Box(0.3, 3.4, 17.73, "kernels for CPUs"),
    "core.numerics": Box(3.8, 11.7, 17.73, "tolerances, memory, tensors, words"),
}
ASIDE = (["extras"], ["__main__"])  # modules that say how to install, and how to start
WAY = {  # from a mesh to a loss
    "1  shape: closed, in the domain": Box(-6, -1, 0.72, "shapes/shape.py"),
    "2  batches of points, distances": Box(-6, -1, 2.4, "training/data.py"),
    "3  module: a network to be fitted": Box(-6, -1, 4.08, "training/module.py"),
    "4  lower: traced, or refused": Box(-6, -1, 5.76, "networks/lower.py"),
    "5  program: ReLU blocks": Box(-6, -1, 7.44, "core/program/program.py"),
    "6  subdivision": Box(-6, -3.6, 9.12, "core/subdivision/"),
    "or marching": Box(-3.4, -1, 9.12, "core/marching/"),
    "7  level set: polygons, zero ids": Box(-6, -1, 10.8, "core/complexes/level_set.py"),
    "8  implicit vertices": Box(-6, -1, 12.48, "geometry/implicit_vertices.py"),
    "9  regularizers": Box(-6, -1, 14.16, "geometry/regularizers/"),
    "10  loss": Box(-6, -1, 15.84, "training/losses.py"),
}


def main() -> None:
    """Read the imports and draw."""
    chosen = make_parser(__doc__, "docs/pictures/architecture.png").parse_args()
    plt = pyplot()
    arrows = find_arrows()
    figure = plt.figure(figsize=(14, 14.3))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-7.1, 12.3), ylim=(18.95, -1.05))
    axes.set_axis_off()
    axes.text(-3.5, -0.6, "from a mesh to a loss", fontsize=14, **TEXT)
    axes.text(6, -0.6, "packages and their imports", fontsize=14, **TEXT)
    for name, box in BOXES.items():
        _draw_box(axes, box, name.removeprefix("core."), COLOURS.get(name.partition(".")[0], GREY))
    for arrow in reduced(arrows):
        _draw_arrow(axes, *find_way(*arrow))
    _draw_way(axes)
    save_flat(figure, chosen.out, dpi=120, text={"arrows": json.dumps(sorted(arrows))})


def find_arrows() -> set[Arrow]:
    """Find which package imports which, in `creased` and within `creased.core`."""
    graph = grimp.build_graph("creased", cache_dir=None)

    def names(module: str) -> list[str]:
        """Name the boxes that hold a module, the outer one first."""
        _, *rest = module.split(".")
        if rest[:1] in ASIDE:
            return []
        if rest[:1] != ["core"] or len(rest) == 1:
            return rest[:1]
        name = IN_BOX.get(".".join(rest[:2]), ".".join(rest[:2]))
        return ["core", name if name in BOXES or graph.find_children(f"creased.{name}") else LOOSE]

    pairs = {
        pair
        for module in graph.modules
        for other in graph.find_modules_directly_imported_by(module)
        for pair in zip(names(module), names(other), strict=False)
    }
    return {(a, b) for a, b in pairs if a != b}


def reduced(arrows: set[Arrow]) -> list[Arrow]:
    """Compute the transitive reduction: leave out arrows that a longer way replaces.

    Raises:
        CycleError: arrows form a circle; a low loose module of core needs a box of its own.
    """
    heads = {start: {b for a, b in arrows if a == start} for start, _ in arrows}
    TopologicalSorter(heads).prepare()

    def reaches(a: str, b: str) -> bool:
        return a == b or any(reaches(other, b) for other in heads.get(a, ()))

    return sorted((a, b) for a, b in arrows if not any(reaches(other, b) for other in heads[a] - {b}))


def find_way(upper: str, lower: str) -> tuple[float, float, float]:
    """Find a vertical line (x, top, bottom) from one box down to another, in the widest free gap.

    Raises:
        ValueError: there is none, or a package has no box yet.
    """
    if missing := {upper, lower} - BOXES.keys():
        raise ValueError(f"draw_architecture: give {', '.join(missing)} a place in BOXES")
    a, b = BOXES[upper], BOXES[lower]
    ways = [(max(a.left, b.left), min(a.right, b.right))]
    for box in BOXES.values():
        if a.top < box.top < b.top:
            pieces = [(x, min(y, box.left)) for x, y in ways] + [(max(x, box.right), y) for x, y in ways]
            ways = [(x, y) for x, y in pieces if x < y]
    if not ways or a.top >= b.top:
        raise ValueError(f"draw_architecture: no free way down from {upper} to {lower}: move them in BOXES")
    left, right = max(ways, key=lambda way: way[1] - way[0])
    return (left + right) / 2, a.top + a.height, b.top


def _draw_box(axes: Any, box: Box, name: str, colour: str) -> None:
    corner, size = (box.left, box.top), (box.right - box.left, box.height)
    style = {"boxstyle": "round,pad=0,rounding_size=0.12", "ec": colour, "fc": _tint(colour, box.height > 1)}
    axes.add_patch(FancyBboxPatch(corner, *size, lw=1.1, **style))
    middle = (box.left + box.right) / 2
    axes.text(middle, box.top + 0.22, name, fontsize=10.5, weight="bold", **TEXT)
    axes.text(middle, box.top + 0.45, box.about, fontsize=8.5, **TEXT)


def _tint(colour: str, is_pale: bool) -> tuple[float, ...]:
    """Mix a colour with white."""
    share = 0.07 if is_pale else 0.2
    return tuple(1 - share * (1 - part) for part in to_rgb(colour))


def _draw_arrow(axes: Any, x: float, start: float, end: float) -> None:
    axes.annotate("", (x, end), (x, start), arrowprops=ARROW)


def _draw_way(axes: Any) -> None:
    """Draw the ten steps below each other, and at the sides the use of weights and gradients."""
    axes.text(-3.5, 0.2, "a mesh", fontsize=10.5, style="italic", **TEXT)
    _draw_arrow(axes, -3.5, 0.35, 0.72)
    for name, box in WAY.items():
        _draw_box(axes, box, name, COLOURS[box.about.partition("/")[0]])
        for below in WAY.values():
            if 0 < below.top - box.top < 2:
                middle = (max(box.left, below.left) + min(box.right, below.right)) / 2
                _draw_arrow(axes, middle, box.top + box.height, below.top)
    middles = {name.split()[0]: box.top + box.height / 2 for name, box in WAY.items()}
    _draw_bend(axes, -6, -6.5, (middles["10"], middles["3"]), "gradients")
    _draw_bend(axes, -1, -0.6, (middles["5"], middles["8"]), "live weights")


def _draw_bend(axes: Any, x: float, side: float, heights: tuple[float, float], text: str) -> None:
    """Draw an arrow from one box to another along their side."""
    start, end = heights
    axes.plot([x, side, side], [start, start, end], color=GREY, lw=1.2)
    axes.annotate("", (x, end), (side, end), arrowprops=ARROW)
    blank = {"fc": "white", "ec": "none", "pad": 2}
    axes.text(side, (start + end) / 2, text, rotation=90, fontsize=8.5, bbox=blank, **TEXT)


if __name__ == "__main__":
    main()
