"""Meshes as data, without gradients: polygons in memory, checked, capped, queried and decimated.

Checks of one's own (closed, oriented, manifold; self-intersections in exact arithmetic) stand beside those of
other libraries, which know nothing of how a mesh was made.
"""
