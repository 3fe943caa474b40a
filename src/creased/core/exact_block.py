"""A block of a program in integers: values go forward through it, covectors back."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from creased.core.elimination import Form
from creased.core.integer_rows import IntegerRows, apply, in_integers, row_times, with_bias
from creased.core.program import Block


class ExactBlock(NamedTuple):
    """A block's rows, and what makes the next state of them."""

    affine: IntegerRows
    mix: IntegerRows | None  # of (relu(z), state, w); None: relu(z) itself

    @property
    def mix_shift(self) -> int:
        """log2 of the denominator of the mix."""
        return self.mix.shift if self.mix else 0

    @property
    def n_next(self) -> int:
        """S', of the next state."""
        return len(self.mix.rows if self.mix else self.affine.rows)

    def split(self, covector: dict[int, Any]) -> tuple[dict[int, Any], dict[int, Any]]:
        """A covector on the next state as one on relu(z), and one on what is passed through, by column."""
        n_neurons = len(self.affine.rows)
        if self.mix is None:
            return {j: c for j, c in covector.items() if j < n_neurons}, {}
        n_next = len(self.mix.rows)
        pulled = row_times({j: c for j, c in covector.items() if j < n_next}, self.mix)
        hidden = {j: c for j, c in pulled.items() if j < n_neurons}
        return hidden, {j - n_neurons: c for j, c in pulled.items() if j >= n_neurons}

    def advance(self, hidden: list[Form], state: list[Form], w: Form) -> tuple[list[Form], Form]:
        """The next state and w, both scaled by the same power of two."""
        a = self.affine.shift
        scaled = [value << a for value in w]
        if self.mix is None:
            return hidden, scaled
        old = [[value << a for value in form] for form in state]
        return apply(self.mix, hidden + old, scaled), [value << self.mix.shift for value in scaled]


def exact_block(block: Block) -> ExactBlock:
    """A block's weights as they are, as integers."""
    affine = in_integers(with_bias(block.affine.weight, block.affine.bias))
    if block.mix is None and block.skip is None and block.shift is None:
        return ExactBlock(affine, None)
    n_neurons, n_state = block.affine.weight.shape
    n_next = next(len(t) for t in (block.mix, block.skip, block.shift) if t is not None)
    like = block.affine.weight
    eye = like.new_zeros((n_next, n_neurons)).fill_diagonal_(1)
    parts = [
        eye if block.mix is None else block.mix,
        like.new_zeros((n_next, n_state)) if block.skip is None else block.skip,
        (like.new_zeros(n_next) if block.shift is None else block.shift)[:, None],
    ]
    return ExactBlock(affine, in_integers(torch.cat(parts, dim=1)))
