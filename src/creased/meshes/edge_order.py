"""Order a level set's vertices along an edge of the domain by signs, not by positions.

On an edge of the domain, a line, neurons of the first block are affine: each changes its sign at most once,
in the direction of its slope. Vertices with the same signs in a block lie in one interval of the line, on
which the neurons of the next block are affine. So the first neuron with different signs at two vertices
orders them; if there is none, they are the same, as the function is affine between them. This is the order in
the perturbed arrangement, also where vertices coincide: constants are perturbed, slopes are not.

Not guaranteed: slopes are sums in floating point. Of the neurons of a block that differ, which all agree, the
one with the largest slope is used.
"""

from __future__ import annotations

from functools import cmp_to_key

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.program.program import Program


def order_along(level_set: LevelSet, program: Program | None, found: Tensor, along: Tensor) -> list[int]:
    """Order vertices on one edge of the domain, from its start to its end.

    Args:
        level_set: with D = 3, on the CPU.
        program: the level set's; without it positions are compared.
        found: the vertices (n,) int64.
        along: the edge's direction (3,), float64.
    """
    place = level_set.vertices[found].double() @ along
    found = found[place.argsort(stable=True)]
    if program is None or program.grid is not None or found.shape[0] < 2:
        return found.tolist()
    masks = level_set.activation_masks(level_set.words[found]).double()
    with torch.no_grad():
        rates = program.linear_part().preactivations_on(along.expand(found.shape[0], -1), masks)
    slopes_of_blocks = rates[:, : program.n_neurons].split(program.widths, 1)
    blocks = list(zip(masks.split(program.widths, 1), slopes_of_blocks, strict=True))

    def compare(first: int, second: int) -> int:
        for signs, slopes in blocks:
            change = (signs[second] - signs[first]) * slopes[first]  # positive where second comes later
            strongest = float(change[change.abs().argmax()]) if change.numel() else 0.0
            if strongest:
                return -1 if strongest > 0 else 1
        return 0

    order = sorted(range(found.shape[0]), key=cmp_to_key(compare))
    return found[torch.tensor(order)].tolist()
