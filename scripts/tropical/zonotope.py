"""Draw the zonotopes of two layers in space, beside the lines that the layers cut the plane along.

./run python -m scripts.tropical.zonotope --out docs/pictures/zonotope.png
"""

from __future__ import annotations

from fractions import Fraction

from creased.drawing import draw_curve, draw_zonotope, flatten_curve, solid_of, upper_polynomial
from creased.tropical import Zonotope, count_vertices, zonotope_of_layer
from scripts.common.figures import pyplot, save_flat
from scripts.common.options import make_parser
from tests.tropical.nets import named

LINES = [(4, 1, 2), (3, 3, -3), (1, 4, 2), (-1, 4, -2), (-3, 3, 3), (-4, 1, -2)]  # (w, b), generic


def main() -> None:
    """Find the faces and draw."""
    chosen = make_parser(__doc__, "docs/pictures/zonotope.png").parse_args()
    plt = pyplot()
    six = Zonotope(tuple(tuple(map(Fraction, line)) for line in LINES), 3)
    layers = {"E231, 3 neurons": zonotope_of_layer(named("E231")), "6 neurons": six}
    figure = plt.figure(figsize=(8.4, 8.9), layout="constrained")
    for row, (name, zonotope) in enumerate(layers.items()):
        counts, solid = count_vertices(zonotope), solid_of(zonotope)
        left = figure.add_subplot(2, 2, 2 * row + 1, projection="3d")
        draw_zonotope(left, solid)
        left.set_title(f"{name}: {counts.vertices} vertices, {counts.upper} of them upper", fontsize=10)
        right = figure.add_subplot(2, 2, 2 * row + 2)
        draw_curve(right, flatten_curve(upper_polynomial(zonotope)), numbers=False)
        right.set_title(f"its {counts.upper} regions, {counts.shadow} at infinity", fontsize=10)
        print(f"{name}: {len(solid.vertices)} vertices, {len(solid.edges)} edges, {len(solid.faces)} faces")
    save_flat(figure, chosen.out, dpi=130)


if __name__ == "__main__":
    main()
