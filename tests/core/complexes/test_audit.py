"""The audit reports each way in which a surface can be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from creased import Audit, Box, LevelSet, Polygons, extract_level_set
from tests.invariants import check_closed
from tests.oracles import named_surface
from tests.strategies import ball_program


@pytest.fixture(scope="module")
def sphere() -> LevelSet:
    return extract_level_set(ball_program(3, 14, depth=2), Box.cube(3, 1))


@pytest.fixture(scope="module")
def outline() -> LevelSet:
    return extract_level_set(ball_program(2, 9, depth=2), Box.cube(2, 1))


def with_cycles(surface: LevelSet, cycles: list[Tensor]) -> LevelSet:
    """The surface with other polygons."""
    sizes = torch.tensor([0, *(len(cycle) for cycle in cycles)])
    return replace(surface, polygons=Polygons(sizes.cumsum(0), torch.cat(cycles)))


def cycles_of(surface: LevelSet) -> list[Tensor]:
    """Vertices around each polygon."""
    return list(surface.polygons.indices.split(surface.polygons.sizes.tolist()))


def inner_polygon(surface: LevelSet) -> int:
    """A polygon with more than three corners."""
    return int(surface.polygons.sizes.argmax())


def broken(surface: LevelSet, cycles: list[Tensor]) -> Audit:
    return with_cycles(surface, cycles).audit()


def test_whole_surface_passes(sphere: LevelSet) -> None:
    found = broken(sphere, cycles_of(sphere))
    assert found == sphere.audit()
    assert (found.is_closed, found.is_oriented, found.is_manifold) == (True, True, True)
    assert found.n_polygons == sphere.polygons.n > 20


def test_missing_polygon_leaves_its_boundary(sphere: LevelSet) -> None:
    cycles = cycles_of(sphere)
    gone = cycles.pop(inner_polygon(sphere))
    found = broken(sphere, cycles)
    assert found.n_boundary_edges == len(gone)
    assert (found.is_closed, found.is_oriented, found.is_manifold) == (False, True, True)
    assert found.euler_characteristic == 1
    assert f"open ({len(gone)} boundary edges)" in str(found)


def test_flipped_polygon_clashes_with_all_its_neighbours(sphere: LevelSet) -> None:
    cycles, chosen = cycles_of(sphere), inner_polygon(sphere)
    cycles[chosen] = cycles[chosen].flip(0)
    found = broken(sphere, cycles)
    assert found.n_misoriented_edges == len(cycles[chosen])
    assert (found.is_closed, found.is_oriented) == (True, False)
    assert f"{len(cycles[chosen])} misoriented edges" in str(found)


def test_surface_inside_out_is_still_oriented(sphere: LevelSet) -> None:
    found = broken(sphere, [cycle.flip(0) for cycle in cycles_of(sphere)])
    assert (found.is_closed, found.is_oriented, found.is_manifold) == (True, True, True)


def test_doubled_polygon_crowds_its_edges(sphere: LevelSet) -> None:
    cycles, chosen = cycles_of(sphere), inner_polygon(sphere)
    found = broken(sphere, [*cycles, cycles[chosen]])
    assert found.n_nonmanifold_edges == len(cycles[chosen])
    assert (found.is_closed, found.is_manifold) == (False, False)


def test_two_surfaces_glued_at_a_vertex_are_pinched() -> None:
    surface = named_surface("two_octahedra")
    assert surface.audit().n_components == 2
    left, right = (int(surface.vertices[:, 0].argmin()), int(surface.vertices[:, 0].argmax()))
    glue = torch.arange(surface.vertices.shape[0])
    glue[left] = right
    glued = replace(with_cycles(surface, [glue[c] for c in cycles_of(surface)]), edges=glue[surface.edges])
    found = glued.audit()
    assert found.n_nonmanifold_vertices == 1
    assert (found.is_closed, found.is_oriented, found.is_manifold) == (True, True, False)
    assert "not manifold" in str(found)


def test_inconsistent_surface_is_not_closed(sphere: LevelSet) -> None:
    assert not replace(sphere, provenance=sphere.provenance.inconsistent(1)).audit().is_closed


def test_largest_residual_is_reported(sphere: LevelSet) -> None:
    vertices = sphere.vertices.clone()
    vertices[5] = 0
    moved = replace(sphere, vertices=vertices)
    assert moved.audit().max_residual == float(sphere.function(vertices[5]).abs()) > 0.1


def test_whole_outline_passes(outline: LevelSet) -> None:
    check_closed(outline)


def test_missing_edge_leaves_two_ends(outline: LevelSet) -> None:
    found = replace(outline, edges=outline.edges[1:]).audit()
    assert found.n_boundary_edges == 2
    assert (found.is_closed, found.is_oriented) == (False, True)


def test_flipped_edge_clashes_at_both_ends(outline: LevelSet) -> None:
    edges = outline.edges.clone()
    edges[0] = edges[0].flip(0)
    found = replace(outline, edges=edges).audit()
    assert found.n_misoriented_edges == 2
    assert (found.is_closed, found.is_oriented) == (True, False)


def test_doubled_edge_crowds_both_ends(outline: LevelSet) -> None:
    found = replace(outline, edges=torch.cat([outline.edges, outline.edges[:1]])).audit()
    assert found.n_nonmanifold_edges == 2
    assert (found.is_closed, found.is_manifold) == (False, False)


def test_record_holds_counts_and_answers(sphere: LevelSet) -> None:
    record = sphere.audit().as_dict()
    assert record["is_closed"] is True
    assert record["n_polygons"] == sphere.polygons.n
    assert all(isinstance(value, int | float | bool) for value in record.values())
