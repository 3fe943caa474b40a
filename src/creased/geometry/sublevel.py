"""Volume of {f <= level} in a box, where walls cut the surface: the divergence theorem, once per dimension.

The field (x_1 - lower_1, 0, 0) has a flux through the surface and the wall x_1 = upper_1 only, the latter
proportional to an area. In that wall the field (x_2 - lower_2, 0) has a flux through the surface's boundary
and the edge x_2 = upper_2 of the box only, and the length of that edge inside follows from the crossings on
it, up to whether its last corner is inside. The function decides that, or, without it, that the volume lies
between 0 and that of the box; the latter fails for a surface that has collapsed onto walls.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.domain import Domain
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.program import Program
from creased.geometry.halfedges import halfedges_of

UPPER_1, UPPER_2 = 1, 3  # walls of a box, see `creased.core.domains.domain`


@as_written
def sublevel_volume(vertices: Tensor, level_set: LevelSet, program: Program | None = None) -> Tensor:
    """Compute the volume of {f <= level} in the domain, a scalar in cubed units.

    Args:
        vertices: positions (V, 3), differentiable or not.
        level_set: extracted in a box.
        program: the level set's; evaluated for the sign at the last corner.

    Raises:
        ValueError: the level set is not a surface in a box.
    """
    domain = level_set.domain
    if not domain.is_box or domain.dim != 3:
        raise ValueError(f"sublevel_volume: needs a surface in a box of 3 dimensions, got one in {domain}")
    local = vertices - torch.tensor(domain.lower, dtype=torch.float64).to(vertices)
    a, b, c = (high - low for low, high in zip(domain.lower, domain.upper, strict=True))
    sides = halfedges_of(level_set.polygons)
    walls = torch.tensor([[UPPER_1], [UPPER_2]]).to(level_set.zero_ids)
    is_cut = (level_set.zero_ids[:, None, :] == walls).any(2)  # (V, 2)
    at_wall = ((sides.twin < 0) & is_cut[sides.tail, 0] & is_cut[sides.head, 0]).nonzero()[:, 0]
    tail, head = sides.tail[at_wall], sides.head[at_wall]
    width = (local[tail, 1] + local[head, 1]) / 2
    area = (width * (local[tail, 2] - local[head, 2])).sum()
    length = (local[head, 2] * is_cut[head, 1]).sum() - (local[tail, 2] * is_cut[tail, 1]).sum()
    volume = _flux(local, level_set) + a * (area + b * length)
    is_inside = _is_last_corner_inside(domain, level_set, program)
    if is_inside is None:
        return torch.where(volume.detach() < 0, volume + a * b * c, volume)  # float * bool is float32
    return volume + a * b * c if is_inside else volume


def _is_last_corner_inside(domain: Domain, level_set: LevelSet, program: Program | None) -> bool | None:
    """Decide whether the function is below the level in the last corner; None within rounding."""
    if program is None:
        return None
    corner = torch.tensor([domain.upper], dtype=program.dtype, device=program.device)
    value = float(program.outputs_at(corner)[0, level_set.output]) - level_set.level
    return value < 0 if abs(value) > get_epsilon(program.dtype) * (1 + abs(level_set.level)) else None


def _flux(vertices: Tensor, level_set: LevelSet) -> Tensor:
    """Integrate the flux of (x_1, 0, 0) through the polygons: per triangle, mean times projected area."""
    corners = vertices[level_set.triangles()]
    arms = corners[:, 1:] - corners[:, :1]
    across = torch.linalg.cross(arms[:, 0], arms[:, 1])[:, 0] / 2
    return (across * corners[:, :, 0].mean(1)).sum()
