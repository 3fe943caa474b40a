"""Walls and gaps thinner than a cell are found, and named with their width; sharp edges are no walls."""

import math

import numpy as np
import pytest
import trimesh
from manifold3d import Manifold

from creased.shapes.surface import Surface
from creased.shapes.thickness import Thinness, measure_thinness


def measured(mesh: trimesh.Trimesh, n_cells: int = 64) -> Thinness:
    surface = Surface.of_triangles(mesh.vertices, mesh.faces)
    return measure_thinness(surface, n_cells, 1 / n_cells, np.random.default_rng(0))


def solid(manifold: Manifold) -> trimesh.Trimesh:
    mesh = manifold.to_mesh()
    return trimesh.Trimesh(mesh.vert_properties[:, :3], mesh.tri_verts)


def test_a_plate_has_the_width_of_its_wall_in_cells() -> None:
    found = measured(trimesh.creation.box((0.8, 0.8, 0.4 / 64)))
    assert found.thinnest_walls == pytest.approx(0.4, abs=1e-3)
    assert found.walls_share == pytest.approx(1.28 / (1.28 + 4 * 0.8 * 0.4 / 64), abs=0.01)
    assert (found.gaps_share, found.narrowest_gaps) == (0, math.inf)
    assert found.as_dict()["narrowest_gaps"] is None
    (sentence,) = found.sentences(100.0)
    assert sentence.startswith("walls of 0.4 cells: 98 % of the surface has walls narrower than a cell")
    assert "(1.56 in your units)" in sentence
    assert "(1.56 mm)" in found.sentences(100.0, "millimeter")[0]
    assert sentence.endswith("it takes 160 cells an axis, not 64")


def test_two_blocks_have_the_width_of_the_gap_between_them() -> None:
    blocks = [trimesh.creation.box((0.4, 0.8, 0.8)) for _ in range(2)]
    for block, side in zip(blocks, (-1, 1), strict=True):
        block.apply_translation((side * (0.2 + 0.25 / 64), 0, 0))
    found = measured(trimesh.util.concatenate(blocks))
    assert found.narrowest_gaps == pytest.approx(0.5, abs=1e-3)
    assert found.walls_share == 0
    (sentence,) = found.sentences(1.0)
    assert sentence.startswith("gaps of 0.5 cells: ")
    assert "closed; it takes 128 cells" in sentence


@pytest.mark.parametrize("n_sides", [3, 4, 6, 64])
def test_edges_of_prisms_are_no_walls_and_their_corners_no_gaps(n_sides: int) -> None:
    prism = Manifold.cylinder(0.8, 0.4, 0.4, n_sides, center=True)
    notched = prism - Manifold.cube((1, 1, 1)).translate((0.1, 0.1, 0.1))
    assert measured(solid(notched), 16).sentences(1.0) == []


def test_a_wedge_is_thin_where_it_is() -> None:
    points = [(0, -0.3, 0), (0, 0.3, 0), (0.8, -0.3, 0), (0.8, 0.3, 0), (0.8, -0.3, 0.1), (0.8, 0.3, 0.1)]
    wedge = solid(Manifold.hull_points([(x - 0.4, y, z) for x, y, z in points]))
    found = measured(wedge)  # thinner than 1/64 over the first 1/64 * 8 = 0.125 of 0.8
    assert found.walls_share == pytest.approx(0.125 / 0.8 * 0.9, abs=0.03)
    assert found.thinnest_walls < 0.1


def test_round_shapes_are_no_walls() -> None:
    assert measured(trimesh.creation.icosphere(subdivisions=4, radius=0.4), 8).sentences(1.0) == []
