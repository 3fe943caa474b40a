"""Write the curves of a level set in two dimensions: SVG, DXF (R12) and lines of OBJ, in 17 digits.

Curves keep their direction, with the inside on their left. In SVG the second axis points up, by a transform;
coordinates are those of the level set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from creased.core.complexes.level_set import LevelSet
from creased.io.atomic_write import write_whole

MARGIN = 0.02  # of a picture, on each side, as a share of its longer side


class Curve(NamedTuple):
    """A chain of points."""

    points: list[tuple[float, float]]
    is_closed: bool  # the last point is joined to the first


class CurveError(ValueError):
    """Curves that cannot be written as asked; the message says why."""


def curves_of(level_set: LevelSet) -> list[Curve]:
    """Return the curves of a level set in two dimensions.

    Raises:
        CurveError: it has another dimension, is empty, or is unbounded.
    """
    if level_set.dim != 2:
        raise CurveError(f"curves are level sets of two inputs, and this one has {level_set.dim}")
    if level_set.is_empty or not level_set.is_bounded:
        raise CurveError(level_set.status or "the level set is unbounded; extract it on a Box")
    points = [(x, y) for x, y in level_set.vertices.double().tolist()]
    joined = {(a, b) for a, b in level_set.edges.tolist()}
    ends, indices = level_set.polylines.offsets.tolist(), level_set.polylines.indices.tolist()
    chains = [indices[a:b] for a, b in pairwise(ends)]
    return [
        Curve([points[i] for i in chain], len(chain) > 2 and (chain[-1], chain[0]) in joined)
        for chain in chains
    ]


def write_curves(curves: list[Curve], path: Path) -> None:
    """Write curves in the format that the file's ending names.

    Raises:
        CurveError: no format has this ending.
        OSError: the file cannot be written; an old one of that name is still there.
    """
    writer = CURVE_WRITERS.get(path.suffix.lower())
    if writer is None:
        raise CurveError(
            f"cannot write curves to {path}: give it one of the endings {', '.join(CURVE_WRITERS)}"
        )
    write_whole(path, ("\n".join(writer(curves)) + "\n").encode())


def _svg(curves: list[Curve]) -> Iterator[str]:
    xs, ys = ([point[axis] for curve in curves for point in curve.points] for axis in (0, 1))
    size = max(max(xs) - min(xs), max(ys) - min(ys)) or 1.0
    edge = MARGIN * size
    frame = (min(xs) - edge, -max(ys) - edge, max(xs) - min(xs) + 2 * edge, max(ys) - min(ys) + 2 * edge)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{" ".join(f"{n:.17g}" for n in frame)}">'
    yield '<g transform="scale(1,-1)" fill="none" stroke="black" stroke-width="1">'
    for curve in curves:
        corners = " L ".join(f"{x:.17g} {y:.17g}" for x, y in curve.points)
        end = " Z" if curve.is_closed else ""
        yield f'<path vector-effect="non-scaling-stroke" d="M {corners}{end}"/>'
    yield "</g>\n</svg>"


def _dxf(curves: list[Curve]) -> Iterator[str]:
    yield "0\nSECTION\n2\nENTITIES"
    for curve in curves:
        yield f"0\nPOLYLINE\n8\n0\n66\n1\n70\n{int(curve.is_closed)}\n10\n0\n20\n0\n30\n0"
        for x, y in curve.points:
            yield f"0\nVERTEX\n8\n0\n10\n{x:.17g}\n20\n{y:.17g}\n30\n0"
        yield "0\nSEQEND\n8\n0"
    yield "0\nENDSEC\n0\nEOF"


def _obj(curves: list[Curve]) -> Iterator[str]:
    yield "# exact level set by creased"
    first = 1
    for curve in curves:
        yield from (f"v {x:.17g} {y:.17g} 0" for x, y in curve.points)
        corners = [*range(first, first + len(curve.points)), *([first] if curve.is_closed else [])]
        yield " ".join(["l", *map(str, corners)])
        first += len(curve.points)


CURVE_WRITERS: dict[str, Callable[[list[Curve]], Iterator[str]]] = {".svg": _svg, ".dxf": _dxf, ".obj": _obj}
