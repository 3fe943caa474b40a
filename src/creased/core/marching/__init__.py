"""Extraction by marching: the level set is walked from cell to cell, at the cost of its faces.

From seeds, breadth first: in each cell the plane of the level set is intersected with the half-planes of the
rows, and each side leads to the neighbour. Ties are broken by simulated perturbation. Components without a
seed are missed, unless certified subdivision proves afterwards that there are none.
"""
