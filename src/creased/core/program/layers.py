"""The layers of a program: an affine map, and a block of neurons between affine maps.

Each block maps a state ``s`` to the next one::

    z  = A s + b                 preactivations: each row is one neuron, one crease
    s' = C relu(z) + B s + c     a plain ReLU layer has C = identity, B = 0, c = 0

With the passthrough ``B`` this covers skips, leaky ReLU, absolute values, maxout and the like.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from creased.core.formatting import format_space
from creased.core.numerics.sparse import apply_rows, dense


@dataclass(frozen=True)
class Affine:
    """The map ``x -> weight x + bias``, applied to rows."""

    matrix: Tensor  # (out, in) floating; in compressed rows, see `core.numerics.sparse`, of convolutions
    bias: Tensor  # (out,) floating

    @staticmethod
    def identity(like: Tensor) -> Affine:
        """Make the identity of vectors (n,), in their dtype and on their device."""
        n = like.shape[0]
        return Affine(torch.eye(n, dtype=like.dtype, device=like.device), torch.zeros_like(like))

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


def map_frames(affine: Affine, frames: Tensor, out: Tensor) -> None:
    """Map axes and origins (R, k + 1, S) into part of a larger tensor, (R, k + 1, n)."""
    rows = out.as_strided((out.shape[0] * out.shape[1], out.shape[2]), out.stride()[1:], out.storage_offset())
    if affine.matrix.layout == torch.strided:
        torch.mm(frames.flatten(0, 1), affine.matrix.T, out=rows)
    else:
        rows.copy_(apply_rows(affine.matrix, frames.flatten(0, 1)))
    out[:, -1].add_(affine.bias)
