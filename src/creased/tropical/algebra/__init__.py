"""Tropical polynomials and rational maps, and what is dual to them: subdivisions, zonotopes, fans.

A network is the difference F - G of two maxima of affine functions. `lifts` builds the program that
computes both, `rational_maps` reads their monomials off its cells, and `polynomials` calculates with them
in fractions. The epigraph of a polynomial is a cone (`epigraphs`): its essential monomials, dual
subdivision and hypersurface (`subdivisions`) and comparisons (`equality`) are read off its rays.
`zonotopes` and `fans` are of one layer and of data sets, `network_fans` of both; `covectors` are their sign
vectors. `oriented_matroids` and `pattern_axioms` check the axioms of sign vectors and of patterns.
"""
