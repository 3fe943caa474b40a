"""Text and LaTeX of numbers, affine functions, points and long lists, for what objects of all packages print.

Integers and fractions with short parts are shown as they are, other numbers with four significant digits; of
a long list the first entries and the number of the others. What is printed is for people: exact numbers are
in the fields.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

Number = int | float | Fraction

DIGITS = 4  # significant ones of a number that is not short
SHORT = 99  # largest numerator and denominator of a fraction that is shown as one
LARGE = 10**6  # integers from here on are shown as other numbers
SHOWN = 6  # entries of a list


def require_kind(caller: str, given: object, kind: type, advice: str = "") -> None:
    """Refuse what is of another class.

    Raises:
        TypeError: naming both classes, with advice.
    """
    if not isinstance(given, kind):
        raise TypeError(f"{caller}: needs a {kind.__name__}, got a {type(given).__name__}{advice}")


def format_number(number: Number, *, latex: bool = False) -> str:
    """Format a number: 3, 0.25, 1/3, 0.2718, 1.2e-05."""
    if isinstance(number, float) and not math.isfinite(number):
        return str(number).replace("inf", r"\infty" if latex else "inf")
    if number == int(number) and -LARGE < number < LARGE:
        return str(int(number))
    exact = Fraction(number)
    text = _rounded(exact)
    if Fraction(text) != exact and max(abs(exact.numerator), exact.denominator) <= SHORT:
        sign = "-" if exact < 0 else ""
        top, bottom = abs(exact.numerator), exact.denominator
        return f"{sign}\\frac{{{top}}}{{{bottom}}}" if latex else f"{sign}{top}/{bottom}"
    if latex and "e" in text:
        digits, exponent = text.split("e")
        factor = "" if digits == "1" else f"{digits} \\cdot "
        return f"{factor}10^{{{int(exponent)}}}"
    return text


def _rounded(number: Fraction) -> str:
    """Round to four significant digits, those too that floats do not hold."""
    if sys.float_info.min <= abs(number) <= sys.float_info.max or not number:
        return f"{float(number):.{DIGITS}g}"
    return f"{Decimal(number.numerator) / number.denominator:.{DIGITS - 1}e}"


def format_point(point: Iterable[Number]) -> str:
    """Format a point or a vector: (1, 0.5, -3)."""
    return f"({cut_list(map(format_number, point))})"


def format_signs(signs: Iterable[int]) -> str:
    """Format a sign vector: ++-0."""
    return "".join("0+-"[(sign > 0) - (sign < 0)] for sign in signs)


def format_affine(slopes: Sequence[Number], constant: Number, *, latex: bool = False) -> str:
    """Format an affine function: 3x + 2y + 1; of many variables the first ones."""
    names = variables(len(slopes), latex=latex)
    terms = [
        (slope, _monomial(slope, name, latex)) for slope, name in zip(slopes, names, strict=True) if slope
    ]
    shown = terms[: SHOWN if len(terms) > SHOWN + 1 else None]
    parts = [("-" if slope < 0 else "+", term) for slope, term in shown]
    if len(shown) < len(terms):
        n = len(terms) - len(shown)
        parts.append(("+", rf"\ldots\,{n}\text{{ more}}" if latex else f"... {n} more"))
    if constant or not parts:
        parts.append(("-" if constant < 0 else "+", format_number(_size(constant), latex=latex)))
    first = "-" if parts[0][0] == "-" else ""
    return first + parts[0][1] + "".join(f" {sign} {term}" for sign, term in parts[1:])


def _monomial(slope: Number, name: str, latex: bool) -> str:
    factor = format_number(_size(slope), latex=latex)
    if factor == "1":
        return name
    return f"{factor}{'' if latex or factor.replace('.', '').isdigit() else ' '}{name}"


def _size(number: Number) -> Number:
    return -number if number < 0 else number  # the type of abs() is not known


def variables(dim: int, *, latex: bool = False) -> list[str]:
    """Name D variables: x, y, z, or x1, x2, ... where there are more."""
    if dim <= 3:
        return list("xyz"[:dim])
    return [f"x_{{{i}}}" if latex else f"x{i}" for i in range(1, dim + 1)]


def cut_list(items: Iterable[str], *, most: int = SHOWN, joint: str = ", ", latex: bool = False) -> str:
    """Join the first entries of a list, and say how many more there are: a, b, ... 12 more."""
    entries = list(items)
    if len(entries) > most + 1:  # the place of the last one is needed for the words
        n = len(entries) - most
        entries[most:] = [rf"\ldots\,{n}\text{{ more}}" if latex else f"... {n:,} more"]
    return joint.join(entries)


def format_number_of(n: int, one: str, several: str = "") -> str:
    """Format a number of things: 1 vertex, 27,562 vertices."""
    return f"{n:,} {one if n == 1 else several or one + 's'}"


def format_space(dim: int, *, latex: bool = False) -> str:
    """Format a real vector space: R, R^3."""
    if latex:
        return r"\mathbb{R}" + (f"^{{{dim}}}" if dim != 1 else "")
    return "R" + (f"^{dim}" if dim != 1 else "")


def as_display(formula: str) -> str:
    """Wrap a formula for ``_repr_latex_``."""
    return rf"$\displaystyle {formula}$"
