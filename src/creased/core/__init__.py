"""The engine: exact polyhedral complexes and level sets of piecewise-affine networks.

Sizes, fixed once for the whole package (single letters live here and in shapes only):

    V  vertices            E  edges               F  polygons of a level set
    R  regions             N  neurons of a block  D  input dimension
    S  width of a state    W  int64 words of a packed sign vector
    M  walls of the domain

This package imports torch and the standard library only, and nothing of creased outside of itself.
"""
