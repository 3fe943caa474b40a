"""Draw the tropical curves of two small networks beside their dual subdivisions; takes seconds.

./run python -m scripts.tropical.dual --out docs/pictures/dual.png
"""

from __future__ import annotations

from creased.drawing import draw_curve, draw_dual, flatten_curve
from creased.tropical import TropicalRational
from scripts.common.figures import pyplot, save_flat
from scripts.common.options import make_parser
from tests.tropical.nets import named

NAMES = {"E231": "2, 3, 1", "E2321": "2, 3, 2, 1"}


def main() -> None:
    """Compute the curves and draw."""
    chosen = make_parser(__doc__, "docs/pictures/dual.png").parse_args()
    plt = pyplot()
    figure, rows = plt.subplots(len(NAMES), 2, figsize=(8.4, 8.9), layout="constrained")
    for (name, widths), (left, right) in zip(NAMES.items(), rows, strict=True):
        f = TropicalRational.from_program(named(name))
        curve = flatten_curve(f.numerator.odot(f.denominator))
        draw_curve(left, curve)
        draw_dual(right, curve)
        left.set_title(f"{name} ({widths}): the curve of F ⊙ G", fontsize=10)
        right.set_title("its dual subdivision", fontsize=10)
        print(
            f"{name}: {curve.dual.polynomial.n} regions, {len(curve.vertices)} vertices, "
            f"{len(curve.dual.directions)} directions"
        )
    save_flat(figure, chosen.out, dpi=130)


if __name__ == "__main__":
    main()
