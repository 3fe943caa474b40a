"""The order of a level set's vertices along an edge of the domain, told by signs and not by positions.

An edge of the domain is a line, on which neurons of the first block are affine: each changes its sign once at
most, on the side that its slope tells. Vertices with the same signs in a block lie in one piece of the line,
on which those of the next block are affine. So of two vertices the first neuron with different signs says
which comes first; if none has, they are the same, as the function is affine between them. This is the order
in the perturbed arrangement, also where vertices coincide: only constants are perturbed, never slopes.

What is not guaranteed: slopes are sums in floating point. Of the neurons of a block that differ, all of which
agree, the one is asked that has the largest.
"""

from __future__ import annotations

from functools import cmp_to_key

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.program.program import Program


def order_along(level_set: LevelSet, program: Program | None, found: Tensor, along: Tensor) -> list[int]:
    """Some vertices of one edge of the domain, from its start to its end.

    Args:
        level_set: with D = 3, on the CPU.
        program: that it is of; without it positions are compared.
        found: the vertices (n,) int64.
        along: the edge's direction (3,), float64.
    """
    place = level_set.vertices[found].double() @ along
    found = found[place.argsort(stable=True)]
    if program is None or found.shape[0] < 2:
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
