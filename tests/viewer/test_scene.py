"""Scenes say of each edge which layer made it, and sections lie where the plane is."""

import numpy as np
import pytest
import torch

pytest.importorskip("numpy")

from creased import Affine, Box, Program, extract_complex, extract_level_set
from creased.drawing.plane import layers_of
from creased.viewer.scene import LAYERS, LEVEL, WALL, level_set_scene, section
from tests.viewer.nets import CUBE, tiny_program, tiny_surface


def states(program: Program, points: torch.Tensor) -> list[torch.Tensor]:
    """Preactivations of each layer at points, by the plain forward pass."""
    found, state = [], points
    for block in program.blocks:
        found.append(state @ block.affine.weight.T + block.affine.bias)
        state = found[-1].relu()
    return found


def test_an_edge_lies_on_a_crease_of_the_layer_of_its_colour() -> None:
    program = tiny_program()
    surface, _ = tiny_surface(program)
    layers = torch.from_numpy(layers_of(surface.edge_zero_ids[:, 0], surface.layout))
    middles = surface.vertices[surface.edges].mean(1)
    on_layer = torch.stack([z.abs().amin(1) < 1e-9 for z in states(program, middles)], dim=1)
    on_wall = ((middles.abs() - 1).abs() < 1e-9).any(1)
    assert {-1, 0, 1} == set(layers.tolist())
    assert bool(on_wall[layers == -1].all())
    for layer in (0, 1):
        assert bool(on_layer[layers == layer, layer].all())


def test_a_scene_holds_the_surface_as_it_is() -> None:
    surface, _ = tiny_surface(tiny_program())
    scene = level_set_scene(surface, "tiny")
    np.testing.assert_allclose(scene.vertices, surface.vertices.numpy(), atol=1e-6)
    assert len(scene.triangles) == int((surface.polygons.sizes - 2).sum())
    assert len(scene.creases.points) == surface.edges.shape[0]
    assert scene.legend == {"wall of the domain": WALL, "layer 1": LAYERS[0], "layer 2": LAYERS[1]}
    colours = {tuple(c) for c in scene.creases.colours.tolist()}
    assert colours == set(scene.legend.values())
    assert f"{surface.polygons.n:,} polygons" in scene.caption


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_section_lies_in_its_plane_and_its_curves_on_the_level(axis: int) -> None:
    program = tiny_program()
    level = float(program(torch.zeros((1, 3), dtype=torch.float64)))
    found = section(program, CUBE, axis, 0.25, level=level)
    for lines in (found.cells, found.level):
        assert len(lines.points) > 4
        np.testing.assert_allclose(lines.points[:, :, axis], 0.25, atol=1e-6)
    values = program(torch.from_numpy(found.level.points.reshape(-1, 3)).double())
    torch.testing.assert_close(values, torch.full_like(values, level), atol=1e-5, rtol=0)


def test_the_level_set_in_the_plane_is_where_the_surface_meets_it() -> None:
    sphere_like = Program((), Affine(torch.tensor([[1.0, 2.0, 0.0]]).double(), torch.zeros(1).double()))
    found = section(sphere_like, CUBE, 2, 0.5)
    (ends,) = found.level.points
    np.testing.assert_allclose(sorted(ends.tolist()), [[-1, 0.5, 0.5], [1, -0.5, 0.5]], atol=1e-6)
    assert found.n_regions == 1


def test_a_plane_network_is_its_own_section() -> None:
    program = tiny_program(2)
    surface, level = tiny_surface(program)
    found = section(program, Box.cube(2, 1.0), 0, 0.0, level=level)
    whole = extract_complex(program, Box.cube(2, 1.0), level=None)
    assert (len(found.cells.points), len(found.level.points)) == (
        whole.edges.shape[0],
        surface.edges.shape[0],
    )
    assert found.n_regions == whole.f_vector()[-1]
    scene = level_set_scene(surface)
    assert scene.triangles.shape == (0, 3)
    assert scene.legend == {"level set": LEVEL}


@pytest.mark.parametrize("dim", [1, 4])
def test_other_dimensions_are_refused(dim: int) -> None:
    program = tiny_program(dim)
    with pytest.raises(ValueError, match=f"got {dim}"):
        section(program, Box.cube(dim, 1.0), 0, 0.0)
    with pytest.raises(ValueError, match=f"D = {dim}"):
        level_set_scene(extract_level_set(program, Box.cube(dim, 1.0)))
