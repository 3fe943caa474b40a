"""Exact arithmetic: float weights are rational numbers, and signs are decided in integers.

Matrices of weights become integers over a power of two, a vertex the integer vector on which its rows vanish,
and a sign that of an integer. python-flint makes it faster where it is installed.
"""
