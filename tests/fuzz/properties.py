"""What holds of every network on every domain, whatever its weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from creased import (
    Affine,
    Box,
    LinealityError,
    PolyhedralComplex,
    Program,
    WholeSpace,
    certify,
    count_cells,
    extract_complex,
    extract_level_set,
)
from creased.core.domains.essential import divide
from tests.fuzz.cases import FuzzCase
from tests.fuzz.level_sets import check_caps, check_level_sets, check_treatments
from tests.fuzz.ways import check_ways
from tests.invariants import check_edges, check_faces, check_stubs, check_vertices
from tests.oracles import true_cells_of

MOST_ENUMERATED = {1: 12, 2: 8, 3: 5}  # neurons of a network that brute force takes, by dimension


def check(case: FuzzCase) -> bool:
    """All properties of one case; directions of the whole space that the network leaves out are divided out.

    Returns:
        Whether rounding decided a sign wrongly; decided in rationals, all properties hold even then.
    """
    try:
        program, domain, part = divide(case.program, case.domain)
    except LinealityError as error:
        with pytest.raises(LinealityError, match=f"spans {case.domain.dim - len(error.basis)} of"):
            extract_complex(case.program, case.domain)
        return False
    if part is not None:
        divided, whole = extract_complex(program, domain), extract_complex(case.program, case.domain)
        assert torch.equal(whole.words, divided.words)
        assert whole.f_vector() == divided.f_vector()
        case = case._replace(program=program, domain=domain)
    is_misled = not case.exact and is_misled_by_rounding(case)
    if is_misled:
        case = case._replace(exact=True)
    check_complex(case)
    check_level_sets(case)
    check_true_cells(case)
    check_treatments(case)
    check_caps(case)
    check_ways(case)
    return is_misled


def is_misled_by_rounding(case: FuzzCase) -> bool:
    """Whether a certificate fails, as it may where many rows meet in a point; what is torn says so."""
    ask = {"level": case.level, "zero_sign": case.zero_sign}
    complex_ = extract_complex(case.program, case.domain, **ask)
    surface = extract_level_set(case.program, case.domain, prune=False, output=case.output, **ask)
    for found in (complex_, surface):
        assert not found.n_inconsistent or found.status
    return not (
        certify(complex_, case.program, case.level, zero_sign=case.zero_sign).is_certified
        and certify(surface, case.program, zero_sign=case.zero_sign).is_certified
    )


def check_complex(case: FuzzCase) -> None:
    """Euler characteristic, stubs, edges, faces and signs; a certificate where decisions are exact."""
    complex_ = extract_complex(
        case.program, case.domain, level=case.level, exact=case.exact, zero_sign=case.zero_sign
    )
    certificate = certify(complex_, case.program, case.level, zero_sign=case.zero_sign)
    if case.exact:
        assert certificate.is_certified, str(certificate)
    assert complex_.n_inconsistent == 0
    is_open = isinstance(case.domain, WholeSpace)
    assert complex_.euler_characteristic() == ((-1) ** complex_.dim if is_open else 1)
    counts = complex_.f_vector()
    assert counts[:2] == (int((~complex_.is_ray()).sum()), _n_finite_edges(complex_))
    if not is_open:
        check_edges(complex_)
        check_stubs(complex_)
        check_faces(complex_)
        check_vertices(complex_, lowered_by(case.program, case.level))
    if not case.exact and case.zero_sign > 0:
        assert count_cells(case.program, case.domain, level=case.level, at_once=7) == counts


def lowered_by(program: Program, level: float) -> Program:
    """The program less a level."""
    return replace(program, head=Affine(program.head.weight, program.head.bias - level))


def _n_finite_edges(complex_: PolyhedralComplex) -> int:
    return int((~complex_.is_ray())[complex_.edges.long()].any(1).sum())


def check_true_cells(case: FuzzCase) -> None:
    """Contraction of a small network gives the cells that enumeration in rationals gives."""
    program, box = case.program, case.domain
    true = extract_complex(program, box, degeneracy="contract", zero_sign=case.zero_sign)
    assert true.euler_characteristic() == ((-1) ** box.dim if isinstance(box, WholeSpace) else 1)
    if not isinstance(box, Box) or program.n_neurons > MOST_ENUMERATED[box.dim]:
        return
    cells = true_cells_of(program, box.lower, box.upper)
    expected = tuple(sum(cell.dim == k for cell in cells) for k in range(box.dim + 1))
    assert true.f_vector() == expected
