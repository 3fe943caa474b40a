"""Kernels of exact signs: what `modular_rows` does to all cells in turn, these do cell by cell.

Import them only where `native.available.is_native` is true. The module calls nothing compiled but its own, so
that its cache knows when it changes.
"""
