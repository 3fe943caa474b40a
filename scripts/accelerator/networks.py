"""Networks to measure: loaded from a folder where they lie there, else fitted on the device, seeded.

A folder may hold state dicts of `creased.MLP` as ``8x32.pt``, of `creased.GridMLP` as ``grid64.pt``, and in
``samples.pt`` points and distances of a shape as int16, in units of 1/65534 and 1/32767. Without samples the
shape is a torus with a wrinkled ball.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

import creased

BATCH = 4096
CLAMP = 0.1  # distances count up to here
STEPS = {"plain": 1500, "grid": 800}
RATES = {"plain": 6e-3, "grid": 1e-2}  # of the tables of a grid; its network takes a third
SMALL = {(8, 32): (3, 16), (4, 96): (3, 24), (3, 128): (2, 32)}  # instead, where all is to be quick


class Networks:
    """Networks on a device in double precision, each made once."""

    def __init__(self, folder: Path | None, device: torch.device, *, quick: bool) -> None:
        self.folder, self.device, self.quick = folder, device, quick
        self._made: dict[str, nn.Module] = {}
        self._samples: tuple[Tensor, Tensor] | None = None

    def plain(self, depth: int, width: int) -> nn.Module:
        """A plain network of the distance of a shape."""
        depth, width = SMALL.get((depth, width), (depth, width)) if self.quick else (depth, width)
        return self._get(f"{depth}x{width}", lambda: creased.MLP(3, width, depth))

    def grid(self, n: int) -> nn.Module:
        """A network on a grid of n cubes an axis."""
        return self._get(f"grid{n // 8 if self.quick else n}", lambda: new_grid(n, quick=self.quick))

    def batch(self) -> tuple[Tensor, Tensor]:
        """Draw points (n, 3) and their distances (n,)."""
        if self._samples is None:
            self._samples = self._read_samples()
        points, distances = self._samples
        chosen = torch.randint(len(points), (BATCH,), device=self.device)
        return points[chosen], distances[chosen]

    def _get(self, name: str, make: Callable[[], nn.Module]) -> nn.Module:
        if name not in self._made:
            torch.manual_seed(0)
            network, path = make(), self.folder / f"{name}.pt" if self.folder else None
            if path and path.exists() and not self.quick:
                network.load_state_dict(torch.load(path, weights_only=True))
                network.to(self.device)
            else:
                network = fit(network.to(self.device), self.batch, 100 if self.quick else None)
            self._made[name] = network.double()
        return self._made[name]

    def _read_samples(self) -> tuple[Tensor, Tensor]:
        path = self.folder / "samples.pt" if self.folder else None
        if path and path.exists():
            held = torch.load(path, weights_only=True)
            points, distances = held["points"].to(self.device), held["distances"].to(self.device)
            return points.float() / 65534, distances.float() / 32767
        torch.manual_seed(0)
        points = torch.rand(1 << 20, 3, device=self.device) - 0.5
        return points, torus_and_ball(points)


def new_grid(n: int, *, quick: bool = False) -> creased.GridMLP:
    """Make the default grid network, or with other finest cubes an axis."""
    top = max(n // 8, 2) if quick else n
    levels = [level for level in (2, 4, 8, 16, 32, 64, 128, 256) if top >= level >= min(8, top // 2)]
    return creased.GridMLP(levels=levels)


def torus_and_ball(x: Tensor) -> Tensor:
    """Compute about the distance (n,) of points (n, 3) from a torus with a wrinkled ball."""
    tube = torch.stack([x[:, :2].norm(dim=1) - 0.28, x[:, 2]], 1).norm(dim=1) - 0.12
    ball = (x - x.new_tensor([0.1, 0.1, 0.2])).norm(dim=1) - 0.17 + 0.02 * torch.sin(30 * x).prod(1)
    return torch.minimum(tube, ball)


def optimizer_of(network: nn.Module) -> torch.optim.Optimizer:
    """Make Adam as training does: tables of a grid at the full rate, its network at a third."""
    is_fused = next(network.parameters()).is_cuda
    if not isinstance(network, creased.GridMLP):
        return torch.optim.Adam(network.parameters(), RATES["plain"], betas=(0.9, 0.99), fused=is_fused)
    groups = [
        {"params": list(network.grid.parameters()), "lr": RATES["grid"]},
        {"params": list(network.mlp.parameters()), "lr": RATES["grid"] / 3},
    ]
    return torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15, fused=is_fused)


def distance_loss(values: Tensor, distances: Tensor) -> Tensor:
    """Mean error of distances (n,), one-sided where they are far."""
    beyond = torch.relu(CLAMP - distances.sign() * values)
    return torch.where(distances.abs() < CLAMP, (values - distances).abs(), beyond).mean()


def train(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[tuple[Tensor, Tensor]],
    more: Callable[[], Tensor] | None = None,
) -> Tensor:
    """Take a step for each batch; return the last loss. ``more`` is a term to add to each."""
    loss = torch.zeros(())
    for points, distances in batches:
        loss = distance_loss(network(points)[:, 0], distances)
        total = loss if more is None else loss + more()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    return loss.detach()


def fit(network: nn.Module, draw: Callable[[], tuple[Tensor, Tensor]], steps: int | None = None) -> nn.Module:
    """Fit a network to batches; its rate falls over the last half."""
    optimizer = optimizer_of(network)
    steps = steps or STEPS["grid" if isinstance(network, creased.GridMLP) else "plain"]
    rates = [group["lr"] for group in optimizer.param_groups]
    for share in (1.0, 1.0, 0.4, 0.1):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = share * rate
        train(network, optimizer, (draw() for _ in range(steps // 4)))
    return network
