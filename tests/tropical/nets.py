"""The named networks of the specification's tables, and arrangements of hyperplanes as networks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations, pairwise

import torch

from creased import Affine, Block, Program
from tests.oracles import FIXTURES, program_of

NETS = json.loads((FIXTURES / "named_nets.json").read_text())


def named(name: str) -> Program:
    """A named network, in float64."""
    return program_of(NETS[name])


def integer_program(sizes: Sequence[int], most: int, *, seed: int) -> Program:
    """Weights and biases drawn evenly from the integers -most ... most; input and output are sizes too."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randint(-most, most + 1, shape, generator=generator).double()

    *hidden, head = [Affine(draw(n_out, n_in), draw(n_out)) for n_in, n_out in pairwise(sizes)]
    return Program(tuple(map(Block, hidden)), head)


def arrangement(rows: Sequence[Sequence[float]]) -> Program:
    """One layer whose creases are the hyperplanes (*normal, offset)."""
    table = torch.tensor(rows, dtype=torch.float64)
    hidden = Affine(table[:, :-1], table[:, -1])
    return Program((Block(hidden),), Affine(table.new_ones((1, len(table))), table.new_zeros(1)))


def differences(n: int, offsets: Sequence[float]) -> list[list[float]]:
    """x_i - x_j = offset for all i < j <= n, with x_n = 0: braid, Shi, Linial and Catalan arrangements."""
    rows = []
    for i, j in combinations(range(n), 2):
        normal = [float(k == i) - float(k == j) for k in range(n - 1)]
        rows += [[*normal, -offset] for offset in offsets]
    return rows
