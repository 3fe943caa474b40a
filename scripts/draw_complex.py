"""Draws the complex of a small network fitted to the distance of two discs and a bar; takes seconds.

./run python scripts/draw_complex.py --out docs/complex.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import torch
from pictures import save_flat
from torch import Tensor

import creased
from creased.drawing import draw_complex, flatten


def main() -> None:
    """Train and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/complex.png"))
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1500)
    chosen = parser.parse_args()
    network = _fit(chosen.width, chosen.depth, chosen.steps)
    flat = flatten(creased.lower(network), creased.Box.cube(2, 0.5))
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 6.4), layout="constrained")
    draw_complex(axes, flat)
    save_flat(figure, chosen.out, dpi=120)
    print(f"{chosen.out}: {flat.n_cells} activation cells, {len(flat.polygons)} with the level set")


def _fit(width: int, depth: int, steps: int) -> creased.MLP:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = creased.MLP(2, width, depth)
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, steps)
    for _ in range(steps):
        points = torch.rand(1024, 2) - 0.5
        loss = (network(points)[:, 0] - _distance(points)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network


def _distance(points: Tensor) -> Tensor:
    """Signed distance to two discs that a bar joins."""
    left = (points - torch.tensor([-0.2, -0.1])).norm(dim=1) - 0.18
    right = (points - torch.tensor([0.22, 0.14])).norm(dim=1) - 0.13
    start, along = torch.tensor([-0.2, -0.1]), torch.tensor([0.42, 0.24])
    share = ((points - start) @ along / along.square().sum()).clamp(0, 1)
    bar = (points - start - share[:, None] * along).norm(dim=1) - 0.05
    return torch.minimum(torch.minimum(left, right), bar)


if __name__ == "__main__":
    main()
