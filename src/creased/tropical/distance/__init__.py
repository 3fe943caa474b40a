"""Distances to level sets and decision boundaries: by nearest faces in floating point, and exactly."""
