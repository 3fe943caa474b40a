"""Cells of an arrangement of folded hyperplanes, identified by sign vectors, and edge subdivision.

A cell's code is its packed sign vector and the rows that vanish on it. Equal codes are found by 64-bit keys
and compared in full. The code of a vertex determines all cells around it, so that only vertices and edges
(the skeleton) are stored. `subdivide` cuts a skeleton by one block of neurons.
"""
