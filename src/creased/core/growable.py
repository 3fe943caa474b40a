"""A tensor that grows by rows: capacity multiplies, so that appending costs amortized constant time a row."""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.memory import room


class Growable:
    """Rows of one tensor, with room for more behind them."""

    def __init__(self, rows: Tensor) -> None:
        self._buffer = rows
        self.n = rows.shape[0]

    @staticmethod
    def with_room(n: int, like: Tensor) -> Growable:
        """Unwritten rows, n of them, of the shape and type of those of ``like``, with room for more."""
        grown = Growable(like.new_empty((_capacity(n, like), *like.shape[1:])))
        grown.n = n
        return grown

    @property
    def rows(self) -> Tensor:
        """The rows (n, ...) so far; a view, valid until the next append."""
        return self._buffer[: self.n]

    def extend(self, n: int) -> Tensor:
        """Add n rows at the end and return them, not yet written."""
        needed = self.n + n
        if needed > self._buffer.shape[0]:
            grown = self._buffer.new_empty((_capacity(needed, self._buffer), *self._buffer.shape[1:]))
            grown[: self.n] = self.rows
            self._buffer = grown
        self.n = needed
        return self._buffer[needed - n : needed]

    def select(self, chosen: Tensor) -> Growable:
        """The rows chosen (m,) alone, with room for more."""
        kept = Growable.with_room(chosen.shape[0], self._buffer)
        torch.index_select(self.rows, 0, chosen, out=kept.rows)
        return kept

    def keep(self, chosen: Tensor, start: int) -> None:
        """Of the rows from start on keep those chosen (m,), ascending; forget the others."""
        self._buffer[start : start + chosen.shape[0]] = self._buffer.index_select(0, chosen)
        self.n = start + chosen.shape[0]

    def append(self, rows: Tensor) -> None:
        """Add rows (m, ...) at the end."""
        self.extend(rows.shape[0]).copy_(rows)


def _capacity(n: int, like: Tensor) -> int:
    return room(like.device) * n
