"""A box in its domain, and its distance in closed form."""

import numpy as np
import trimesh

from creased.core.domains.box import Box
from creased.shapes import Shape, load_shape

DOMAIN = Box.cube(3, 0.5)


def make_box() -> Shape:
    """A box of sides 1, 0.6 and 0.4, as scaled for training."""
    return load_shape("box", lambda: trimesh.creation.box(extents=(1, 0.6, 0.4)))


def box_distance(points: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Signed distances of points (n, 3) to a box about the origin with half sides (3,)."""
    q = np.abs(points) - half
    return np.linalg.norm(q.clip(0), axis=1) + q.max(axis=1).clip(max=0)
