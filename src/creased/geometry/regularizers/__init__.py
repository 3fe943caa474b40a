"""Geometric regularizers: losses of a level set, differentiable in the live weights.

Each is a class with one method, its totals over the whole surface. `Regularizer` estimates them from a sample
of vertices: the value is exact where the level set was extracted, the gradient unbiased. On an empty level
set all are 0. `creased.geometry` exports them.
"""
