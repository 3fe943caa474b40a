"""Load scikit-learn's handwritten digits, of 8 x 8 pixels in [0, 1], and train small ReLU classifiers."""

from __future__ import annotations

import math
from argparse import ArgumentParser
from typing import NamedTuple

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


class Reader(NamedTuple):
    """A trained classifier and all images, of which the first are those of its training."""

    program: Program
    images: Tensor  # (1797, 64)
    classes: Tensor  # (1797,) int64

    @staticmethod
    def trained(width: int, steps: int) -> Reader:
        """Train a classifier on the first images."""
        images, classes = load_digits()
        return Reader(train(images[:TRAINING], classes[:TRAINING], width, steps), images, classes)

    def read_rightly(self, n: int) -> list[int]:
        """List the first test images, at most n, that are read rightly."""
        rightly = (self.program(self.images).argmax(1) == self.classes).nonzero()[:, 0]
        found: list[int] = rightly[rightly >= TRAINING][:n].tolist()
        return found

    def nearest_others(self, index: int, n: int) -> list[Tensor]:
        """Find the training images of n other classes that are nearest to an image, the nearest first."""
        images, classes = self.images[:TRAINING], self.classes[:TRAINING]
        distances = torch.linalg.vector_norm(images - self.images[index], dim=1)
        distances[classes == self.classes[index]] = math.inf
        others = []
        for _ in range(n):
            nearest = int(distances.argmin())
            others.append(images[nearest])
            distances[classes == classes[nearest]] = math.inf
        return others


def add_options(parser: ArgumentParser, images: int) -> None:
    """Let the command line choose the classifier, and how many images are looked at."""
    parser.add_argument("--images", type=int, default=images)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--steps", type=int, default=1000)
