"""Kernels of edge subdivision: what `subdivide` does to all edges in turn, these do edge by edge.

Import them only where `native.available.is_native` is true. Each module calls nothing compiled but its own,
so that its cache knows when it changes.
"""
