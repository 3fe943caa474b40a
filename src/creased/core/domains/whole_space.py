"""The whole space as a domain: homogeneous coordinates (x, w), and rays as vertices with w = 0.

With biases times w a piecewise-affine network is positively homogeneous, so that the same loop cuts the half
space w >= 0. Its one wall, row 0, is the wall at infinity; a vertex on it is a direction. The start is an
arrangement of D independent hyperplanes of the first layer: one vertex, 2 D rays, 2^D regions. Where those
neurons are not the first D of their layer they are put there, and given their own numbers back at the end.

If the first layer has rank below D there is no such start. Mostly there are no vertices then: the complex is
that of a network on fewer inputs, times a linear space, which is divided out
(`creased.core.domains.essential`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import torch
from torch import Tensor

from creased.core.arrangement.orthants import DEAD
from creased.core.arrangement.signs import RowLayout, pack_rows
from creased.core.arrangement.skeleton import Skeleton
from creased.core.domains.domain import Rows, Start
from creased.core.formatting import format_space
from creased.core.numerics.linear_algebra import independent_rows, null_space
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program


class LinealityError(ValueError):
    """The first layer has rank below D, and its null space cannot be divided out: there is no start."""

    def __init__(self, basis: Tensor, lineality_dim: int, reason: str) -> None:
        self.basis = basis  # (k, D): the directions that the first layer does not look at, orthonormal
        self.lineality_dim = lineality_dim  # how many the network does not look at: of the same, or fewer
        n_left_out, dim = basis.shape
        super().__init__(
            f"WholeSpace: the first layer spans {dim - n_left_out} of {dim} dimensions, {reason}; it takes "
            f"{dim} independent neurons of the first layer to start from"
        )


@dataclass(frozen=True)
class WholeSpace:
    """The whole space R^D."""

    dim: int
    is_bounded = False
    is_box = False

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise ValueError(f"WholeSpace: needs dim >= 1, got {self.dim}")

    @property
    def n_walls(self) -> int:
        """Number of walls: the one at infinity."""
        return 1

    @property
    def lower(self) -> tuple[float, ...]:
        """Least coordinates: -infinity."""
        return (-math.inf,) * self.dim

    @property
    def upper(self) -> tuple[float, ...]:
        """Greatest coordinates: infinity."""
        return (math.inf,) * self.dim

    def halfspaces(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        """The wall at infinity as an affine function (D + 1, 1): it is 1 everywhere."""
        return torch.eye(self.dim + 1, dtype=dtype, device=device)[:, -1:]

    def exact_walls(self) -> Rows:
        """The wall at infinity, w >= 0, in homogeneous coordinates (x, w)."""
        return [[0.0] * self.dim + [1.0]]

    def skeleton(self, n_words: int, dtype: torch.dtype, device: torch.device) -> Skeleton:
        """Raise: the whole space has no vertices of its own, see `start`."""
        raise ValueError("WholeSpace: has no vertices of its own; extract_complex starts from the network")

    def start(self, program: Program, layout: RowLayout) -> Start:
        """Start from D independent neurons, put first: one vertex and 2 D rays.

        Raises:
            LinealityError: the first layer has no D independent neurons.
        """
        weight = program.blocks[0].affine.weight if program.blocks else program.head.weight[:0]
        dim, first = program.in_dim, independent_rows(weight)
        if len(first) < dim:
            raise LinealityError(null_space(weight), 0, "and the network was not divided by the others")
        neurons = torch.tensor([*first, *(i for i in range(weight.shape[0]) if i not in first)])
        order = torch.arange(layout.n_rows)
        order[1 : 1 + len(neurons)] = 1 + neurons
        ordered = program.in_both_forms(partial(_with_neurons_in_order, neurons=neurons.to(program.device)))
        affine = ordered.blocks[0].affine
        skeleton = _cross(affine.weight[:dim], affine.bias[:dim], layout.n_words)
        corners = _corners(dim, program.device)
        return Start(
            ordered.in_both_forms(homogenise), ordered, skeleton, corners, dim, order.to(program.device)
        )

    def __str__(self) -> str:
        return format_space(self.dim)


def _with_neurons_in_order(program: Program, neurons: Tensor) -> Program:
    """Number the neurons of the first block that has any in another order."""
    first = next(i for i, block in enumerate(program.blocks) if block.n_neurons)
    block = program.blocks[first]
    mix, _, _ = block.output_matrices()
    affine = Affine(block.affine.weight[neurons], block.affine.bias[neurons])
    blocks = (*program.blocks[:first], replace(block, affine=affine, mix=mix[:, neurons]))
    return replace(program, blocks=(*blocks, *program.blocks[first + 1 :]))


def homogenise(program: Program) -> Program:
    """Lift a network to (x, w), linear on each cone of its cells; w is passed through."""
    return Program(tuple(_homogenised(block) for block in program.blocks), _lifted(program.head))


def _lifted(affine: Affine) -> Affine:
    """Turn the constant of an affine map into the weight of a last input."""
    return Affine(torch.cat([affine.weight, affine.bias[:, None]], dim=1), torch.zeros_like(affine.bias))


def _homogenised(block: Block) -> Block:
    mix, skip, shift = block.output_matrices()
    passed = torch.nn.functional.pad(torch.cat([skip, shift[:, None]], dim=1), (0, 0, 0, 1))
    passed[-1, -1] = 1
    return Block(_lifted(block.affine), torch.nn.functional.pad(mix, (0, 0, 0, 1)), passed)


def _cross(normals: Tensor, constants: Tensor, n_words: int) -> Skeleton:
    """Make the arrangement of D hyperplanes normals x + constants = 0 (D, D), (D,): rows 1 ... D."""
    dim, device = normals.shape[0], normals.device
    directions = torch.linalg.inv(normals).T
    directions = directions / directions.norm(dim=1, keepdim=True)
    vertices = normals.new_zeros((2 * dim + 1, dim + 1))
    vertices[0, :-1], vertices[0, -1] = torch.linalg.solve(normals, -constants), 1
    vertices[1::2, :-1], vertices[2::2, :-1] = -directions, directions
    signs = torch.zeros((2 * dim + 1, dim + 1), dtype=torch.bool)  # of rows 0 ... D
    signs[0, 0] = True
    zero_ids = [list(range(1, dim + 1))]
    for axis in range(dim):
        signs[2 + 2 * axis, 1 + axis] = True
        zero_ids += [[row for row in range(dim + 1) if row != 1 + axis]] * 2
    edges, edge_zero_ids = [], []
    for pair in combinations(range(2 * dim + 1), 2):
        common = sorted(set(zero_ids[pair[0]]) & set(zero_ids[pair[1]]))
        if len(common) == dim - 1:
            edges.append(pair)
            edge_zero_ids.append(common)
    return Skeleton(
        vertices=vertices,
        zero_ids=torch.tensor(zero_ids, dtype=torch.int32, device=device),
        words=pack_rows(signs, 0, n_words).to(device),
        edges=torch.tensor(edges, dtype=torch.int32, device=device),
        edge_zero_ids=torch.tensor(edge_zero_ids, dtype=torch.int32, device=device).reshape(
            len(edges), dim - 1
        ),
    )


def _corners(dim: int, device: torch.device) -> Tensor:
    """Corners (2 D + 1, 2^D) of the start's vertices; orthant ``p`` is region ``p``."""
    corners = torch.full((2 * dim + 1, 2**dim), DEAD, dtype=torch.int32)
    corners[0] = torch.arange(2**dim)
    for axis in range(dim):
        others = [a for a in range(dim) if a != axis]
        for corner in range(1, 2**dim, 2):  # inside of the wall at infinity, the first of the zeros
            region = sum(1 << a for slot, a in enumerate(others, start=1) if (corner >> slot) & 1)
            corners[1 + 2 * axis, corner] = region
            corners[2 + 2 * axis, corner] = region | 1 << axis
    return corners.to(device)
