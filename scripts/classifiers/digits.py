"""Load scikit-learn's handwritten digits, of 8 x 8 pixels in [0, 1], and train small ReLU classifiers."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from creased import Program, lower

TRAINING = 1400  # images; the others are for testing


def load_digits() -> tuple[Tensor, Tensor]:
    """Load images (1797, 64) with pixels in [0, 1], and their classes."""
    try:
        from sklearn import datasets
    except ImportError as error:
        raise SystemExit("needs scikit-learn: ./run python -m pip install scikit-learn") from error
    digits = datasets.load_digits()
    return torch.tensor(digits.data).double() / 16, torch.tensor(digits.target)


def classifier(width: int) -> nn.Sequential:
    """Make a network with two hidden layers for 8 x 8 pixels and 10 classes."""
    return nn.Sequential(
        nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10)
    )


def train(images: Tensor, classes: Tensor, width: int, steps: int) -> Program:
    """Train a classifier with two hidden layers."""
    torch.manual_seed(0)
    network = classifier(width).double()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2, weight_decay=1e-4)
    for _ in range(steps):
        batch = torch.randint(len(images), (128,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images[batch]), classes[batch]).backward()
        optimizer.step()
    return lower(network).detach()


def nearest_others(image: Tensor, mine: int, images: Tensor, classes: Tensor, n: int) -> list[Tensor]:
    """Find the nearest images of n other classes, the nearest first."""
    distances = torch.linalg.vector_norm(images - image, dim=1)
    distances[classes == mine] = math.inf
    others = []
    for _ in range(n):
        nearest = int(distances.argmin())
        others.append(images[nearest])
        distances[classes == classes[nearest]] = math.inf
    return others


def read_rightly(program: Program, images: Tensor, classes: Tensor, n: int) -> list[int]:
    """List the first test images, at most n, that a classifier reads rightly."""
    rightly = (program(images).argmax(1) == classes).nonzero()[:, 0]
    found: list[int] = rightly[rightly >= TRAINING][:n].tolist()
    return found
