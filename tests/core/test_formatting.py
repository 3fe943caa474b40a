"""Numbers, affine functions and lists print short, and say what is left out."""

import math
from fractions import Fraction

import pytest

from creased.core.formatting import (
    Number,
    cut_list,
    format_affine,
    format_number,
    format_point,
    format_signs,
    variables,
)


@pytest.mark.parametrize(
    ("number", "text", "latex"),
    [
        (0, "0", "0"),
        (-0.0, "0", "0"),
        (3.0, "3", "3"),
        (Fraction(-1, 4), "-0.25", "-0.25"),
        (Fraction(-1, 3), "-1/3", r"-\frac{1}{3}"),
        (Fraction(1, 101), "0.009901", "0.009901"),
        (math.pi, "3.142", "3.142"),
        (0.000012, "1.2e-05", r"1.2 \cdot 10^{-5}"),
        (123456789, "1.235e+08", r"1.235 \cdot 10^{8}"),
        (10**400, "1.000e+400", r"1.000 \cdot 10^{400}"),
        (Fraction(-1, 3 * 10**400), "-3.333e-401", r"-3.333 \cdot 10^{-401}"),
        (math.nan, "nan", "nan"),
        (-math.inf, "-inf", r"-\infty"),
    ],
)
def test_numbers_are_short(number: Number, text: str, latex: str) -> None:
    assert (format_number(number), format_number(number, latex=True)) == (text, latex)


@pytest.mark.parametrize(
    ("slopes", "constant", "text"),
    [
        ((3, 2), 1, "3x + 2y + 1"),
        ((-1, 0, 1), -2, "-x + z - 2"),
        ((0,), 0, "0"),
        ((0, 0), -0.5, "-0.5"),
        ((Fraction(1, 3), 1e-7), 0, "1/3 x + 1e-07 y"),
        ((1, 0, 2, 0), 0, "x1 + 2x3"),
        ((1,) * 7, 0, "x1 + x2 + x3 + x4 + x5 + x6 + x7"),
        ((1,) * 9, -1, "x1 + x2 + x3 + x4 + x5 + x6 + ... 3 more - 1"),
    ],
)
def test_affine_functions_read_as_formulas(slopes: tuple[Number, ...], constant: Number, text: str) -> None:
    assert format_affine(slopes, constant) == text


def test_latex_has_indices_and_fractions() -> None:
    assert format_affine((0, Fraction(-1, 3), 0, 2), 0, latex=True) == r"-\frac{1}{3}x_{2} + 2x_{4}"


def test_a_long_list_says_how_many_are_left_out() -> None:
    assert cut_list(map(str, range(18))) == "0, 1, 2, 3, 4, 5, ... 12 more"
    assert cut_list(map(str, range(7))) == "0, 1, 2, 3, 4, 5, 6"  # no word would be shorter than the entry
    assert cut_list([]) == ""


def test_points_and_signs() -> None:
    assert format_point((1.0, Fraction(1, 2))) == "(1, 0.5)"
    assert format_signs((1, -1, 0)) == "+-0"
    assert variables(3) == ["x", "y", "z"]
