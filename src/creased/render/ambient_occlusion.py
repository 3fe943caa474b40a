"""How light gets to what a camera sees: one ray a sample, towards the sky or towards the key light.

Directions are spread over tiles of pixels and averaged over as many (interleaved sampling, Keller and
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

TILE = 5  # pixels: directions repeat after a tile, and light is averaged over one
SOFTNESS = 0.2  # radius of the key light as seen from the mesh, a tangent


def openness(
    fragments: Fragments,
    camera: Camera,
    fans: Fans,
    index: TriangleIndex,
    *,
    to_key: NDArray[Any],
    reach: float,
) -> NDArray[np.float32]:
    """How open fragments (m, 2) are to the sky within ``reach`` and to the key light: 0 not at all, 1 wholly.

    Samples take turns: one asks for the sky, the next for the key light.
    """
    normals = fans.normals.astype(np.float32)[fans.owners[fragments.triangle]]
    normals[fragments.is_back] *= -1
    n_samples = int(fragments.sample.max()) + 1
    row, column = np.divmod(fragments.pixel, camera.size)
    turn = ((row % TILE) * TILE + column % TILE) * n_samples + fragments.sample
    sphere = _spread_on_sphere((TILE**2 * n_samples + 1) // 2)[turn // 2]
    origins = fragments.points + normals * np.float32(10 * get_epsilon(torch.float32) * reach)
    to_key = to_key.astype(np.float32)
    asks_sky = turn % 2 == 0
    asks_key = ~asks_sky & (normals @ to_key > 0)
    found = np.zeros((len(turn), 2), dtype=np.float32)
    directions = _unit(normals[asks_sky] + sphere[asks_sky])
    found[asks_sky, 0] = np.minimum(index.cast(origins[asks_sky], directions).distance / reach, 1)
    directions = _unit(to_key + np.float32(SOFTNESS) * sphere[asks_key])
    found[asks_key, 1] = index.cast(origins[asks_key], directions).triangle < 0
    return _average_near(found, asks_sky, fragments, normals, camera.size, reach)


def _spread_on_sphere(n: int) -> NDArray[np.float32]:
    """Points (n, 3) of a spiral on the unit sphere, shuffled."""
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
    asks_sky: NDArray[np.bool_],
    fragments: Fragments,
    normals: NDArray[np.float32],
    size: int,
    reach: float,
) -> NDArray[np.float32]:
    """Averages (m, 2) over the tile around each fragment, of pixels alike in depth and normal."""
    asked = np.stack([asks_sky, ~asks_sky]).astype(np.float32)
    held = _pixel_sums(np.concatenate([found.T, asked]), fragments.pixel, size)
    looks = _pixel_sums(np.concatenate([fragments.depth[None], normals.T]), fragments.pixel, size)
    looks /= np.maximum(held[2:].sum(axis=0), 1)
    total = np.zeros((4, size, size), dtype=np.float32)
    here = looks[:, _shifted(TILE // 2, size), _shifted(TILE // 2, size)]
    for dy, dx in np.ndindex(TILE, TILE):
        there = looks[:, _shifted(dy, size), _shifted(dx, size)]
        is_alike = np.abs(there[0] - here[0]) < 0.1 * reach
        is_alike &= np.einsum("ijk,ijk->jk", there[1:], here[1:]) > 0.5
        is_alike |= dy == dx == TILE // 2  # where two surfaces share a pixel it may be unlike itself
        total += held[:, _shifted(dy, size), _shifted(dx, size)] * is_alike
    mean = np.divide(total[:2], total[2:], out=np.ones_like(total[:2]), where=total[2:] > 0)
    return mean.reshape(2, -1)[:, fragments.pixel].T


def _pixel_sums(rows: NDArray[np.float32], pixel: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """Sums (c, size + 4, size + 4) in pixels of rows (c, m), with a border of half a tile."""
    sums = np.stack([np.bincount(pixel, row, minlength=size**2) for row in rows]).reshape(-1, size, size)
    return np.pad(sums.astype(np.float32), ((0, 0), (TILE // 2,) * 2, (TILE // 2,) * 2))


def _shifted(shift: int, size: int) -> slice:
    return slice(shift, shift + size)
