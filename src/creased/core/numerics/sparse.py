"""Matrices of which most entries are zero, in compressed rows (CSR); dense ones pass as they are.

Convolutions, read as matrices, have few entries a row. They are kept so, and multiplied so, until dense rows
are asked for.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from creased.core.numerics.tensors import ranges_of

DENSITY = 0.25  # of entries that are not zero, below which a large matrix is compressed


def dense(matrix: Tensor) -> Tensor:
    """Return a matrix, or any other tensor, as a dense one."""
    return matrix if matrix.layout == torch.strided else matrix.to_dense()


def entries_of(matrix: Tensor) -> Tensor:
    """Return the entries of a tensor that are stored."""
    return matrix if matrix.layout == torch.strided else matrix.values()


def apply_rows(matrix: Tensor, x: Tensor, bias: Tensor | None = None) -> Tensor:
    """Map rows (..., in) to rows x matrix^T + bias (..., out)."""
    if matrix.layout == torch.strided:
        return torch.nn.functional.linear(x, matrix, bias)
    product = (matrix @ x.reshape(-1, x.shape[-1]).T).T
    return (product if bias is None else product + bias).reshape(*x.shape[:-1], matrix.shape[0])


def rows_of(matrix: Tensor, index: Tensor) -> Tensor:
    """Return some rows (m, in) of a matrix, dense."""
    if matrix.layout == torch.strided:
        return matrix[index]
    starts, ends = matrix.crow_indices()[index], matrix.crow_indices()[index + 1]
    row, entry = ranges_of(starts, ends - starts)
    rows = matrix.values().new_zeros((len(index), matrix.shape[1]))
    rows[row, matrix.col_indices()[entry].long()] = matrix.values()[entry]
    return rows


class ColumnBatches:
    """Batches of columns of a matrix; they are compressed as they come, if there are several."""

    def __init__(self) -> None:
        self._batches: list[Tensor | _Compressed] = []

    def append(self, columns: Tensor) -> None:
        """Take the next columns, as rows (m, n)."""
        if len(self._batches) == 1:
            self._batches[0] = _compressed(self._batches[0])
        self._batches.append(_compressed(columns) if self._batches else columns)

    def matrix(self) -> Tensor:
        """Return the matrix (n, sum of m): in compressed rows if all batches are; the batches are dropped."""
        batches, self._batches = self._batches, []
        compressed = [batch for batch in batches if isinstance(batch, _Compressed)]
        if len(compressed) == len(batches):
            return _join(compressed)
        expanded = [_expanded(batch) for batch in batches]
        return (torch.cat(expanded) if len(expanded) > 1 else expanded[0]).T.contiguous()


class _Compressed:
    """The entries of a batch of columns that are not zero, column by column."""

    def __init__(self, columns: Tensor) -> None:
        self.shape = columns.shape
        column, row = columns.nonzero(as_tuple=True)
        self.column, self.row, self.values = column.int(), row.int(), columns[column, row]


def _compressed(columns: Tensor | _Compressed) -> Tensor | _Compressed:
    if isinstance(columns, _Compressed) or columns.requires_grad:
        return columns
    is_sparse = int(columns.count_nonzero()) < DENSITY * columns.numel()
    return _Compressed(columns) if is_sparse else columns.clone()


def _expanded(batch: Tensor | _Compressed) -> Tensor:
    if isinstance(batch, Tensor):
        return batch
    columns = batch.values.new_zeros(batch.shape)
    columns[batch.column.long(), batch.row.long()] = batch.values
    return columns


def _join(batches: list[_Compressed]) -> Tensor:
    """Sort the entries of all batches by rows."""
    n_rows, starts = batches[0].shape[1], [0]
    for batch in batches:
        starts.append(starts[-1] + batch.shape[0])
    row = torch.cat([batch.row for batch in batches])
    column = torch.cat([batch.column + start for batch, start in zip(batches, starts, strict=False)])
    values = torch.cat([batch.values for batch in batches])
    batches.clear()
    order = row.argsort(stable=True)
    ends = torch.bincount(row, minlength=n_rows).cumsum(0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support")  # torch warns once: it is in beta
        return torch.sparse_csr_tensor(
            torch.nn.functional.pad(ends, (1, 0)).int(),
            column[order],
            values[order],
            (n_rows, starts[-1]),
            check_invariants=False,
        )
