"""Fit or load the networks of the benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

import creased
from creased.io.checkpoint import KEY, Record, write_record
from creased.io.similarity import Similarity
from creased.shapes import BunnyScan, Shape, load_shape
from creased.shapes.sampling import sample_distances
from scripts import ROOT

SHARED = ROOT.parent / "shared" / "nets"
N_SAMPLES = 500_000  # of the bunny's distance
BEST_RATES = {128: 6e-3, 256: 4e-3, 512: 2e-3}  # for the bunny, by width
Layers = list[tuple[Tensor, Tensor]]
Batch = tuple[Tensor, Tensor]
Network = TypeVar("Network", creased.MLP, creased.GridMLP)


def fit(path: Path, depth: int, width: int, steps: int = 3000) -> Path:
    """Fit a network to the distance of a torus and a wrinkled ball."""
    return _save(path, fit_network(3, (depth, width), torus_and_ball, 1e-2, steps))


def fit_bunny(path: Path, depth: int, width: int, steps: int = 1500) -> Path:
    """Fit a network to the distance of the Stanford bunny."""
    return _save(path, fit_network(3, (depth, width), _near_bunny, BEST_RATES.get(width, 1e-2), steps))


@cache
def bunny() -> Shape:
    """Load the scan, repaired and scaled to the domain."""
    return load_shape("bunny", BunnyScan(), up="z")


def fit_grid(path: Path, n: int, steps: int = 400) -> Path:
    """Fit a network on grids of 8 to n cubes an axis to the distance of the Stanford bunny."""
    torch.manual_seed(0)
    net = creased.GridMLP(3, tuple(8 << k for k in range((n // 8).bit_length())))
    program = creased.lower(_train(net, _near_bunny, 1e-2, steps)).detach()
    record = Record(program, creased.Box.cube(3, 0.5), Similarity.identity(), "bunny", 0)
    torch.save({KEY: write_record(record)}, path)
    return path


def fit_network(
    dim: int, size: tuple[int, int], draw: Callable[[], Batch], rate: float, steps: int
) -> creased.MLP:
    """Fit a network of a depth and a width to batches of points (n, dim) and distances (n,)."""
    torch.manual_seed(0)
    depth, width = size
    return _train(creased.MLP(dim, width, depth), draw, rate, steps)


def _train(net: Network, draw: Callable[[], Batch], rate: float, steps: int) -> Network:
    torch.set_num_threads(1)
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps)
    for _ in range(steps):
        points, distances = draw()
        loss = (net(points)[:, 0] - distances).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net


def _save(path: Path, net: creased.MLP) -> Path:
    layers = [layer for layer in net if isinstance(layer, nn.Linear)]
    arrays = {f"weight_{i}": layer.weight.detach().numpy() for i, layer in enumerate(layers)}
    np.savez(path, **arrays, **{f"bias_{i}": layer.bias.detach().numpy() for i, layer in enumerate(layers)})
    return path


def torus_and_ball() -> Batch:
    """Draw points (2048, 3) of the unit cube, with distances (2048,) from a torus and a wrinkled ball."""
    x = torch.rand(2048, 3) - 0.5
    tube = torch.stack([x[:, :2].norm(dim=1) - 0.28, x[:, 2]], 1).norm(dim=1) - 0.12
    ball = (x - torch.tensor([0.1, 0.1, 0.2])).norm(dim=1) - 0.17 + 0.02 * torch.sin(30 * x).prod(1)
    return x, torch.minimum(tube, ball)


def _near_bunny() -> Batch:
    points, distances = _samples()
    chosen = torch.randint(N_SAMPLES, (4096,))
    return points[chosen], distances[chosen]


@cache
def _samples() -> Batch:
    box, rng = creased.Box.cube(3, 0.5), np.random.default_rng(0)
    samples = sample_distances(bunny(), box, N_SAMPLES, 0.8, (0.01, 0.04), rng)
    return torch.from_numpy(samples.points).float(), torch.from_numpy(samples.distances).float()


def load(path: Path) -> Layers:
    """Load weights and biases of each layer."""
    arrays = np.load(path)
    n_layers = len(arrays.files) // 2
    return [
        tuple(torch.from_numpy(arrays[f"{part}_{i}"]) for part in ("weight", "bias")) for i in range(n_layers)
    ]


def as_program(layers: Layers, dtype: torch.dtype) -> creased.Program:
    """Make a program of the layers with ReLU between."""
    affines = [creased.Affine(weight.to(dtype), bias.to(dtype)) for weight, bias in layers]
    return creased.Program(tuple(creased.Block(affine) for affine in affines[:-1]), affines[-1])
