"""Independent rows span what all rows span, and the null space is the rest."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from creased.core.numerics.linear_algebra import independent_rows, null_space


@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**32))
def test_independent_rows_and_null_space_are_complementary(dim: int, n: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randint(-1, 2, (n, dim), generator=generator).double()
    rank = int(torch.linalg.matrix_rank(vectors))
    chosen = independent_rows(vectors)
    assert len(chosen) == rank == int(torch.linalg.matrix_rank(vectors[chosen])) if chosen else rank == 0
    basis = null_space(vectors)
    assert basis.shape == (dim - rank, dim)
    torch.testing.assert_close(vectors @ basis.T, torch.zeros((n, dim - rank), dtype=torch.float64))
