"""Tropical polynomials and rational maps, and what is dual to them: subdivisions, zonotopes, fans."""
