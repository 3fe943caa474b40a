"""Extraction of networks on nested Kuhn grids: every simplex is ruled out by a bound, or cut.

On a simplex the network is a plain program, known by its state at D + 1 corners. Bounds from these values
rule out simplices that miss the level; the others are the starting skeleton of subdivision, all at once, with
the simplex as the last word of every cell's code. What several simplices share is welded by the identity of
grid faces, never by position. Nothing is sampled and nothing walked: what is found is complete.
"""
