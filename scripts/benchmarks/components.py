"""Which components of an exact mesh another mesh misses."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from creased.core.numerics.pointer_doubling import label_components


class Component(NamedTuple):
    """A component of a mesh."""

    middle: Tensor  # (3,): of its box
    size: float  # longest side of its box
    n_triangles: int

    def __str__(self) -> str:
        middle = ", ".join(f"{x:.3f}" for x in self.middle.tolist())
        return f"{self.n_triangles:,} triangles, {self.size:.2g} across, about ({middle})"


def components_of(path: Path) -> list[Component]:
    """List the components of a mesh that `systems.measure` wrote, the largest first."""
    vertices, triangles = _load(path)
    label = label_components(len(vertices), torch.cat([triangles[:, :2], triangles[:, 1:]]))
    found = []
    for name in label[triangles[:, 0]].unique().tolist():
        mine = vertices[label == name]
        low, high = mine.amin(0), mine.amax(0)
        n_triangles = int((label[triangles[:, 0]] == name).sum())
        found.append(Component((low + high) / 2, float((high - low).max()), n_triangles))
    return sorted(found, key=lambda component: -component.n_triangles)


def missed(components: list[Component], path: Path) -> list[Component]:
    """List the components near which another mesh has no vertex: none within their size of their middle."""
    vertices, _ = _load(path)
    reaches = [(component, (vertices - component.middle).abs().amax(1)) for component in components]
    return [component for component, far in reaches if not bool((far <= component.size).any())]


def _load(path: Path) -> tuple[Tensor, Tensor]:
    mesh = np.load(path)
    return torch.from_numpy(mesh["vertices"]).double(), torch.from_numpy(mesh["triangles"]).long()
