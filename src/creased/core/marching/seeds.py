"""Find seeds of a walk, points just below the level set: on a grid, near given points, near an earlier one.

They lie below because an exact zero counts as +: that is where the perturbed level set lies, see
`perturbation`. Along the grid's lines, seeds are bracketed where the sign changes between neighbours, and
found by Newton's method where |f| has a local minimum; thin components away from the lines are missed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.domain import Domain
from creased.core.numerics.memory import rows_at_once
from creased.core.numerics.pointer_doubling import label_components
from creased.core.numerics.tensors import places_of
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.program import Program

BELOW = 1e-11  # of the domain's reach
NEWTON_STEPS = 8  # f is piecewise affine, so one step per cell crossed
COARSE = 16  # points an axis of the grid that supplements an earlier level set
MOST_INNER = 15  # points of a bracket that are evaluated at once
STEPS_AT_ONCE = 4  # of a bracket, between two looks at which are narrow
MOST = 1024  # approximate number of points of an earlier level set


def grid_seeds(program: Program, domain: Domain, n: int) -> Tensor:
    """Find points (m, D) just below the level, on or near the lines of a grid of n points an axis.

    Raises:
        ValueError: n < 2.
    """
    if n < 2:
        raise ValueError(f"seeds: a grid needs 2 points an axis or more, got {n}")
    points, dim = _grid(program, domain, n), domain.dim
    values = program.outputs_at(points)[:, 0]
    cube, strides = values.reshape([n] * dim), [n ** (dim - 1 - axis) for axis in range(dim)]
    is_plus = cube >= 0
    differ = [is_plus.narrow(axis, 0, n - 1) != is_plus.narrow(axis, 1, n - 1) for axis in range(dim)]
    dips = [_dips(cube, axis) for axis in range(dim)] if n > 2 else []
    found = places_of(*differ, *dips)
    places = [sum(row * stride for row, stride in zip(place, strides, strict=True)) for place in found]
    first, second = torch.cat(places[:dim]), torch.cat([a + b for a, b in zip(places, strides, strict=False)])
    dip = [a + b for a, b in zip(places[dim:], strides, strict=False)]
    spacing = max(b - a for a, b in zip(domain.lower, domain.upper, strict=True)) / n
    near = project(program, domain, points[torch.cat([first[:0], *dip]).unique()], within=spacing)
    crossed = _bracket(
        program, domain, *(part[ends] for part in (points, values) for ends in (first, second))
    )
    return torch.cat([crossed, near])


def reach_of(domain: Domain) -> float:
    """Bound the size and the differences of coordinates, to which rounding errors are relative."""
    return math.dist(domain.lower, domain.upper) + 2 * max(map(abs, domain.lower + domain.upper))


def _grid(program: Program, domain: Domain, n: int) -> Tensor:
    axes = [
        torch.linspace(a, b, n, dtype=program.dtype, device=program.device)
        for a, b in zip(domain.lower, domain.upper, strict=True)
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, -2)


def _dips(values: Tensor, axis: int) -> Tensor:
    """True where |f| is least of three neighbours, and its slope towards them would reach zero."""
    n = values.shape[axis]
    before, here, after = (values.narrow(axis, start, n - 2) for start in range(3))
    is_plus = here >= 0
    alike = ((before >= 0) == is_plus) & ((after >= 0) == is_plus)
    is_least = (here.abs() <= before.abs()) & (here.abs() <= after.abs())
    slope = torch.maximum(before.abs(), after.abs()) - here.abs()
    return alike & is_least & (here.abs() <= slope)


def _bracket(
    program: Program, domain: Domain, first: Tensor, second: Tensor, one: Tensor, other: Tensor
) -> Tensor:
    """Bracket zeros between pairs of points (m, D) with values (m,) of different sign.

    Return points just below the zero set.

    Steps alternate between the secant, which ends at once where the function is affine, and the middle; on a
    device, where more points cost no more, between the secant and even parts, and even parts.
    """
    is_plus = one >= 0
    above, below = torch.where(is_plus[:, None], first, second), torch.where(is_plus[:, None], second, first)
    high, low = torch.where(is_plus, one, other), torch.where(is_plus, other, one)
    least, found = BELOW * reach_of(domain), torch.empty_like(below)
    n_inner = min(rows_at_once(1, above.device), MOST_INNER)
    even = torch.arange(1, n_inner + 1, dtype=above.dtype, device=above.device) / (n_inner + 1)
    pending = torch.arange(below.shape[0], device=below.device)
    while pending.numel():
        for step in range(STEPS_AT_ONCE):
            across, shares = below - above, even.expand(below.shape[0], n_inner)
            if step % 2 == 0:
                shares = torch.cat([(high / (high - low))[:, None], shares[:, 1:]], dim=1)
            margin = (least / 2 / torch.linalg.vector_norm(across, dim=1)).clamp_(max=0.5)[:, None]
            shares = torch.minimum(torch.maximum(shares, margin), 1 - margin).sort(dim=1).values
            inner = torch.addcmul(above[:, None], shares[:, :, None], across[:, None])
            values = program.outputs_at(inner.flatten(0, 1))[:, 0].reshape(shares.shape)
            n_plus = (values >= 0).cumprod(1).sum(1, keepdim=True)  # before the first that is below
            inner = torch.cat([above[:, None], inner, below[:, None]], dim=1)
            values = torch.cat([high[:, None], values, low[:, None]], dim=1)
            above, below = (inner.take_along_dim(n_plus[:, :, None] + i, dim=1)[:, 0] for i in (0, 1))
            high, low = (values.gather(1, n_plus + i)[:, 0] for i in (0, 1))
        across = below - above
        lengths = torch.linalg.vector_norm(across, dim=1)
        found.index_copy_(0, pending, torch.addcmul(below, least / lengths[:, None], across))
        left = (lengths > least).nonzero()[:, 0]
        pending, above, below, high, low = (x[left] for x in (pending, above, below, high, low))
    return found


def project(program: Program, domain: Domain, points: Tensor, within: float = torch.inf) -> Tensor:
    """Project points (m, D) to just below {f = 0} by Newton's method.

    Points that do not converge, leave the domain or move farther than ``within`` are dropped.
    """
    start = points = points.to(program.head.weight).detach()
    lower, upper = (points.new_tensor(bound) for bound in (domain.lower, domain.upper))
    noise = get_epsilon(points.dtype) * (upper - lower).amax()
    values, gradients = _value_and_gradient(program, points)
    for _ in range(NEWTON_STEPS):
        steepness = gradients.square().sum(1).clamp(min=torch.finfo(points.dtype).tiny)
        points = points - gradients * (values / steepness)[:, None]
        values, gradients = _value_and_gradient(program, points)
    steepness = gradients.square().sum(1).sqrt()
    inside = ((points >= lower - noise) & (points <= upper + noise)).all(1)
    arrived = (values.abs() <= noise * steepness) & (steepness > 0)
    kept = inside & arrived & ((points - start).square().sum(1).sqrt() <= within)
    down = -BELOW * reach_of(domain) * gradients[kept] / steepness[kept, None]
    return points[kept] + down


def level_set_seeds(program: Program, domain: Domain, earlier: LevelSet) -> Tensor:
    """Find seeds near each component of an earlier level set, and on a coarse grid."""
    edges, n_edges = earlier.edges, earlier.edges.shape[0]
    component = label_components(earlier.vertices.shape[0], edges)[edges[:, 0]]
    every = torch.arange(n_edges, device=edges.device)
    first = torch.full((earlier.vertices.shape[0],), n_edges, device=edges.device)
    first.scatter_reduce_(0, component, every, "amin")
    chosen = torch.unique(torch.cat([first[first < n_edges], every[:: max(n_edges // MOST, 1)]]))
    near = project(program, domain, earlier.vertices[edges[chosen]].mean(1))
    return torch.cat([near, grid_seeds(program, domain, COARSE)])


def _value_and_gradient(program: Program, points: Tensor) -> tuple[Tensor, Tensor]:
    rows = program.preactivations(points)
    masks = (rows[:, : program.n_neurons] >= 0).to(points.dtype)
    return rows[:, program.n_neurons], program.gradients_on(masks)
