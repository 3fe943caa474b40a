"""Elimination: the same numbers with and without python-flint, and the properties that define them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from creased.core.exact import elimination
from creased.core.exact.elimination import (
    Matrix,
    RationalMatrix,
    dot,
    identity,
    integer_row,
    null_vector,
    primitive,
    rank,
    rref,
)

BOTH_WAYS = pytest.mark.usefixtures("way")
NUMBERS = st.integers(-3, 3) | st.integers(-(2**200), 2**200)
SAME_MONKEYPATCH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def matrices(least: int = 0, most: int = 5) -> st.SearchStrategy[list[list[int]]]:
    return st.integers(1, 6).flatmap(
        lambda m: st.lists(st.lists(NUMBERS, min_size=m, max_size=m), min_size=least, max_size=most)
    )


@pytest.fixture(params=["flint", "python"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test with python-flint, where it is installed, and without it."""
    if request.param == "python":
        monkeypatch.setattr(elimination, "_flint", lambda: None)
    else:
        pytest.importorskip("flint")


@given(matrices(), st.data())
def test_both_ways_agree(matrix: list[list[int]], data: st.DataObject) -> None:
    pytest.importorskip("flint")
    vector = data.draw(st.lists(NUMBERS, min_size=len(matrix[0]), max_size=len(matrix[0]))) if matrix else []
    found = rank(matrix), rref(matrix), rref(matrix).reduce(vector)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elimination, "_flint", lambda: None)
        assert (rank(matrix), rref(matrix), rref(matrix).reduce(vector)) == found


def test_a_missing_flint_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(elimination, "import_module", refuse)
    assert elimination._flint.__wrapped__() is None


@BOTH_WAYS
@SAME_MONKEYPATCH
@given(matrix=matrices(least=1))
def test_reduced_row_echelon_form_has_unit_pivots_and_spans_the_rows(matrix: list[list[int]]) -> None:
    found = rref(matrix)
    rows = found.matrix.fractions()
    assert found.matrix == found.matrix.reduced()
    for i, pivot in enumerate(found.pivots):
        assert [row[pivot] for row in rows] == [int(i == j) for j in range(len(rows))]
        assert not any(rows[i][:pivot])
    assert all(not any(found.reduce(row)) for row in matrix)
    assert rank(matrix) == len(rows) == rank([*matrix, *found.matrix.rows])


@BOTH_WAYS
@SAME_MONKEYPATCH
@given(matrix=matrices(least=1, most=3), n=st.integers(9, 12))
def test_rank_of_large_matrices_is_exact(matrix: list[list[int]], n: int) -> None:
    wide = [[*row, *[0] * n] for row in matrix] + [[0] * len(matrix[0]) + list(row) for row in identity(n)]
    assert rank(wide) == rank(matrix) + n
    assert rank([[elimination.PRIME * x for x in row] for row in wide]) == rank(matrix) + n


@BOTH_WAYS
def test_null_vector_is_primitive_and_finite_where_it_can_be() -> None:
    assert null_vector([[2, 0, -4], [0, 3, 6]]) == (2, -2, 1)
    assert null_vector([[-2, 0, 4], [0, 0, 6]]) == (0, 1, 0)
    with pytest.raises(ArithmeticError, match="2 rows of a vertex have rank 1"):
        null_vector([[1, 2, 3], [2, 4, 6]])


@BOTH_WAYS
@SAME_MONKEYPATCH
@given(matrix=matrices(least=1, most=5))
def test_null_vector_is_orthogonal_to_all_rows(matrix: list[list[int]]) -> None:
    square = [(row * 6)[: len(matrix) + 1] for row in matrix]
    if rank(square) == len(square):
        vector = null_vector(square)
        assert not any(dot(row, vector) for row in square)
        assert any(vector)
        assert vector == primitive(vector)
        assert vector[-1] >= 0


@BOTH_WAYS
def test_inverse_times_the_matrix_is_the_identity() -> None:
    matrix = RationalMatrix.of([[0.5, 1], [Fraction(1, 3), -2]])
    inverse = matrix.inverse()
    assert product(matrix.fractions(), inverse.fractions()) == identity(2)
    with pytest.raises(ArithmeticError, match="singular"):
        RationalMatrix.of([[1, 2], [2, 4]]).inverse()


def product(first: tuple[tuple[Fraction, ...], ...], second: tuple[tuple[Fraction, ...], ...]) -> Matrix:
    columns = list(zip(*second, strict=True))
    return tuple(tuple(sum(map(Fraction.__mul__, row, column)) for column in columns) for row in first)


def test_floats_are_converted_without_rounding() -> None:
    rows = [[0.1, -3.0], [2.0**-60, 7]]
    exact = RationalMatrix.of(rows)
    assert exact.scale == 2**60
    assert exact.fractions() == tuple(tuple(map(Fraction, row)) for row in rows)
    assert integer_row([Fraction(2, 3), -0.5, 4]) == (4, -3, 24)
    with pytest.raises(ValueError, match="NaN"):
        RationalMatrix.of([[float("nan")]])


def test_equal_matrices_compare_equal_in_lowest_terms() -> None:
    assert RationalMatrix(((2, 4),), 6).reduced() == RationalMatrix(((1, 2),), 3)
    assert RationalMatrix(((0, 0),), 6).reduced() == RationalMatrix(((0, 0),), 1)
    assert primitive([0, 0]) == (0, 0)
    assert primitive([-4, 6]) == (-2, 3)
