"""Networks for the benchmarks: fitted here, seeded, or those that lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import creased

SHARED = Path(__file__).parents[2] / "shared" / "nets"
Layers = list[tuple[Tensor, Tensor]]


def fit(path: Path, depth: int, width: int, steps: int = 3000) -> Path:
    """Fit a network to the distance of a torus and a wrinkled ball."""
    torch.manual_seed(0)
    net = creased.MLP(3, width, depth)
    optimizer = torch.optim.Adam(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, steps)
    for _ in range(steps):
        x = torch.rand(2048, 3) - 0.5
        tube = torch.stack([x[:, :2].norm(dim=1) - 0.28, x[:, 2]], 1).norm(dim=1) - 0.12
        ball = (x - torch.tensor([0.1, 0.1, 0.2])).norm(dim=1) - 0.17 + 0.02 * torch.sin(30 * x).prod(1)
        loss = (net(x)[:, 0] - torch.minimum(tube, ball)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    layers = [layer for layer in net if isinstance(layer, nn.Linear)]
    arrays = {f"weight_{i}": layer.weight.detach().numpy() for i, layer in enumerate(layers)}
    np.savez(path, **arrays, **{f"bias_{i}": layer.bias.detach().numpy() for i, layer in enumerate(layers)})
    return path


def load(path: Path) -> Layers:
    """Weights and biases of each layer."""
    arrays = np.load(path)
    n_layers = len(arrays.files) // 2
    return [
        tuple(torch.from_numpy(arrays[f"{part}_{i}"]) for part in ("weight", "bias")) for i in range(n_layers)
    ]


def as_program(layers: Layers, dtype: torch.dtype) -> creased.Program:
    """The layers with ReLU between."""
    affines = [creased.Affine(weight.to(dtype), bias.to(dtype)) for weight, bias in layers]
    return creased.Program(tuple(creased.Block(affine) for affine in affines[:-1]), affines[-1])
