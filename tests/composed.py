"""Networks on a grid as plain networks, one on each simplex, composed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations, product

import torch
from torch import Tensor

from creased import Affine, Program, Simplex


def composed(program: Program) -> Iterator[tuple[Program, Simplex]]:
    """Each simplex of the grid, and the plain network that is the same there."""
    grid = program.grid
    assert grid is not None
    for base in product(range(grid.finest), repeat=grid.dim):
        for axes in permutations(range(grid.dim)):
            path = [list(base)]
            for axis in axes:
                path.append([k + (i == axis) for i, k in enumerate(path[-1])])
            corners = (torch.tensor(path).double() * 2 / grid.finest - 1) * grid.half_width
            yield _on_simplex(program, corners), Simplex(corners)


def _on_simplex(program: Program, corners: Tensor) -> Program:
    states = program.encode(corners)
    ones = torch.ones((len(corners), 1), dtype=torch.float64)
    maps = torch.linalg.solve(torch.cat([corners, ones], dim=1), states)  # (D + 1, S), the constant last
    encoder = Affine(maps[:-1].T, maps[-1])
    first = program.blocks[0]
    assert first.is_plain
    affine = Affine(first.affine.weight @ encoder.weight, first.affine(encoder.bias))
    return Program((replace(first, affine=affine), *program.blocks[1:]), program.head)
