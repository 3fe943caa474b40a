"""Draw a plane through three handwritten digits, its classes, and the least changes of one of them.

    ./run python -m scripts.classifiers.plane --out docs/pictures/digits.png

The network is that of distance.py; needs scikit-learn. Takes about ten seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from creased import Box
from creased.core.program.affine_slice import ProgramSlice, slice_through
from creased.core.program.combine import margin
from creased.drawing import PlaneComplex, draw_complex, flatten
from creased.drawing.palette import INK, by_class
from creased.tropical import Distance, activation_cells, distance_to_other_class
from scripts.classifiers.digits import Reader
from scripts.classifiers.distance import HALF_WIDTH, NORMS
from scripts.common.figures import pyplot, save_flat
from scripts.common.options import make_parser

NAMES = dict(zip(NORMS, ("1-norm", "2-norm", "∞-norm"), strict=True))
COLOURS = dict(zip(NORMS, ("#8a3b00", INK, "#0b4f8a"), strict=True))
MARGIN = 1.2  # how far the picture goes beyond the images, in least changes of the 2-norm


class Scene(NamedTuple):
    """A plane through an image and two of other classes."""

    to: ProgramSlice
    mine: int  # the class of the image, which lies at the origin
    places: Tensor  # (3, 2): of the images in the plane
    box: Box
    found: dict[float, Distance]  # the least change of class, by norm


def main() -> None:
    """Train, compute the least changes, and draw."""
    parser = make_parser(__doc__, "docs/pictures/digits.png")
    parser.add_argument("--image", type=int, default=0, help="which of the test images that are read rightly")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--steps", type=int, default=1000)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    scene = _scene(chosen.image, chosen.width, chosen.steps)
    flat, classes = _seen(scene)
    plt = pyplot()
    figure = plt.figure(figsize=(9.6, 6.2), layout="constrained")
    grid = figure.add_gridspec(3, 3, width_ratios=(4.4, 1, 1))
    _draw_plane(figure.add_subplot(grid[:, 0]), scene, flat, classes)
    _draw_images([[figure.add_subplot(grid[i, k]) for k in (1, 2)] for i in range(3)], scene)
    save_flat(figure, chosen.out, dpi=110)
    lengths = ", ".join(f"{one.value:.4f} ({NAMES[norm]})" for norm, one in scene.found.items())
    n_cells = activation_cells(scene.to.program, scene.box)
    print(f"{chosen.out}: {n_cells} activation cells; a {scene.mine} changes class after {lengths}")


def _scene(image: int, width: int, steps: int) -> Scene:
    reader = Reader.trained(width, steps)
    index = reader.read_rightly(image + 1)[image]
    through = [reader.images[index], *reader.nearest_others(index, 2)]
    to = slice_through(reader.program, *through)
    places = (torch.stack(through) - to.origin) @ to.basis
    domain = Box.cube(2, HALF_WIDTH)
    found = {norm: distance_to_other_class(to, domain, torch.zeros(2), norm) for norm in NORMS}
    middle = (places.amin(0) + places.amax(0)) / 2
    half = float((places.amax(0) - places.amin(0)).max()) / 2 + MARGIN * min(found[2].value, 1)
    box = Box((middle - half).tolist(), (middle + half).tolist())
    return Scene(to, int(reader.classes[index]), places, box, found)


def _seen(scene: Scene) -> tuple[PlaneComplex, NDArray[np.int64]]:
    """Flatten the complex with the boundary of the image's class; return its regions' classes too."""
    program = scene.to.program
    n_layers = len(program.widths)
    flat = flatten(margin(program, scene.mine), scene.box)
    is_level = flat.layers == flat.n_layers
    layers = np.where(is_level, n_layers, flat.layers)
    is_shown = is_level | (flat.layers < n_layers)  # not where other classes are compared
    centres = torch.tensor(np.array([polygon.mean(0) for polygon in flat.polygons]))
    shown = replace(flat, segments=flat.segments[is_shown], layers=layers[is_shown], n_layers=n_layers)
    return shown, program(centres).argmax(1).numpy()


def _draw_plane(axes: Any, scene: Scene, flat: PlaneComplex, classes: NDArray[np.int64]) -> None:
    """Draw the complex by class, the three images, and the largest balls in which nothing changes."""
    draw_complex(axes, flat, colours=by_class(classes, 10), line_width=0.5, legend=False)
    for norm, one in scene.found.items():
        if one.witness is not None:
            axes.plot(*_sphere(scene.to, norm, one.value).T, color=COLOURS[norm], lw=1.5)
            axes.plot(*one.witness.tolist(), "o", color=COLOURS[norm], ms=6, mec="white")
    for number, place in zip(("a", "b", "c"), scene.places.tolist(), strict=True):
        axes.plot(*place, "s", color=INK, ms=5, mec="white")
        axes.annotate(number, place, (5, 5), textcoords="offset points", fontsize=12, color=INK)
    for number in np.unique(classes):
        sizes = [_area(polygon) * (k == number) for polygon, k in zip(flat.polygons, classes, strict=True)]
        largest = flat.polygons[int(np.argmax(sizes))]
        axes.text(*largest.mean(0), str(number), fontsize=15, alpha=0.65, ha="center", va="center")


def _sphere(to: ProgramSlice, norm: float, radius: float) -> Tensor:
    """Sample points (n, 2) of the plane at a distance from the origin in the norm of the pixels."""
    angles = torch.linspace(0, 2 * math.pi, 1441, dtype=torch.float64)
    arms = torch.stack([angles.cos(), angles.sin()], dim=1)
    return radius * arms / torch.linalg.vector_norm(arms @ to.basis.T, norm, dim=1, keepdim=True)


def _area(polygon: NDArray[np.float64]) -> float:
    x, y = polygon.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _draw_images(panels: Sequence[Sequence[Any]], scene: Scene) -> None:
    """Draw the three images on the left, the nearest change in each norm on the right."""
    for (left, right), name, place, (norm, one) in zip(
        panels, ("a", "b", "c"), scene.places, scene.found.items(), strict=True
    ):
        read = int(scene.to.program(place[None]).argmax())
        _show(left, scene.to.lift(place), f"{name}: read as {read}")
        if one.witness is None:
            right.set_axis_off()
        else:
            title = f"{NAMES[norm]} {one.value:.2f}:\n{scene.mine} or {one.rival}"
            _show(right, scene.to.lift(one.witness), title)
            right.title.set_color(COLOURS[norm])


def _show(axes: Any, image: Tensor, title: str) -> None:
    axes.imshow(image.reshape(8, 8).numpy(), cmap="gray_r", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=9)


if __name__ == "__main__":
    main()
