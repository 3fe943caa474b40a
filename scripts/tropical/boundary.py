"""Draw the decision boundaries of two networks as parts of tropical curves; takes seconds.

./run python -m scripts.tropical.boundary --out docs/pictures/boundary.png
"""

from __future__ import annotations

import torch
from torch import Tensor

import creased
from creased.drawing import draw_boundary, draw_dual, flatten_boundary
from creased.tropical import TropicalRational
from scripts.common.figures import pyplot, save_flat
from scripts.common.options import make_parser
from tests.tropical.nets import named


def main() -> None:
    """Compute the curves and draw."""
    parser = make_parser(__doc__, "docs/pictures/boundary.png")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--steps", type=int, default=1500)
    chosen = parser.parse_args()
    points, is_upper = half_moons()
    fitted = creased.lower(fit(creased.MLP(2, chosen.width, 1), points, is_upper, chosen.steps)).detach()
    square = creased.Box((-1.35, -1.6), (2.35, 2.1))
    networks = [("E2321", named("E2321"), None), ("half-moons", fitted, square)]
    plt = pyplot()
    figure, rows = plt.subplots(len(networks), 2, figsize=(8.4, 8.4), layout="constrained")
    for (name, program, domain), (left, right) in zip(networks, rows, strict=True):
        boundary = flatten_boundary(TropicalRational.from_program(program), domain)
        draw_boundary(left, boundary, numbers=domain is None)
        draw_dual(
            right, boundary.curve, colours=boundary.colours, bold=boundary.dual_mask, numbers=domain is None
        )
        widths = ", ".join(map(str, (program.in_dim, *program.widths, 1)))
        left.set_title(f"{name} ({widths}): {{F = G}} in the curve of F ⊕ G", fontsize=10)
        right.set_title("the dual subdivision", fontsize=10)
        print(f"{name}: {len(boundary.curve.slopes)} regions, {len(boundary.segments)} pieces of boundary")
    for kind, colour in ((is_upper, "#a35200"), (~is_upper, "#0b4f8a")):
        rows[1, 0].scatter(*points[kind][:80].T, s=5, color=colour, linewidths=0)
    save_flat(figure, chosen.out, dpi=130)


def half_moons(n: int = 1000) -> tuple[Tensor, Tensor]:
    """Sample points (n, 2) along two arcs, and a mask of the upper one."""
    torch.manual_seed(2)
    angles = torch.rand(n) * torch.pi
    arcs = torch.stack([angles.cos(), angles.sin()], dim=1) + 0.08 * torch.randn(n, 2)
    is_upper = torch.arange(n) % 2 == 0
    return torch.where(is_upper[:, None], arcs, torch.tensor([1.0, 0.5]) - arcs), is_upper


def fit(network: creased.MLP, points: Tensor, is_upper: Tensor, steps: int) -> creased.MLP:
    """Fit a network that separates the arcs, and return it."""
    torch.set_num_threads(1)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.soft_margin_loss(network(points)[:, 0], 2.0 * is_upper - 1).backward()
        optimizer.step()
    return network


if __name__ == "__main__":
    main()
