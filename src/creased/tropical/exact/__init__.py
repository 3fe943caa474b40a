"""Integers and rationals of tropical computations.

Vectors without common divisor, rational matrices, and rounding that keeps a function.
"""
