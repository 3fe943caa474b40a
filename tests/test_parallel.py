"""What is cut in sub-boxes and stitched is what is cut as a whole, cell by cell."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from creased import (
    Affine,
    Block,
    Box,
    Program,
    extract_complex,
    extract_level_set,
    find_regions,
)
from creased.core.domains.whole_space import WholeSpace
from creased.core.provenance import Completeness
from creased.core.subdivision import sub_boxes
from creased.core.subdivision.sub_boxes import PLACES, split_box
from creased.parallel import extract_complex_in_parts, extract_level_set_in_parts, ray_workers
from tests.core.grids.test_grid_complex import random_on_grid
from tests.core.subdivision.test_sub_boxes import degenerate_case
from tests.invariants import check_closed, check_same
from tests.strategies import Case, ball_program, generic_cases, random_program

few = st.integers(1, 9)


@given(generic_cases(), few)
def test_stitched_complex_is_the_whole(case: Case, n_parts: int) -> None:
    program, box = case.program.to(torch.device("cpu"), torch.float64), case.box
    whole = extract_complex(program, box)
    found = extract_complex_in_parts(program, box, n_parts=n_parts)
    check_same(found, whole)
    assert found.status == whole.status


@given(generic_cases(dims=(2, 3)), few, st.booleans())
def test_stitched_level_set_is_the_whole(case: Case, n_parts: int, prune: bool) -> None:
    program, box = case.program.to(torch.device("cpu"), torch.float64), case.box
    whole = extract_level_set(program, box, prune=False)
    found = extract_level_set_in_parts(program, box, n_parts=n_parts, prune=prune)
    check_same(found, whole)
    assert found.is_complete
    assert found.audit().is_manifold


def test_stitched_ball_is_closed_and_cut_planes_leave_no_vertex() -> None:
    program, box = ball_program(3), Box.cube(3, 1)
    whole = extract_level_set(program, box)
    found = extract_level_set_in_parts(program, box, n_parts=11)
    check_same(found, whole)
    check_closed(found, euler=2)
    assert found.provenance.completeness is whole.provenance.completeness


def _on_the_plane(place: float) -> Program:
    """Three creases that meet in the very plane in which a cube is halved, at 2 place - 1."""
    program = random_program(3, (3,), seed=0)
    middle = torch.tensor([2 * place - 1, 0.1, -0.2], dtype=torch.float64)
    weight = program.blocks[0].affine.weight
    return Program((Block(Affine(weight, -(weight @ middle))),), program.head)


def test_a_vertex_in_a_plane_fits_all_the_same() -> None:
    box = Box.cube(3, 1)
    for place in PLACES:
        program = _on_the_plane(place)
        check_same(extract_complex_in_parts(program, box, n_parts=2), extract_complex(program, box))


def test_parts_that_do_not_fit_are_cut_again_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    program, box = random_program(3, (8, 6), seed=4), Box.cube(3, 1)
    places: list[float] = []

    def split(box: Box, n_parts: int, place: float) -> list[Box]:
        places.append(place)
        left, right = split_box(box, n_parts, place)
        if len(places) == 1:  # as if rounding had left something out between them
            right = Box([right.lower[0] + 0.1, *right.lower[1:]], right.upper)
        return [left, right]

    monkeypatch.setattr(sub_boxes, "split_box", split)
    check_same(extract_complex_in_parts(program, box, n_parts=2), extract_complex(program, box))
    assert places == list(PLACES[:2])


def test_what_fits_nowhere_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sub_boxes, "split_box", lambda *asked: split_box(*asked)[:1])
    found = extract_complex_in_parts(random_program(3, (8, 6), seed=4), Box.cube(3, 1), n_parts=2)
    assert found.n_inconsistent > 0


def test_what_does_not_fit_says_so() -> None:
    found = extract_complex_in_parts(
        random_program(3, (12, 12), seed=1), Box.cube(3, 1), n_parts=2, at_once=100, memory=20_000
    )
    assert not found.is_whole
    assert found.provenance.completeness is Completeness.STOPPED


def test_what_has_no_parts_is_refused() -> None:
    program = random_program(2, (3,))
    with pytest.raises(ValueError, match="parts of a Box, got WholeSpace"):
        extract_complex_in_parts(program, WholeSpace(2))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be 1 or more, got 0 and None"):
        extract_complex_in_parts(program, Box.cube(2, 1), n_parts=0)
    with pytest.raises(ValueError, match=r"output must be in 0..0, got 3"):
        extract_level_set_in_parts(program, Box.cube(2, 1), output=3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")
def test_two_workers_give_the_whole() -> None:
    ray = pytest.importorskip("ray")
    program, box = random_program(3, (16, 16), seed=2), Box.cube(3, 1)
    with ray_workers(2):  # one Ray for both
        found = extract_complex_in_parts(program, box, n_parts=6, workers=2)
        surface = extract_level_set_in_parts(program, box, n_parts=6, workers=2)
        degenerate, around = degenerate_case("ternary, no bias", seed=8)
        doubtful = extract_complex_in_parts(degenerate, around, n_parts=3, workers=2)
    check_same(doubtful, extract_complex(degenerate, around, exact=True))
    check_same(found, extract_complex(program, box))
    check_same(surface, extract_level_set(program, box))
    assert not ray.is_initialized()


def _rounded(points: Tensor) -> list[list[float]]:
    return sorted(((points * 1e9).round() + 0.0).tolist())


@pytest.mark.parametrize("n_parts", [1, 5, 40])
@pytest.mark.parametrize("dim", [2, 3])
def test_shares_of_a_grid_give_the_whole(dim: int, n_parts: int) -> None:
    program = random_on_grid(dim, (1, 2, 4), seed=3)
    level = float(program(torch.rand((99, dim)).double() - 0.5).mean())
    for domain in (None, Box((-0.3,) * dim, (0.2,) * dim)):
        whole = extract_level_set(program, domain, level)
        found = extract_level_set_in_parts(program, domain, level, n_parts=n_parts)
        assert not whole.is_empty
        for points in (lambda ls: ls.vertices, lambda ls: ls.vertices[ls.edges].mean(1)):
            assert _rounded(points(found)) == _rounded(points(whole))
        assert found.polygons.sizes.sort().values.tolist() == whole.polygons.sizes.sort().values.tolist()
        assert found.audit().euler_characteristic == whole.audit().euler_characteristic
        assert found.is_complete
        cells = extract_complex_in_parts(program, domain, level=level, n_parts=n_parts)
        assert cells.f_vector() == extract_complex(program, domain, level=level).f_vector()
        assert find_regions(cells).n == cells.f_vector()[-1]
    stopped = extract_level_set_in_parts(program, None, level, n_parts=2, memory=1000)
    assert not stopped.is_complete


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")
def test_two_workers_give_the_whole_of_a_grid() -> None:
    pytest.importorskip("ray")
    program = random_on_grid(3, (2, 4), seed=3)
    with ray_workers(2):
        found = extract_complex_in_parts(program, None, n_parts=3, workers=2)
        surface = extract_level_set_in_parts(program, None, 0.1, n_parts=3, workers=2)
    assert found.f_vector() == extract_complex(program).f_vector()
    assert _rounded(surface.vertices) == _rounded(extract_level_set(program, None, 0.1).vertices)
