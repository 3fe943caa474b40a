"""Polyhedral cones in integers: double description, and their faces.

A polyhedron is kept as the rays and lines of the cone over it (`cones`), with the inequalities that are
tight on each ray as bits of an integer. Cutting by one more inequality takes integer combinations of rays;
facets and face lattices (`faces`) follow from the bits and the ranks of rays.
"""
