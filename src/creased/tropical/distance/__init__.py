"""Distances to level sets and decision boundaries, in the 1, 2 and infinity norms.

`boundary_distance` extracts the level set by the engine and finds its nearest simplex (`nearest`), in
float64. `exact_distance` goes through the cells in integers, for small networks. Both return a nearest
point as a witness, and the signs of the neurons there.
"""
