"""Drawings of complexes in the plane, on matplotlib axes that the caller made.

For pictures of surfaces see `creased.viz`. matplotlib is imported where something is drawn.
"""

from creased.drawing.plane import PlaneComplex, draw_complex, flatten

__all__ = ["PlaneComplex", "draw_complex", "flatten"]
