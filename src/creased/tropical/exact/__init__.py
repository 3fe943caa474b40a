"""Integers and rationals of tropical computations: vectors without common divisor, rational matrices, rounding that keeps a function."""
