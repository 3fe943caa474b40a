"""Whatever surrounds a call, in how many parts, and with how little memory: the same cells, or a status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import torch
from torch import Tensor

from creased import LevelSet, PolyhedralComplex, WholeSpace, extract_complex, extract_level_set
from creased.core.domains.box import Box
from creased.core.marching import march
from creased.core.numerics import memory
from creased.core.provenance import Finding
from creased.core.subdivision import merge, problem
from creased.parallel import extract_complex_in_parts, extract_level_set_in_parts
from tests.fuzz.cases import FuzzCase
from tests.invariants import cell_codes, vertex_codes

Found = PolyhedralComplex | LevelSet
Extract = Callable[..., Found]


def check_ways(case: FuzzCase) -> None:
    """Autocast changes no bit; sub-boxes give the whole; memory is enough, or it is said that it is not."""
    for call, extract in _calls(case):
        single = extract(dtype=torch.float32)
        with torch.autocast("cpu", torch.bfloat16):  # which leaves doubles alone
            surrounded = extract(dtype=torch.float32)
        for name, tensor in _tensors(single).items():
            assert torch.equal(tensor, _tensors(surrounded)[name]), f"{call} within autocast: other {name}"
        assert surrounded.provenance == single.provenance, call
        with _strictly_bounded():
            bounded = extract(memory=case.memory)
        _check_bounded(bounded, extract(), f"{call} in {case.memory} bytes")
    if isinstance(case.domain, Box):
        check_parts(case)


@contextmanager
def _strictly_bounded() -> Iterator[None]:
    """No memory is free of charge: networks of the fuzz test would fit in what always is."""
    with ExitStack() as stack:
        for module in (march, memory, merge, problem):
            stack.enter_context(patch.object(module, "LEAST", 1))
        yield


def _calls(case: FuzzCase) -> Iterator[tuple[str, Extract]]:
    program, domain, level = case.program, case.domain, case.level
    ask = {"exact": case.exact, "zero_sign": case.zero_sign}
    yield "complex", lambda **more: extract_complex(program, domain, level=level, **ask, **more)
    ask |= {"output": case.output}
    yield "level set", lambda **more: extract_level_set(program, domain, level, **ask, **more)
    if not isinstance(domain, WholeSpace):
        yield "pruned", lambda **more: extract_level_set(program, domain, level, prune=True, **ask, **more)
    if domain.dim in (2, 3) and case.zero_sign > 0 and not isinstance(domain, WholeSpace):
        yield "march", lambda **more: extract_level_set(program, domain, level, method="march", **ask, **more)


def _tensors(found: Found) -> dict[str, Tensor]:
    return {name: value for name, value in vars(found).items() if isinstance(value, Tensor)}


def _check_bounded(found: Found, whole: Found, call: str) -> None:
    if found.provenance.is_whole:
        assert cell_codes(found) == cell_codes(whole), call
        return
    assert found.provenance.has(Finding.STOPPED), call
    assert found.status, call
    assert set(vertex_codes(found)) <= set(vertex_codes(whole)), f"{call}: cells that are not there"


def check_parts(case: FuzzCase) -> None:
    """Sub-boxes give the cells that the whole has in rationals, or say that rounding tore them."""
    n_parts, where = case.n_parts, (case.program, case.domain, case.level)
    program, box, level = where
    found: Found = extract_complex_in_parts(program, box, n_parts=n_parts, level=level)
    whole: Found = extract_complex(program, box, level=level, exact=True)
    assert found.n_inconsistent or cell_codes(found) == cell_codes(whole), f"{n_parts} parts"
    whole = extract_level_set(*where, output=case.output, exact=True)
    for prune in (False, True):
        found = extract_level_set_in_parts(*where, n_parts=n_parts, output=case.output, prune=prune)
        assert found.n_inconsistent or cell_codes(found) == cell_codes(whole), f"{n_parts} parts"
