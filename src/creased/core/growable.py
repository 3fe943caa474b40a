"""A tensor that grows by rows: capacity doubles, so that appending costs amortized constant time a row."""

import torch
from torch import Tensor


class Growable:
    """Rows of one tensor, with room for more behind them."""

    def __init__(self, rows: Tensor) -> None:
        self._buffer = rows
        self.n = rows.shape[0]

    @property
    def rows(self) -> Tensor:
        """The rows (n, ...) so far; a view, valid until the next append."""
        return self._buffer[: self.n]

    def append(self, rows: Tensor) -> None:
        """Add rows (m, ...) at the end."""
        needed = self.n + rows.shape[0]
        if needed > self._buffer.shape[0]:
            grown = torch.empty(
                (max(2 * self.n, needed), *rows.shape[1:]), dtype=rows.dtype, device=rows.device
            )
            grown[: self.n] = self.rows
            self._buffer = grown
        self._buffer[self.n : needed] = rows
        self.n = needed
