"""Close the parts of a mesh; leave out, thicken or refuse those that cannot be closed, the sheets."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from creased.meshes.queries import TriangleIndex
from creased.shapes.repair.closing import Opening, close_part, find_openings, is_flat, thicken
from creased.shapes.repair.connectivity import Part, join_parts
from creased.shapes.repair.options import Limits, RepairOptions
from creased.shapes.repair.report import Frame, Report, name_parts
from creased.shapes.sources import ShapeError

SHELL = 0.05  # of the longest side: thickness of shells, four cells of the grid of quality=normal
ON_SOLID = 1e-4  # of the size: as near as this to a solid is on it


class Parts(NamedTuple):
    """Parts by what becomes of them."""

    solids: list[Part]
    openings: list[Opening]  # that were closed, lengths in units of the size
    n_closed: int
    sheets: list[Part]  # that cannot be closed, or not without a large lid
    lids: dict[int, float]  # share of the area of what closes a part, by its index


def close_parts(parts: list[Part], options: RepairOptions) -> Parts:
    """Close parts, and set sheets aside."""
    found = Parts([], [], 0, [], {})
    largest = Limits(**options.limits).lid if options.mode == "strict" else 1.0
    for part in parts:
        if part.is_closed:
            (found.sheets if is_flat(part) else found.solids).append(part)
            continue
        closed = close_part(part)
        if closed is not None:
            found.lids[part.index] = closed.lid
        if closed is None or closed.lid > largest:
            found.sheets.append(part)
            continue
        found.solids.append(closed.part)
        found.openings.extend(find_openings(part))
        found = found._replace(n_closed=found.n_closed + 1)
    found.openings.sort(key=lambda opening: -opening.perimeter)
    return found


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
    is_small = np.cumsum([part.area for part in others]) <= Limits(**options.limits).fragment * total
    n_small = int(is_small.sum()) if found.solids else 0
    fragments, sheets = others[:n_small], sorted(others[n_small:], key=lambda part: part.index)
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
        thickness = SHELL if options.thickness is None else options.thickness / frame.unit
        shells = [thicken(sheet, thickness) for sheet in sheets if sheet.is_orientable]
        if len(shells) < len(sheets):
            one_sided = name_parts(list(frame.facts([sheet for sheet in sheets if not sheet.is_orientable])))
            raise ShapeError(
                f"shape {name}: one-sided, cannot be thickened: {one_sided}; try shape.open=drop"
            )
        report = replace(report, shells=frame.facts(sheets), thickness=thickness * frame.unit)
        return [*found.solids, *shells], [*asked, *shells], report
    raise ShapeError(_refuse_sheets(name, frame, sheets, found, len(parts)))


def _bound_nothing(sheets: list[Part], solids: list[Part]) -> list[bool]:
    """Decide which sheets lie inside or on the solids, at vertices and at centres of triangles."""
    if not solids:
        return [False] * len(sheets)
    index = TriangleIndex(*join_parts(solids))
    points = [
        np.concatenate([sheet.vertices, sheet.vertices[sheet.triangles].mean(axis=1)]) for sheet in sheets
    ]
    together = np.concatenate(points)
    is_covered = index.contains(together) | (index.nearest(together).distance < ON_SOLID)
    ends = np.cumsum([len(of_sheet) for of_sheet in points])[:-1]
    return [bool(of_sheet.all()) for of_sheet in np.split(is_covered, ends)]


def _refuse_sheets(name: str, frame: Frame, sheets: list[Part], found: Parts, n_parts: int) -> str:
    named = name_parts(list(frame.facts(sheets)))
    lids = [found.lids[sheet.index] for sheet in sheets if sheet.index in found.lids]
    lenient = (
        f", shape.repair=lenient closes them, with lids of up to {100 * max(lids):.2g} % of a part"
        if lids
        else ""
    )
    drop = "shape.open=drop leaves such parts out, " if found.solids else ""
    return (
        f"shape {name}: {len(sheets):,} of {n_parts:,} parts are open and cannot be closed to solids: "
        f"{named}. {drop}shape.open=shell thickens them (shape.thickness, by default "
        f"{SHELL * frame.unit:.3g}){lenient}"
    )
