"""Which side of each component of a closed level set it encloses, by its volume, proven.

A component encloses what is below the level if its volume, or area in two dimensions, is positive, as
surfaces are oriented with the larger values outside. The volume is computed from rounded vertices. As each
moves from there to where it is, by no more than a bound e in each coordinate
(`creased.core.certificates.vertex_errors`), a triangle with sides a and b from a corner sweeps no more than
s (|a| + 2 s) (|b| + 2 s) / 2 with s = sqrt(3) e, and a segment s (|a| + 2 s) with s = sqrt(2) e. A volume
larger than the sum of these, and than what summing may have lost, has the sign of the true one.
"""

from __future__ import annotations

from math import factorial, sqrt

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.numerics.pointer_doubling import label_components
from creased.core.numerics.tolerance import rounding_error


def enclosed_signs(found: LevelSet, errors: Tensor) -> Tensor:
    """Return for each component (n,) 1 if it encloses what is below, -1 if what is above, 0 if unknown.

    Args:
        found: closed, in two or three dimensions.
        errors: of the coordinates of vertices, (V,).
    """
    label = label_components(len(found.vertices), found.edges)
    first, component = torch.unique(label, return_inverse=True)
    points = found.vertices.double()
    local = points - points[label]
    errors = errors + torch.finfo(local.dtype).eps * local.abs().amax(1)
    simplices = found.edges if found.dim == 2 else found.triangles()
    corner, sides, steps = local[simplices[:, 0]], *_sides(local, errors, simplices)
    volumes, sizes = (corner * _normals(sides)).sum(1), corner.abs().sum(1) * sides.abs().sum(2).prod(1)
    swept = steps * (sides.norm(dim=2) + 2 * steps[:, None]).prod(1) * found.dim
    lost = rounding_error(local.dtype, len(simplices) + factorial(found.dim)) * sizes
    volume, doubt = local.new_zeros((2, len(first))).index_add(
        1, component[simplices[:, 0]], torch.stack([volumes, swept + lost])
    )
    return volume.sign().masked_fill(~(volume.abs() > doubt), 0)


def _sides(local: Tensor, errors: Tensor, simplices: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors (n, D - 1, D) along simplices from their first corner, and how far (n,) their corners move."""
    sides = local[simplices[:, 1:]] - local[simplices[:, :1]]
    return sides, sqrt(local.shape[1]) * errors[simplices].amax(1)


def _normals(sides: Tensor) -> Tensor:
    """Vectors (n, D) normal to sides (n, D - 1, D), as long as what they span."""
    if sides.shape[1] == 1:
        x, y = sides[:, 0].unbind(1)
        return torch.stack([y, -x], dim=1)
    return torch.linalg.cross(sides[:, 0], sides[:, 1])
