"""What regularizers make of level sets that are not a single closed surface, in words for the log."""

from __future__ import annotations

from creased.core.audit import Audit

MOSTLY = 0.5  # share of the vertices


def conditions_of(audit: Audit) -> list[str]:
    """Sentences about an extracted level set, none if it is closed, manifold and in one piece."""
    if audit.n_vertices == 0:
        return ["the level set is empty: regularizers are 0 until there is one"]
    found = []
    if audit.n_wall_vertices:
        found.append(
            "the walls cut the level set: lengths, areas and curvature are those of what is inside, "
            "volumes are closed along the walls"
        )
    if audit.n_torn:
        found.append(f"rounding left {audit.n_torn} faces open: what is missing counts nothing")
    if not audit.is_manifold:
        found.append(
            f"the level set touches itself at {audit.n_crowded_edges} edges and {audit.n_pinched_vertices} "
            "vertices: curvature is that of pairs of faces there"
        )
    if audit.n_components > 1:
        found.append(f"the level set has {audit.n_components} components: totals are over all of them")
    return found


def staleness(share: float, n_steps: int) -> list[str]:
    """A sentence if most vertices had left their cells before a new extraction."""
    if share <= MOSTLY:
        return []
    return [
        f"after {n_steps} steps {share:.0%} of the vertices had left their cells, and counted as unmoved: "
        "extract more often with callbacks.extract.every_n_steps or stale_above"
    ]
