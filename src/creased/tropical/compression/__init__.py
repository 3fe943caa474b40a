"""Lossless compression: stable units are found by proof and removed, with a certificate.

`stable` proves which neurons keep one sign on a domain, by intervals, linear bounds, or all cells in
integers. `compression` removes or folds them in fractions (`rational_matrices`), so that the function stays
the same, and `rounding` turns the result into floats, with a bound on how much that changes the outputs.
"""
