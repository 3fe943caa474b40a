"""Draw the complex of a small network fitted to the distance of two discs and a bar; takes seconds.

./run python -m scripts.tropical.complex --out docs/pictures/complex.png
"""

from __future__ import annotations

import torch
from torch import Tensor

import creased
from creased.drawing import draw_complex, flatten
from scripts.common.figures import pyplot, save_flat
from scripts.common.networks import fit_network
from scripts.common.options import make_parser


def main() -> None:
    """Train and draw."""
    parser = make_parser(__doc__, "docs/pictures/complex.png")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1500)
    chosen = parser.parse_args()
    network = fit_network(2, (chosen.depth, chosen.width), _batch, 1e-2, chosen.steps)
    flat = flatten(creased.lower(network), creased.Box.cube(2, 0.5))
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(6, 6.4), layout="constrained")
    draw_complex(axes, flat)
    save_flat(figure, chosen.out, dpi=120)
    print(f"{chosen.out}: {flat.n_cells} activation cells, {len(flat.polygons)} with the level set")


def _batch() -> tuple[Tensor, Tensor]:
    """Sample points, and their signed distances to two discs that a bar joins."""
    points = torch.rand(1024, 2) - 0.5
    left = (points - torch.tensor([-0.2, -0.1])).norm(dim=1) - 0.18
    right = (points - torch.tensor([0.22, 0.14])).norm(dim=1) - 0.13
    start, along = torch.tensor([-0.2, -0.1]), torch.tensor([0.42, 0.24])
    share = ((points - start) @ along / along.square().sum()).clamp(0, 1)
    bar = (points - start - share[:, None] * along).norm(dim=1) - 0.05
    return points, torch.minimum(torch.minimum(left, right), bar)


if __name__ == "__main__":
    main()
