"""Close what is below a level along the walls of a box, by a network on a larger box.

Let p(x) be the point of the box B nearest to x, and d(x) its distance in the 1-norm. Then g = f(p) + K d is f
in B, for any K > 0; on the segment from x to p(x) each coordinate outside moves straight to its wall, so that
p stays and d falls, and g with it. So {g < c} retracts onto {f < c} in B. Where K is large enough it stays
off the walls of a larger box B', in which g is a network:

    p = x + relu(l - x) - relu(x - u),    d = sum of relu(l - x) + relu(x - u)

Through the other layers d is taken as d + 1, and x through the first one as x + C, neurons that are active
everywhere. No two neurons vanish on the walls of B, and no weight of the unfolded form is rounded.

A grid ends with its cube, and has no room for g. There it is done in a smaller box, of which each wall is
moved inwards by up to a margin e: it is {max(f - c, b) < 0} with b the largest of the negated distances from
its walls. Let every vertex of S = {f = c} that is not on a wall be farther from it than 8 e, and no edge of S
have both ends on a wall that it is not in. Then each cell of S that is in no wall has a part in the smaller
box: the mean of one vertex off each of up to six walls. The parts are convex, and share what their cells
share. So S and both sides of it are in the smaller box what they are in the box, up to homeomorphism. How far
walls are moved, up to e, does not matter, and rounding of them neither.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, log2

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.core.domains.domain import Domain
from creased.core.numerics.tolerance import rounding_error
from creased.core.program.combine import largest, maximum, minus_level
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program
from creased.core.program.side_by_side import side_by_side

MARGIN = 0.25  # on each side of the larger box, relative to the size of the box
LEAST_ROOM = 2.0**-30  # between vertices and walls that they are not on, relative to the size of the box
SHARE_OF_ROOM = 0.125  # of it by which walls are moved
LIFT = 4.0  # of the function at the walls of the larger box, in units of its values


def capped(program: Program, domain: Domain, weight: float) -> tuple[Program, Box]:
    """Extend a network beyond a box, where it grows; see above.

    Args:
        program: of one output, not on a grid.
        domain: the box.
        weight: the factor K, a power of two.
    """
    eye = torch.eye(domain.dim).to(program.head.bias)
    low, high = (eye.new_tensor(bound) for bound in (domain.lower, domain.upper))
    margin = MARGIN * (high - low)
    reach = 2.0 ** ceil(log2(2 * float(torch.maximum(high + margin, margin - low).max())))
    ones, offset = torch.ones_like(low)[None], torch.full_like(low, reach)
    nearest = Block(
        Affine(torch.cat([eye, -eye, eye]), torch.cat([offset, low, -high])),
        mix=torch.cat([torch.cat([eye, eye, -eye], 1), torch.cat([0 * ones, ones, ones], 1)]),
        shift=torch.cat([-offset, ones[0, :1]]),
    )
    both = side_by_side(program.in_both_forms(_beside_distance), _carried(program, weight))
    grown = minus_level(both.in_both_forms(_summed), weight)
    return _after(nearest, grown), Box((low - margin).tolist(), (high + margin).tolist())


def capped_on_grid(program: Program, domain: Domain, level: float, margin: float) -> tuple[Program, Box]:
    """Take the larger of a network less a level and of what is negative inside of a smaller box alone.

    Distances from walls have factors between 1 and 2, so that no two of them are equal on planes of the grid.

    Args:
        program: of one output, on a grid.
        domain: a box in the cube of the grid.
        level: of what is below, which is the zero level of the result.
        margin: by which walls are moved inwards, divided by these factors.
    """
    grid = program.grid
    assert grid is not None
    walls = domain.halfspaces(program.dtype, program.device)
    factors = 2 ** (torch.arange(walls.shape[1]).to(walls) / walls.shape[1])
    moved = Affine((-factors * walls[:-1]).T.contiguous(), margin - factors * walls[-1])
    return maximum(minus_level(program, level), largest(Program((), moved))), Box.cube(
        grid.dim, grid.half_width
    )


def margin_of(found: LevelSet, errors: Tensor) -> float:
    """Choose by how much walls are moved inwards; 0 where the level set leaves no room for that.

    Args:
        found: the level set in a box.
        errors: of the coordinates of its vertices, (V,).
    """
    walls = found.domain.halfspaces(torch.float64, found.vertices.device)
    points, rows = found.vertices.double(), torch.arange(walls.shape[1], device=walls.device)
    errors = errors + rounding_error(points.dtype, found.dim + 1) * (
        points.abs().amax(1) + walls[-1].abs().max()
    )
    is_on, is_in = ((ids[:, :, None] == rows).any(1) for ids in (found.zero_ids, found.edge_zero_ids))
    ends = is_on[found.edges.long()].all(1)
    heights = (points @ walls[:-1] + walls[-1] - errors[:, None])[~is_on]
    least = float(heights.min()) if heights.numel() else float(walls[-1].abs().max())
    is_flat = bool((ends & ~is_in).any())
    return 0.0 if is_flat or not least > LEAST_ROOM * float(walls[-1].abs().max()) else least * SHARE_OF_ROOM


def first_weight(program: Program, domain: Domain, level: float) -> float:
    """Estimate how large the factor K has to be."""
    bounds = torch.tensor([domain.lower, domain.upper]).to(program.head.bias)
    points = torch.cartesian_prod(*torch.cat([bounds, bounds.mean(0, keepdim=True)]).T.unbind())
    height = float((program.outputs_at(points) - level).abs().max())
    return 2.0 ** ceil(log2(LIFT * height / (MARGIN * float(bounds.diff(dim=0).min())) or 1.0))


def _beside_distance(program: Program) -> Program:
    """Give a program a state with one more entry, which it does not use."""
    if not program.blocks:
        return replace(program, head=_widened(program.head))
    first = program.blocks[0]
    skip = _pad(first.output_matrices()[1]) if first.has_passthrough else None
    first = replace(first, affine=_widened(first.affine), skip=skip)
    return replace(program, blocks=(first, *program.blocks[1:]))


def _widened(affine: Affine) -> Affine:
    return Affine(_pad(affine.weight), affine.bias)


def _pad(matrix: Tensor) -> Tensor:
    return torch.nn.functional.pad(matrix, (0, 1))


def _carried(program: Program, weight: float) -> Program:
    """Take the last entry of a state, which is positive, through as many layers as a program has."""
    one = program.head.bias.new_ones((1, 1))
    zero, last = one.new_zeros(1), torch.nn.functional.pad(one, (program.in_dim, 0))
    maps = [Affine(last, zero), *[Affine(one, zero)] * len(program.blocks)]
    head = Affine(weight * maps[-1].matrix, zero)
    return Program(tuple(Block(affine) for affine in maps[:-1]), head)


def _summed(program: Program) -> Program:
    """Add outputs up, each of which is of a state of its own."""
    head = Affine(program.head.weight.sum(0, keepdim=True), program.head.bias.sum(0, keepdim=True))
    return replace(program, head=head)


def _after(first: Block, program: Program) -> Program:
    """Prepend a block; into a plain layer its output map is multiplied, so that all stay plain."""
    whole = program.in_both_forms(lambda form: Program((first, *form.blocks), form.head))
    if not (program.blocks and all(block.is_plain for block in program.blocks)):
        return whole
    affine, out = program.blocks[0].affine, first.output_map()
    folded = Block(Affine(affine.weight @ out.weight, affine.bias + affine.weight @ out.bias))
    blocks = (Block(first.affine), folded, *program.blocks[1:])
    return Program(blocks, program.head).with_unfolded(whole.exact)
