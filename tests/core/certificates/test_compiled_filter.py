"""Kernels prove signs as torch does, and no sign that is wrong."""

from __future__ import annotations

import pytest
import torch

from creased import Box, Program, extract_complex, extract_level_set, lower
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.certificates.proven_signs import sign_filter_of
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.complexes.level_set import LevelSet
from creased.core.native.available import SWITCH
from creased.core.program.combine import minus_level
from creased.networks.models.skip_mlp import SkipMLP
from tests.strategies import random_program

pytest.importorskip("numba")


def _skipping() -> Program:
    torch.manual_seed(3)
    return lower(SkipMLP(in_dim=3, width=8, depth=4, skips=(2,)).double()).detach()


PROGRAMS = {
    "2,8x8": random_program(2, (8, 8), seed=1),
    "2,leaky": random_program(2, (7, 5), seed=2, slope=0.3),
    "3,8x6": random_program(3, (8, 6), seed=3),
    "3,leaky": random_program(3, (6, 6), seed=4, slope=0.2),
    "3,skip": _skipping(),
    "3,none": random_program(3, (), seed=5),
}


def _extracted(program: Program, of: str) -> PolyhedralComplex | LevelSet:
    box = Box.cube(program.in_dim, 1)
    if of == "complex":
        return extract_complex(program, box)
    return extract_level_set(program, box, float(program(torch.zeros(1, program.in_dim).double())))


def _in_doubt(found: PolyhedralComplex | LevelSet, program: Program, codes: CellCodes) -> torch.Tensor:
    program = minus_level(program, 0.0 if isinstance(found, PolyhedralComplex) else found.level)
    return sign_filter_of(program, found.domain, found.layout, found.vertices).by_slopes(
        found.vertices, codes
    )


@pytest.mark.parametrize("of", ["complex", "level set"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_doubts_are_those_of_torch(name: str, of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = PROGRAMS[name]
    found = _extracted(program, of)
    codes = CellCodes(found.words, found.zero_ids)
    compiled = _in_doubt(found, program, codes)
    monkeypatch.setenv(SWITCH, "0")
    assert len(found.vertices) > 3
    assert torch.equal(compiled, _in_doubt(found, program, codes))
    assert not compiled.any()


@pytest.mark.parametrize("of", ["complex", "level set"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_wrong_sign_is_proven(name: str, of: str) -> None:
    program = PROGRAMS[name]
    found = _extracted(program, of)
    vertex = torch.arange(len(found.vertices))
    generator = torch.Generator().manual_seed(0)
    row = torch.randint(found.layout.n_rows, vertex.shape, generator=generator)
    row = torch.where((found.zero_ids == row[:, None]).any(1), -1, row)
    vertex, row = vertex[row >= 0], row[row >= 0]
    words = found.words.clone()
    words[vertex, row // 64] ^= torch.ones_like(row) << (row % 64)
    doubts = _in_doubt(found, program, CellCodes(words, found.zero_ids))
    assert len(vertex)
    assert doubts[vertex, row].all()


def test_far_from_its_vertex_a_point_proves_nothing() -> None:
    program = PROGRAMS["3,8x6"]
    found = _extracted(program, "complex")
    found.vertices.copy_(found.vertices.roll(len(found.vertices) // 2, 0))
    doubts = _in_doubt(found, program, CellCodes(found.words, found.zero_ids))
    assert doubts.any(1).float().mean() > 0.9
    found.vertices[0, 0], found.vertices[1, 0] = torch.nan, torch.inf
    assert _in_doubt(found, program, CellCodes(found.words, found.zero_ids))[:2].all()
