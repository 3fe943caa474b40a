"""What holds of every level set: however it was found, contracted or not, and capped."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from creased import (
    Affine,
    Box,
    DegenerateError,
    LevelSet,
    WholeSpace,
    certify,
    extract_complex,
    extract_level_set,
)
from creased.core.exact.exact_signs import ExactRows
from creased.core.program import combine
from creased.geometry import edge_lengths, sublevel_volume, surface_area
from creased.meshes.caps import cap
from tests.fuzz.cases import FuzzCase
from tests.invariants import cell_codes, vertex_codes

TINY = 1e-9  # relative to the largest value of any row at a vertex, or to the size of the domain


def check_level_sets(case: FuzzCase) -> None:
    """One that is cut whole is sound, and pruning and marching find the same."""
    ask = {"exact": case.exact, "zero_sign": case.zero_sign, "output": case.output}
    is_open = isinstance(case.domain, WholeSpace)
    cut = extract_level_set(case.program, case.domain, case.level, prune=False, **ask)
    _check_soundness(cut, case)
    if is_open:
        return
    found = {"pruned": extract_level_set(case.program, case.domain, case.level, prune=True, **ask)}
    if not case.exact and case.zero_sign > 0 and case.domain.dim > 1:
        found["marched"] = extract_level_set(
            case.program, case.domain, case.level, output=case.output, method="march", complete=True
        )
    for name, other in found.items():
        assert cell_codes(other) == cell_codes(cut), f"{name}: other cells"
        assert other.is_complete, name


def _check_soundness(surface: LevelSet, case: FuzzCase) -> None:
    assert surface.n_inconsistent == 0
    assert surface.is_complete
    if surface.dim in (2, 3) and not surface.is_empty:
        audit = surface.audit()
        assert audit.is_oriented, str(audit)
        assert audit.is_closed or bool(surface.is_on_wall().any()), str(audit)
    finite = ~surface.is_ray()
    if bool(finite.any()):
        size = 1 + case.program.preactivations(surface.vertices[finite]).abs().max()
        assert float(surface.residual[finite].max() / size) < TINY
    if case.exact:
        certificate = certify(surface, case.program, zero_sign=case.zero_sign)
        assert certificate.is_certified, str(certificate)


def check_treatments(case: FuzzCase) -> None:
    """Contraction adds nothing, leaves no place twice, and changes nothing where "error" finds nothing."""
    ask = {"level": case.level, "zero_sign": case.zero_sign}
    named = ask | {"output": case.output}
    found = extract_level_set(case.program, case.domain, exact=True, **named)
    contracted = extract_level_set(case.program, case.domain, degeneracy="contract", **named)
    try:
        strict = extract_level_set(case.program, case.domain, degeneracy="error", **named)
    except DegenerateError:
        with pytest.raises(DegenerateError):  # the vertices of the level set are vertices of the complex
            extract_complex(case.program, case.domain, degeneracy="error", **ask)
    else:
        assert sorted(vertex_codes(strict)) == sorted(vertex_codes(found)) == sorted(vertex_codes(contracted))
    if not bool(found.is_ray().any()):
        places = _exact_places(contracted, case)
        assert len(set(places)) == len(places), "two vertices in one place"
        assert _extent(contracted) <= _extent(found) * (1 + TINY) + TINY  # double lines are left once
    if found.dim in (2, 3) and case.zero_sign > 0 and not isinstance(case.domain, WholeSpace):
        walked = extract_level_set(
            case.program, case.domain, case.level, output=case.output, method="march", exact=True
        )
        assert walked.is_empty or certify(walked, case.program).is_certified
        assert set(vertex_codes(walked)) <= set(vertex_codes(found)), "walked what is not there"


def _exact_places(surface: LevelSet, case: FuzzCase) -> list[tuple[Fraction, ...]]:
    """Where vertices are, as the rational solutions of their rows."""
    program = combine.select(case.program, case.output)
    program = replace(program, head=Affine(program.head.weight, program.head.bias - case.level))
    exact = ExactRows(program, case.domain.exact_walls(), surface.layout)
    rows = zip(surface.zero_ids.tolist(), surface.words.tolist(), surface.vertices.tolist(), strict=True)
    points = (exact.vertex(*codes) for codes in rows)
    return [tuple(Fraction(int(x), int(point[-1])) for x in point[:-1]) for point in points]


def _extent(surface: LevelSet) -> float:
    """Length in the plane, area in space; as many points on a line as there are places."""
    if surface.dim == 1:
        return float(torch.unique(surface.vertices.round(decimals=9)).shape[0])
    if surface.dim == 2:
        return float(edge_lengths(surface.vertices, surface.edges).sum())
    return float(surface_area(surface.vertices, surface.polygons)) if surface.dim == 3 else 0.0


def check_caps(case: FuzzCase) -> None:
    """Capped, a surface is closed, and encloses what is below the level."""
    if case.domain.dim != 3 or isinstance(case.domain, WholeSpace) or case.zero_sign < 0:
        return
    ask = {"output": case.output, "exact": True}
    surface = extract_level_set(case.program, case.domain, case.level, **ask)
    if surface.is_empty:
        return
    mesh = cap(surface, case.program)  # audited: it raises if it is not closed and oriented
    if isinstance(case.domain, Box):
        volume = float(sublevel_volume(surface.vertices, surface, case.program))
        size = max(b - a for a, b in zip(case.domain.lower, case.domain.upper, strict=True))
        assert mesh.volume() == pytest.approx(volume, abs=TINY * size**3)
