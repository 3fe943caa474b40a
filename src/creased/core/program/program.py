"""The canonical form of a piecewise-affine network: blocks of (affine, ReLU, passthrough), then a head.

A program keeps the tensors it was built from, so one lowered from a module is differentiable in the module's
weights.

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
from creased.core.numerics.sparse import entries_of
from creased.core.numerics.tensors import map_tensors
from creased.core.program.kuhn_grid import KuhnGrid
from creased.core.program.layers import Affine, Block, map_frames

BATCH = 1 << 12  # points that are worked on at once
CACHED = 1 << 15  # numbers of a layer's preactivations that are evaluated at once
LAYERS = 12  # that are printed
FEWEST = 1 << 8  # points evaluated at once, however wide the layer


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
        is_finite = torch.stack([(0 * entries_of(t)).sum() for t in tensors]).isfinite().tolist()
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
        steps = [(block.format_neurons(), block.n_next) for block in self.blocks]
        if self.grid is not None and self.blocks:
            steps.insert(0, ("grid", self.blocks[0].affine.matrix.shape[1]))
        arrows = [rf"\xrightarrow{{\text{{{name}}}}} {format_space(n, latex=True)}" for name, n in steps]
        arrows.append(rf"\to {format_space(self.out_dim, latex=True)}")
        layers = cut_list(arrows, most=LAYERS, joint=" ", latex=True)
        return as_display(f"{format_space(self.in_dim, latex=True)} {layers}")
