"""Which way around polygons run: rows tell it of each as areas do, and where there is no area."""

import pytest
import torch

from creased import Box, LevelSet, WholeSpace, extract_level_set
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.complexes.link import ProgramMaps
from creased.core.complexes.orientation import directions_by_rows
from creased.core.complexes.polygons import Polygons
from creased.core.program.program import Program
from tests.strategies import random_program


def told(surface: LevelSet, program: Program, which: torch.Tensor, polygons: Polygons) -> torch.Tensor:
    words = surface.polygon_words[which]
    maps = ProgramMaps(program, surface.domain, surface.layout).row_gradients(words)
    codes = CellCodes(surface.words, surface.zero_ids)
    direction, clearness = directions_by_rows(polygons, which, codes, words, maps, surface.layout)
    return direction * (clearness > 1e-9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("domain", [Box.cube(3, 1.0), WholeSpace(3)])
def test_rows_tell_of_each_polygon_what_its_area_tells(domain: Box | WholeSpace, seed: int) -> None:
    program = random_program(3, (8, 6), seed=seed)
    surface = extract_level_set(program, domain, prune=False)
    if surface.polygons.n == 0:
        pytest.skip("no surface")
    which = torch.arange(surface.polygons.n).flip(0)[::2]
    directions = told(surface, program, which, surface.polygons)
    assert int((directions == 1).sum()) >= which.shape[0] - 1
    assert int((directions == -1).sum()) == 0


def test_a_reversed_polygon_is_told_to_be_so() -> None:
    program = random_program(3, (8, 6), seed=1)
    surface = extract_level_set(program, Box.cube(3, 1.0), prune=False)
    one = surface.polygons.n // 2
    start, end = surface.polygons.offsets[one : one + 2].tolist()
    indices = surface.polygons.indices.clone()
    indices[start:end] = indices[start:end].flip(0)
    which = torch.arange(surface.polygons.n)
    found = told(surface, program, which, Polygons(surface.polygons.offsets, indices))
    assert (found == -1).nonzero()[:, 0].tolist() == [one]
