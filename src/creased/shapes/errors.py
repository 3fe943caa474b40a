"""What goes wrong with shapes, in words for the person who named one."""


class ShapeError(ValueError):
    """A shape that cannot be trained on; the message says why, and what to change."""
