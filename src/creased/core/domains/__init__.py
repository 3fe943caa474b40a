"""Domains: convex sets in which a network is extracted, one file each.

`Domain` is the Protocol; boxes, simplices, polytopes and the whole space are its kinds. The whole space is
cut in homogeneous coordinates, with rays as vertices at infinity; directions that a network ignores are
divided out first (`essential`). Where that leaves no start, `coordinate_start` makes one that refines cells.
"""
