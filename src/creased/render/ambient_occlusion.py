"""Ambient occlusion and soft shadows: one ray a sample, towards the sky or the key light.

Directions differ within a tile of pixels, over which light is averaged (interleaved sampling, Keller and
Heidrich 2001).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from creased.core.numerics.tolerance import get_epsilon
from creased.meshes.queries import TriangleIndex
from creased.render.camera import Camera
from creased.render.raycast import GOLDEN, Fans, Fragments

if TYPE_CHECKING:
    from numpy.typing import NDArray

TILE = 5  # pixels, the side of a tile
SOFTNESS = 0.2  # tangent of the key light's angular radius


def openness(
    fragments: Fragments,
    camera: Camera,
    fans: Fans,
    index: TriangleIndex,
    *,
    to_key: NDArray[Any],
    reach: float,
) -> NDArray[np.float32]:
    """Estimate how far fragments (m, 2) are open, from 0 to 1, to the sky within ``reach`` and the key light.

    Samples alternate between the two.
    """
    normals = fans.normals.astype(np.float32)[fans.owners[fragments.triangle]]
    normals[fragments.is_back] *= -1
    n_samples = int(fragments.sample.max()) + 1
    row, column = np.divmod(fragments.pixel, camera.size)
    turn = ((row % TILE) * TILE + column % TILE) * n_samples + fragments.sample
    sphere = _spread_on_sphere((TILE**2 * n_samples + 1) // 2)[turn // 2]
    origins = fragments.points + normals * np.float32(10 * get_epsilon(torch.float32) * reach)
    to_key = to_key.astype(np.float32)
    is_to_sky = turn % 2 == 0
    is_to_key = ~is_to_sky & (normals @ to_key > 0)
    found = np.zeros((len(turn), 2), dtype=np.float32)
    directions = _unit(normals[is_to_sky] + sphere[is_to_sky])
    found[is_to_sky, 0] = np.minimum(index.cast(origins[is_to_sky], directions).distance / reach, 1)
    directions = _unit(to_key + np.float32(SOFTNESS) * sphere[is_to_key])
    found[is_to_key, 1] = index.cast(origins[is_to_key], directions).triangle < 0
    return _average_near(found, is_to_sky, fragments, normals, camera.size, reach)


def _spread_on_sphere(n: int) -> NDArray[np.float32]:
    """Spread points (n, 3) on the unit sphere along a spiral, shuffled."""
    step = np.random.default_rng(0).permutation(n) + 0.5
    angle, height = 2 * math.pi * GOLDEN * step, 1 - 2 * step / n
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1).astype(np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    unit = vectors / np.maximum(length, np.float32(get_epsilon(torch.float32)))
    return unit.astype(np.float32, copy=False)


def _average_near(
    found: NDArray[np.float32],
    is_to_sky: NDArray[np.bool_],
    fragments: Fragments,
    normals: NDArray[np.float32],
    size: int,
    reach: float,
) -> NDArray[np.float32]:
    """Average over the tile around each fragment, pixels of similar depth and normal only: (m, 2)."""
    counts = np.stack([is_to_sky, ~is_to_sky]).astype(np.float32)
    held = _pixel_sums(np.concatenate([found.T, counts]), fragments.pixel, size)
    looks = _pixel_sums(np.concatenate([fragments.depth[None], normals.T]), fragments.pixel, size)
    looks /= np.maximum(held[2:].sum(axis=0), 1)
    total = np.zeros((4, size, size), dtype=np.float32)
    here = looks[:, _shifted(TILE // 2, size), _shifted(TILE // 2, size)]
    for dy, dx in np.ndindex(TILE, TILE):
        there = looks[:, _shifted(dy, size), _shifted(dx, size)]
        is_alike = np.abs(there[0] - here[0]) < 0.1 * reach
        is_alike &= np.einsum("ijk,ijk->jk", there[1:], here[1:]) > 0.5
        is_alike |= dy == dx == TILE // 2  # two surfaces may share a pixel
        total += held[:, _shifted(dy, size), _shifted(dx, size)] * is_alike
    mean = np.divide(total[:2], total[2:], out=np.ones_like(total[:2]), where=total[2:] > 0)
    return mean.reshape(2, -1)[:, fragments.pixel].T


def _pixel_sums(rows: NDArray[np.float32], pixel: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """Sum rows (c, m) by pixel: (c, size + 4, size + 4), with a border of half a tile."""
    sums = np.stack([np.bincount(pixel, row, minlength=size**2) for row in rows]).reshape(-1, size, size)
    return np.pad(sums.astype(np.float32), ((0, 0), (TILE // 2,) * 2, (TILE // 2,) * 2))


def _shifted(shift: int, size: int) -> slice:
    return slice(shift, shift + size)
