"""Merge bodies within an error, and hand pieces of small bodies to larger ones, so that they become fewer.

All pairs of bodies may be too far from convex to be merged, while each piece of a body would fit into one or
another of those around it.
"""

from __future__ import annotations

from typing import Any

from creased.decomposition.greedy_merge import Bodies, Body, merge_greedily
from creased.decomposition.hulls import HullsWithin
from creased.decomposition.offset_tree import OffsetTree

NEAREST = 6  # bodies that are tried for a piece


def merge_within(points: Any, bodies: Bodies, tree: OffsetTree) -> None:
    """Merge bodies in place, as long as their hulls stay within the error of a tree.

    Args:
        points: (V, D) float64: vertices of bodies.
        bodies: that stay within the error.
        tree: of the solid that they cover.
    """
    rule = HullsWithin(points, tree)
    rule.start(bodies.of)
    pieces = dict(bodies.of)
    merge_greedily(bodies, rule)
    dissolve_small(bodies.of, pieces, rule)


def dissolve_small(of: dict[int, Body], pieces: dict[int, Body], rule: HullsWithin) -> None:
    """Dissolve bodies in place, the smallest first, where all of their pieces go into others.

    Args:
        of: bodies by number.
        pieces: by number, of which they are made.
        rule: of their hulls.
    """
    for number in sorted(of, key=lambda k: of[k].volume):
        others = {k: body for k, body in of.items() if k != number}
        left = sorted((pieces[k] for k in of[number].pieces), key=lambda piece: piece.volume)
        while left and _hand_over(left[-1], others, rule):
            left.pop()
        if not left:
            of.clear()
            of.update(others)


def _hand_over(piece: Body, bodies: dict[int, Body], rule: HullsWithin) -> bool:
    """Put a piece into the nearest body that may take it."""
    heights = sorted((rule.height(piece, body), k) for k, body in bodies.items())
    for _, k in heights[:NEAREST]:
        taken = rule.union(bodies[k], piece, 0)
        if taken is not None:
            bodies[k] = taken
            return True
    return False
