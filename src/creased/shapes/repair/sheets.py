"""Close the parts of a mesh; leave out, thicken or refuse those that cannot be closed, the sheets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creased.io.units import with_unit
from creased.meshes.queries import TriangleIndex
from creased.shapes.repair.closing import Closed, Opening, close_part, find_openings, is_flat, thicken
from creased.shapes.repair.edges import areas
from creased.shapes.repair.options import Limits, RepairOptions
from creased.shapes.repair.parts import Part, draw_points, index_of
from creased.shapes.repair.report import Frame, Report, name_parts
from creased.shapes.sources import ShapeError
from creased.shapes.surface import draw_by_weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHELL = 0.05  # of the longest side: thickness of shells, four cells of the grid of quality=normal
ON_SOLID = 1e-4  # of the size: as near as this to a solid is on it
ON_SHEET = 1e-6  # of the size: as near as this to a part is on it, and farther on its lid
NEARER = 0.98  # of half the thickness: sides of a shell nearer than this to the sheet have passed others
N_POINTS = 2000  # of a part that is closed by a lid
MOST = 200  # parts with large lids: of more none is looked at


class Parts(NamedTuple):
    """Parts by what becomes of them."""

    solids: list[Part]
    openings: list[Opening]  # that were closed, lengths in units of the size
    n_closed: int
    sheets: list[Part]  # that cannot be closed, or not without a large lid
    lids: list[float]  # shares of the areas of parts that are closed by large lids


def close_parts(parts: list[Part], options: RepairOptions) -> Parts:
    """Close parts, and set sheets aside: those that need a large lid, unless it lies inside other parts."""
    solids = [part for part in parts if part.is_closed and not is_flat(part)]
    largest = Limits(**options.limits).lid if options.mode == "strict" else 1.0
    was_closed, sheets, with_lids = [], [], []
    for part in parts:
        if part.is_closed:
            sheets += [part] if is_flat(part) else []
            continue
        closed = close_part(part)
        if closed is None:
            sheets.append(part)
        elif closed.lid > largest:
            with_lids.append((part, closed))
        else:
            was_closed.append((part, closed))
    solids += [closed.part for _, closed in was_closed]
    shown = _shown_lids(with_lids, solids)
    hidden = [pair for pair, lid in zip(with_lids, shown, strict=True) if lid <= largest]
    sheets += [part for (part, _), lid in zip(with_lids, shown, strict=True) if lid > largest]
    solids += [closed.part for _, closed in hidden]
    openings = [opening for part, _ in was_closed + hidden for opening in find_openings(part)]
    openings.sort(key=lambda opening: -opening.perimeter)
    n_closed = len(was_closed) + len(hidden)
    return Parts(solids, openings, n_closed, sheets, [lid for lid in shown if lid > largest])


def _shown_lids(with_lids: list[tuple[Part, Closed]], solids: list[Part]) -> list[float]:
    """Estimate for parts with lids which share of their areas is lid, and not inside or on the solids."""
    if not with_lids or not solids or len(with_lids) > MOST:
        return [closed.lid for _, closed in with_lids]
    index, rng = index_of(solids), np.random.default_rng(0)
    shares = []
    for part, closed in with_lids:
        points = draw_points(closed.part, N_POINTS, rng)[0]
        is_lid = TriangleIndex(part.vertices, part.triangles).nearest(points).distance > ON_SHEET
        shares.append(float((is_lid & ~_is_covered(points, index)).mean()))
    return shares


def settle_sheets(
    name: str, frame: Frame, found: Parts, parts: list[Part], report: Report, options: RepairOptions
) -> tuple[list[Part], list[Part], Report]:
    """Leave out, thicken or refuse the sheets.

    Returns the solids, the parts with which they are to be compared, and the report.
    """
    if not found.sheets:
        return found.solids, parts, report
    bounds_nothing = _bound_nothing(found.sheets, found.solids)
    not_bounding = [sheet for sheet, is_so in zip(found.sheets, bounds_nothing, strict=True) if is_so]
    others = [sheet for sheet, is_so in zip(found.sheets, bounds_nothing, strict=True) if not is_so]
    total = sum(part.area for part in parts)
    others.sort(key=lambda part: part.area)
    thickness = SHELL if options.thickness is None else options.thickness / frame.unit
    least = {"refuse": np.inf, "drop": 0.0, "shell": thickness}[options.open]  # asked for, but for dust
    is_small = np.cumsum([part.area for part in others]) <= Limits(**options.limits).fragment * total
    is_small &= np.array([np.ptp(part.bounds, axis=0).max() < least for part in others], dtype=bool)
    is_small &= bool(found.solids)
    fragments = [part for part, is_so in zip(others, is_small, strict=True) if is_so]
    sheets = [part for part, is_so in zip(others, is_small, strict=True) if not is_so][::-1]
    report = replace(
        report,
        not_bounding=frame.facts(not_bounding),
        fragments=frame.facts(fragments),
        fragments_share=sum(part.area for part in fragments) / total,
    )
    if not sheets:
        return found.solids, parts, report
    asked = [part for part in parts if all(part is not sheet for sheet in sheets)]
    if options.open == "drop":
        return found.solids, asked, replace(report, left_out=frame.facts(sheets))
    if options.open == "shell":
        shells = [thicken(sheet, thickness) for sheet in sheets]
        overlap = _share_overlapping(sheets, shells, thickness)
        report = replace(
            report, shells=frame.facts(sheets), thickness=thickness * frame.unit, shells_overlap=overlap
        )
        return [*found.solids, *shells], [*asked, *shells], report
    raise ShapeError(_refuse_sheets(name, frame, sheets, found, len(parts)))


def _share_overlapping(sheets: list[Part], shells: list[Part], thickness: float) -> float:
    """Estimate which share of sheets has a side of its shell nearer than half the thickness, where it folds.

    A sheet that bends or comes back to itself within that distance has a shell that overlaps itself.
    """
    rng, near, total = np.random.default_rng(0), 0.0, 0.0
    for sheet, shell in zip(sheets, shells, strict=True):
        chosen = draw_by_weight(areas(sheet.vertices, sheet.triangles), N_POINTS, rng)
        weights = rng.dirichlet(np.ones(3), N_POINTS)[:, :, None]
        index, n = TriangleIndex(sheet.vertices, sheet.triangles), len(sheet.vertices)
        sides = [shell.vertices[k : k + n][sheet.triangles[chosen]] for k in (0, n)]
        far = [index.nearest((weights * corners).sum(axis=1)).distance for corners in sides]
        near += sheet.area * float((np.minimum(*far) < NEARER * thickness / 2).mean())
        total += sheet.area
    return near / total


def _bound_nothing(sheets: list[Part], solids: list[Part]) -> list[bool]:
    """Decide which sheets lie inside or on the solids, at vertices and at centres of triangles."""
    if not solids:
        return [False] * len(sheets)
    index = index_of(solids)
    points = [
        np.concatenate([sheet.vertices, sheet.vertices[sheet.triangles].mean(axis=1)]) for sheet in sheets
    ]
    is_covered = _is_covered(np.concatenate(points), index)
    ends = np.cumsum([len(of_sheet) for of_sheet in points])[:-1]
    return [bool(of_sheet.all()) for of_sheet in np.split(is_covered, ends)]


def _is_covered(points: NDArray[np.float64], index: TriangleIndex) -> NDArray[np.bool_]:
    """Decide which points (n, 3) are inside or on solids."""
    covered: NDArray[np.bool_] = index.contains(points) | (index.nearest(points).distance < ON_SOLID)
    return covered


def _refuse_sheets(name: str, frame: Frame, sheets: list[Part], found: Parts, n_parts: int) -> str:
    named = name_parts(frame.facts(sheets))
    lenient = (
        f", shape.repair=lenient closes them, with lids of up to {100 * max(found.lids):.2g} % of a part"
        if found.lids
        else ""
    )
    drop = "shape.open=drop leaves such parts out, " if found.solids else ""
    return (
        f"shape {name}: {len(sheets):,} of {n_parts:,} parts cannot be closed to solids: "
        f"{named}. {drop}shape.open=shell thickens them (shape.thickness, by default "
        f"{with_unit(f'{SHELL * frame.unit:.3g}', frame.unit_name)}){lenient}"
    )
