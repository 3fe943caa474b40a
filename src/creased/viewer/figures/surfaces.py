"""Figures of level sets: the flat-shaded surface and its creases by layer, or polylines."""

from __future__ import annotations

import numpy as np
import torch

from creased.core.complexes.level_set import LevelSet
from creased.core.program.program import Program
from creased.geometry import polygon_gradients
from creased.regions.rows import name_row
from creased.viewer.figures.hover import describe_cells, require_same
from creased.viewer.figures.traces import Picture, css, faces, layout, lines, require_few
from creased.viewer.scene import SURFACE, level_set_scene

MOST_TRIANGLES = 400_000
MOST_TEXTS = 20_000  # faces that have texts


def show_level_set(level_set: LevelSet, program: Program | None) -> Picture:
    """Show a bounded level set in two or three dimensions.

    Raises:
        ValueError: it has other dimensions, is unbounded, or has more triangles than a page is drawn with.
    """
    scene = level_set_scene(level_set, "level set")
    require_few(len(scene.triangles), MOST_TRIANGLES, "triangles", "see `creased view`, or save the mesh")
    found = scene.level_set
    assert found is not None
    require_same(found.layout, program)
    caption, traces = scene.caption, []
    has_texts = len(found.edges) <= 3 * MOST_TEXTS
    if found.polygons.n:
        texts = _of_faces(found, program) if has_texts else []
        corners, sizes = scene.vertices[found.polygons.indices.numpy()], found.polygons.sizes.numpy()
        traces.append(faces(corners, sizes, "surface", css(SURFACE), texts))
    caption += "" if has_texts else f"; no texts, for over {MOST_TEXTS:,} faces"
    texts = (_of_creases(found) if found.dim == 3 else _of_edges(found, program)) if has_texts else []
    for name, colour in scene.legend.items():
        chosen = np.flatnonzero((scene.creases.colours == colour).all(axis=1))
        ends = scene.creases.points[chosen, :, : found.dim]
        traces += lines(ends, name, css(colour), [texts[i] for i in chosen] if texts else [])
    return Picture(traces, caption, layout(found.dim))


def _of_faces(found: LevelSet, program: Program | None) -> list[str]:
    """Describe each polygon: its corners, its region's signs, the function there."""
    names = [f"face {i}, {n} corners" for i, n in enumerate(found.polygons.sizes.tolist())]
    maps = None
    if program is not None:
        slopes = polygon_gradients(found, program).detach()
        at = found.vertices[found.polygons.indices[found.polygons.offsets[:-1]]]
        constants = found.level - (slopes * at).sum(1)
        maps = torch.cat([slopes, constants[:, None]], dim=1)[:, :, None]
    return describe_cells(names, found.polygon_words, found.layout, maps)


def _of_creases(found: LevelSet) -> list[str]:
    return [name_row(found.layout, row) for row in found.edge_zero_ids[:, 0].tolist()]


def _of_edges(found: LevelSet, program: Program | None) -> list[str]:
    """Describe each edge in the plane: the neurons at its ends, its region's signs, the function there."""
    first, second = found.edges.unbind(1)
    words = found.words[first] | found.words[second]
    maps = None
    if program is not None and program.grid is None:
        masks = found.layout.masks(words, program.dtype)
        maps = program.maps_on(masks)[..., found.layout.n_neurons + found.output, None]
    level = found.layout.first_output
    ends = [[row for row in rows if row != level] for rows in found.zero_ids.tolist()]
    names = [
        f"from {', '.join(name_row(found.layout, r) for r in ends[a])} to "
        f"{', '.join(name_row(found.layout, r) for r in ends[b])}"
        for a, b in found.edges.tolist()
    ]
    return describe_cells(names, words, found.layout, maps)
