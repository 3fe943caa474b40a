"""Piecewise-affine networks to train: plain, residual, with skips, maxout, GroupSort, triangle waves."""
