"""Matrices in compressed rows give what dense ones give."""

import pytest
import torch
from torch import Tensor

from creased.core.numerics.sparse import ColumnBatches, apply_rows, dense, entries_of, rows_of


def mostly_zero(n_rows: int, n_columns: int) -> Tensor:
    matrix = torch.randn((n_rows, n_columns), generator=torch.Generator().manual_seed(1)).double()
    return torch.where(matrix > 1.3, matrix, 0)


def compressed(matrix: Tensor, *splits: int) -> Tensor:
    batches = ColumnBatches()
    for part in matrix.T.split(splits):
        batches.append(part)
    return batches.matrix()


def test_batches_of_a_mostly_zero_matrix_are_joined_in_compressed_rows() -> None:
    matrix = mostly_zero(7, 40)
    found = compressed(matrix, 13, 20, 7)
    assert found.layout == torch.sparse_csr
    assert torch.equal(dense(found), matrix)
    assert entries_of(found).numel() == matrix.count_nonzero()


def test_one_batch_and_dense_ones_stay_dense() -> None:
    matrix = mostly_zero(7, 40)
    assert compressed(matrix, 40).layout == torch.strided
    matrix[:, 20:30] = 1.0
    found = compressed(matrix, 20, 10, 10)
    assert found.layout == torch.strided
    assert torch.equal(found, matrix)


def test_batches_with_gradient_stay_dense_and_pass_it_on() -> None:
    matrix = mostly_zero(3, 10).requires_grad_()
    found = compressed(matrix, 5, 5)
    assert found.layout == torch.strided
    (gradient,) = torch.autograd.grad(found.square().sum(), matrix)
    torch.testing.assert_close(gradient, 2 * matrix)


@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_products_with_rows_are_those_of_the_dense_matrix(shape: tuple[int, ...]) -> None:
    matrix, bias = mostly_zero(7, 40), torch.arange(7).double()
    x = torch.randn((*shape, 40), dtype=torch.float64)
    for constant in (None, bias):
        found = apply_rows(compressed(matrix, 20, 20), x, constant)
        torch.testing.assert_close(found, torch.nn.functional.linear(x, matrix, constant))


def test_rows_are_read_in_any_order_and_twice() -> None:
    matrix = mostly_zero(7, 40)
    matrix[2] = 0
    index = torch.tensor([6, 2, 0, 6])
    assert torch.equal(rows_of(compressed(matrix, 20, 20), index), matrix[index])
