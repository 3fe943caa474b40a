"""Extraction by marching: visit the cells that the level set meets, at a cost proportional to its faces.

From seeds, breadth first: in each cell the plane of the level set is intersected with the half-planes of the
rows, and each side of the polygon leads to a neighbour. Ties are broken by simulated perturbation. Components
without a seed are missed; certified subdivision, or branch and bound, can find them afterwards, or prove that
there are none.
"""
