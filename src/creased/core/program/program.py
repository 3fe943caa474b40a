"""The canonical form of a piecewise-affine network: blocks of (affine, ReLU, passthrough), then a head.

Each block maps a state ``s`` to the next one::

    z  = A s + b                 preactivations: each row is one neuron, one crease
    s' = C relu(z) + B s + c     a plain ReLU layer has C = identity, B = 0, c = 0

With the passthrough ``B`` this covers skips, leaky ReLU, absolute values, maxout and the like. A program
keeps the tensors it was built from, so one lowered from a module is differentiable in the module's weights.

Weights that are products or sums of a network's numbers are rounded. Where there are any, the program keeps
its `unfolded` form beside it: more blocks, without neurons between them, whose weights are the network's own
numbers. What is decided in rationals, and what is certified, is of that form.

A fixed activation pattern turns the program into one affine map. `preactivations_on` and `gradients_on`
evaluate that map with the pattern *given*: on creases the signs of the values are rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from creased.core.formatting import as_display, cut_list, format_space
from creased.core.numerics.memory import rows_at_once, working_bytes
from creased.core.numerics.sparse import apply_rows, dense, entries_of
from creased.core.numerics.tensors import map_tensors
from creased.core.program.kuhn_grid import KuhnGrid

BATCH = 1 << 12  # points that are worked on at once
CACHED = 1 << 15  # numbers of a layer's preactivations that are evaluated at once
LAYERS = 12  # that are printed
FEWEST = 1 << 8  # points evaluated at once, however wide the layer


@dataclass(frozen=True)
class Affine:
    """The map ``x -> weight x + bias``, applied to rows."""

    matrix: Tensor  # (out, in) floating; in compressed rows, see `core.numerics.sparse`, of convolutions
    bias: Tensor  # (out,) floating

    @property
    def weight(self) -> Tensor:
        """The matrix (out, in), dense."""
        return dense(self.matrix)

    def __call__(self, x: Tensor) -> Tensor:
        """Map rows (..., in) to rows (..., out)."""
        return apply_rows(self.matrix, x, self.bias)

    def linear_part(self) -> Affine:
        """Drop the constant."""
        return Affine(self.matrix, torch.zeros_like(self.bias))

    def __repr__(self) -> str:
        n_next, n_state = self.matrix.shape
        return f"affine map {format_space(n_state)} -> {format_space(n_next)}"


@dataclass(frozen=True)
class Block:
    """One layer of neurons; ``None`` stands for the plain ReLU layer's identity, zero and zero.

    Matrices may be in compressed rows; `output_matrices` and `Affine.weight` are dense.
    """

    affine: Affine  # A (N, S), b (N,): the preactivations
    mix: Tensor | None = None  # C (S', N); None: identity
    skip: Tensor | None = None  # B (S', S); None: zero
    shift: Tensor | None = None  # c (S',); None: zero

    @staticmethod
    def without_neurons(affine: Affine) -> Block:
        """Make the block that maps the state by an affine map."""
        n_next, n_state = affine.matrix.shape
        like = affine.bias
        nothing = Affine(like.new_zeros((0, n_state)), like.new_zeros(0))
        return Block(nothing, like.new_zeros((n_next, 0)), affine.matrix, affine.bias)

    @property
    def n_neurons(self) -> int:
        """Number of neurons, which is that of creases."""
        return self.affine.bias.shape[0]

    @property
    def is_plain(self) -> bool:
        """True for a plain ReLU layer: the next state is relu(z)."""
        return self.mix is None and self.skip is None and self.shift is None

    @property
    def has_passthrough(self) -> bool:
        """True if the state is passed on beside the neurons."""
        return self.skip is not None

    @property
    def n_next(self) -> int:
        """Width S' of the next state."""
        return self.n_neurons if self.mix is None else self.mix.shape[0]

    def format_neurons(self) -> str:
        """Format the neurons: 16 relu."""
        return f"{self.n_neurons} relu{', passed by the state' * self.has_passthrough}"

    def output_matrices(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return C (S', N), B (S', S) and c (S',), with the identity and zeros filled in."""
        like, n_state = self.affine.bias, self.affine.matrix.shape[1]
        eye = torch.eye(self.n_neurons, dtype=like.dtype, device=like.device)
        mix = eye if self.mix is None else dense(self.mix)
        n_next = mix.shape[0]
        skip = like.new_zeros((n_next, n_state)) if self.skip is None else dense(self.skip)
        return mix, skip, like.new_zeros(n_next) if self.shift is None else self.shift

    def output_map(self) -> Affine:
        """Return the next state as one affine map of relu(z) and, with a passthrough, the state behind it."""
        mix, skip, shift = self.output_matrices()
        return Affine(torch.cat([mix, skip], dim=1) if self.has_passthrough else mix, shift)

    def linear_part(self) -> Block:
        """Drop the constants."""
        return replace(self, affine=self.affine.linear_part(), shift=None)

    def advance(self, state: Tensor | None, activation: Tensor) -> Tensor:
        """Compute the next state (..., S') from the state (..., S) and relu(z) (..., N).

        The state is used only by a passthrough, and may be None without one.
        """
        out = activation if self.mix is None else apply_rows(self.mix, activation)
        if self.skip is not None:
            assert state is not None
            out = out + apply_rows(self.skip, state)
        return out if self.shift is None else out + self.shift

    def pull_back(self, covector: Tensor, mask: Tensor) -> Tensor:
        """Pull covectors (R, S') on the next state back to the state (R, S), on patterns (R, N)."""
        hidden = covector if self.mix is None else covector @ self.mix
        pulled = (hidden * mask) @ self.affine.matrix
        return pulled if self.skip is None else pulled + covector @ self.skip

    def __repr__(self) -> str:
        n_state = self.affine.matrix.shape[1]
        return f"block {format_space(n_state)} -> {self.format_neurons()} -> {format_space(self.n_next)}"


@dataclass(frozen=True)
class Program:
    """A piecewise-affine map from R^D to R^O. Rows of all blocks are numbered in order, then the outputs."""

    blocks: tuple[Block, ...]
    head: Affine  # (O, S), (O,)
    grid: KuhnGrid | None = None  # encodes the input as the first state; None: it is the first state
    unfolded: Program | None = field(default=None, init=False)  # the same, unrounded; None: it is

    def with_unfolded(self, unfolded: Program | None) -> Program:
        """Take another program as the unfolded form, with as many neurons, in this order.

        `dataclasses.replace` drops it, as what it changes need not be true of that form.
        """
        copy = replace(self)
        object.__setattr__(copy, "unfolded", unfolded)
        return copy

    def in_both_forms(self, change: Callable[[Program], Program]) -> Program:
        """Change a program and its unfolded form alike."""
        return change(self).with_unfolded(None if self.unfolded is None else change(self.unfolded))

    @property
    def exact(self) -> Program:
        """The program of which all weights are the network's own numbers."""
        return self if self.unfolded is None else self.unfolded

    @property
    def in_dim(self) -> int:
        """Input dimension D."""
        if self.grid is not None:
            return self.grid.in_dim
        first = self.blocks[0].affine if self.blocks else self.head
        return first.matrix.shape[1]

    @property
    def out_dim(self) -> int:
        """Number of outputs O."""
        return self.head.bias.shape[0]

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons of each block."""
        return tuple(block.n_neurons for block in self.blocks)

    @property
    def n_neurons(self) -> int:
        """Neurons of all blocks."""
        return sum(self.widths)

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of the weights."""
        return self.head.matrix.dtype

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.head.matrix.device

    def tensors(self) -> Iterator[Tensor]:
        """Iterate over all weights, block by block, as they are kept: some may be in compressed rows."""
        for block in self.blocks:
            yield from (block.affine.matrix, block.affine.bias)
            yield from (t for t in (block.mix, block.skip, block.shift) if t is not None)
        yield from (self.head.matrix, self.head.bias)
        yield from self.grid.tables if self.grid is not None else ()

    def require_finite(self, caller: str) -> None:
        """Refuse NaN and infinite weights; the message begins with the caller's name.

        Raises:
            ValueError: a weight is NaN or infinite.
        """
        tensors = list(self.tensors())
        is_finite = torch.stack([entries_of(tensor).isfinite().all() for tensor in tensors]).tolist()
        for tensor in (t for t, finite in zip(tensors, is_finite, strict=True) if not finite):
            raise ValueError(f"{caller}: a weight of shape {tuple(tensor.shape)} holds NaN or infinity")

    def require_no_grid(self, caller: str) -> None:
        """Refuse networks on a grid; the message begins with the caller's name.

        Raises:
            ValueError: the program has a grid.
        """
        if self.grid is not None:
            raise ValueError(f"{caller}: networks on a grid are not supported here")

    def to(
        self, device: torch.device | str | torch.dtype | None = None, dtype: torch.dtype | None = None
    ) -> Program:
        """Move to another device or floating type, which may come first; differentiable."""
        if isinstance(device, torch.dtype):
            device, dtype = None, device

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device=device or tensor.device, dtype=dtype or tensor.dtype)

        return self.in_both_forms(lambda program: map_tensors(program, move))

    def detach(self) -> Program:
        """Detach all weights from the autograd graph."""
        return self.in_both_forms(lambda program: map_tensors(program, Tensor.detach))

    def tail(self, first_block: int) -> Program:
        """Take the blocks from ``first_block`` on, as a program of that block's state, without the grid."""
        return Program(self.blocks[first_block:], self.head)

    def linear_part(self) -> Program:
        """Drop the constants: on a fixed pattern, the derivative of this program."""
        self.require_no_grid("derivatives on activation patterns")
        return Program(tuple(block.linear_part() for block in self.blocks), self.head.linear_part())

    @property
    def inner(self) -> Program:
        """The program of the first state, without the grid."""
        return self.on_grid(None)

    def on_grid(self, grid: KuhnGrid | None) -> Program:
        """Take another grid, in the dtype of the weights, as the encoder of the first state."""
        grid = None if grid is None else map_tensors(grid, lambda t: t.to(self.dtype))
        return self.in_both_forms(lambda program: replace(program, grid=grid))

    def encode(self, x: Tensor) -> Tensor:
        """The first state (..., S) at points (..., D), in the weights' dtype if that is finer."""
        if self.grid is not None:
            return self.grid.encode(x)
        return x.to(self.dtype) if torch.promote_types(x.dtype, self.dtype) == self.dtype else x

    def __call__(self, x: Tensor) -> Tensor:
        """Evaluate the outputs (..., O) at points (..., D)."""
        state = self.encode(x)
        for block in self.blocks:
            state = block.advance(state, torch.relu(block.affine(state)))
        return self.head(state)

    @torch.no_grad()
    def outputs_at(self, points: Tensor) -> Tensor:
        """Evaluate outputs (m, O) at many points (m, D), in batches that fit the cache, without gradient."""
        widest = max(self.widths, default=self.in_dim)
        n_points = max(CACHED // widest, FEWEST)
        fitting = max(working_bytes(points.device) // (16 * widest), n_points)
        at_once = min(rows_at_once(n_points, points.device), fitting)
        found = self.head.bias.new_empty((points.shape[0], self.out_dim))
        for batch, outputs in zip(points.split(at_once), found.split(at_once), strict=True):
            outputs.copy_(self(batch))
        return found

    def preactivations(self, x: Tensor) -> Tensor:
        """Evaluate all rows (..., n_neurons + O) at points (..., D): preactivations, then the outputs."""
        state, rows = self.encode(x), []
        for block in self.blocks:
            z = block.affine(state)
            rows.append(z)
            state = block.advance(state, torch.relu(z))
        return torch.cat([*rows, self.head(state)], dim=-1)

    def preactivations_on(self, x: Tensor, masks: Tensor) -> Tensor:
        """Evaluate all rows (..., n_neurons + O) of the affine maps on given activation patterns.

        Args:
            x: points, (V, D).
            masks: 1 where a neuron is active, else 0; (V, n_neurons), floating.
        """
        state, rows = self.encode(x), []
        for block, mask in zip(self.blocks, masks.split(self.widths, dim=-1), strict=True):
            z = block.affine(state)
            rows.append(z)
            state = block.advance(state, z * mask)
        return torch.cat([*rows, self.head(state)], dim=-1)

    @torch.no_grad()
    def maps_on(self, masks: Tensor, frames: Tensor | None = None, out: Tensor | None = None) -> Tensor:
        """Compute all rows as affine functions (R, k + 1, n_neurons + O) of cell coordinates, constant last.

        Args:
            masks: the activation patterns of R cells, (R, n_neurons), floating.
            frames: k axes and an origin for each cell, (R, k + 1, D); the standard ones by default.
            out: written to if given.
        """
        n_cells = masks.shape[0]
        self.require_no_grid("affine maps on activation patterns")
        if frames is None:
            standard = torch.eye(self.in_dim + 1, self.in_dim, dtype=self.dtype, device=self.device)
            frames = standard.expand(n_cells, -1, -1)
        if out is None:
            out = self.head.bias.new_empty((*frames.shape[:2], self.n_neurons + self.out_dim))
        state, n_done = frames, 0
        for block, mask in zip(self.blocks, masks.split(self.widths, dim=-1), strict=True):
            z = out[..., n_done : n_done + block.n_neurons]
            map_frames(block.affine, state, z)
            state = replace(block, shift=None).advance(state, z * mask[:, None])
            if block.shift is not None:
                state[:, -1].add_(block.shift)
            n_done += block.n_neurons
        map_frames(self.head, state, out[..., n_done:])
        return out

    def gradients_on(self, masks: Tensor, output: int = 0) -> Tensor:
        """Compute gradients (R, D) of one output on cells with activation patterns (R, n_neurons)."""
        self.require_no_grid("gradients on activation patterns")
        covector = self.head.weight[output].expand(masks.shape[0], -1)
        patterns = masks.split(self.widths, dim=-1) if self.blocks else ()
        for block, mask in zip(reversed(self.blocks), reversed(patterns), strict=True):
            covector = block.pull_back(covector, mask)
        return covector

    def __repr__(self) -> str:
        encoded = [] if self.grid is None else [str(self.grid)]
        layers = [*encoded, *(block.format_neurons() for block in self.blocks)]
        steps = [
            format_space(self.in_dim),
            cut_list(layers, most=LAYERS, joint=" -> "),
            format_space(self.out_dim),
        ]
        return f"program {' -> '.join(filter(None, steps))}, {str(self.dtype).removeprefix('torch.')}"

    def _repr_latex_(self) -> str:
        """Format the layers for notebooks, each arrow with what it applies."""
        grid, states = r"\xrightarrow{\text{grid}}", [block.n_next for block in self.blocks]
        start = [self.blocks[0].affine.matrix.shape[1]] if self.grid is not None and self.blocks else []
        arrows = [f"{grid} {format_space(n, latex=True)}" for n in start]
        arrows += [rf"\xrightarrow{{\text{{relu}}}} {format_space(n, latex=True)}" for n in states]
        arrows.append(rf"\to {format_space(self.out_dim, latex=True)}")
        layers = cut_list(arrows, most=LAYERS, joint=" ", latex=True)
        return as_display(f"{format_space(self.in_dim, latex=True)} {layers}")


def map_frames(affine: Affine, frames: Tensor, out: Tensor) -> None:
    """Map axes and origins (R, k + 1, S) into part of a larger tensor, (R, k + 1, n)."""
    rows = out.as_strided((out.shape[0] * out.shape[1], out.shape[2]), out.stride()[1:], out.storage_offset())
    if affine.matrix.layout == torch.strided:
        torch.mm(frames.flatten(0, 1), affine.matrix.T, out=rows)
    else:
        rows.copy_(apply_rows(affine.matrix, frames.flatten(0, 1)))
    out[:, -1].add_(affine.bias)
