"""Pictures of level sets: what is drawn, and what is left blank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from creased import Affine, Box, LevelSet, Program, extract_level_set
from creased.core.complexes.polygons import Polygons
from creased.meshes.polygon_mesh import PolygonMesh
from creased.networks import MLP, lower
from creased.render import render
from creased.render.camera import View, make_camera, project

pytest.importorskip("warp")
pytest.importorskip("matplotlib")
pytest.importorskip("PIL")

SIZE = 160
FRONT = View(azimuth=0, elevation=0, zoom=1)
CORNERS = 0.3 * (2.0 * np.indices((2, 2, 2)).reshape(3, 8).T - 1)
# quadrilaterals, counter-clockwise seen from outside: -x, +x, -y, +y, -z, +z
SQUARES = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]


def mesh_of(vertices: np.ndarray, polygons: list[list[int]]) -> PolygonMesh:
    sizes = torch.tensor([len(p) for p in polygons])
    cycles = Polygons.of_sizes(sizes, torch.tensor([i for p in polygons for i in p]))
    return PolygonMesh(torch.from_numpy(vertices), cycles)


def cube(polygons: list[list[int]] = SQUARES, **options: object) -> np.ndarray:
    return render.render_surface(mesh_of(CORNERS, polygons), **{"size": SIZE, **options})  # type: ignore[arg-type]


def pixel(points: np.ndarray, view: View = render.THREE_QUARTER) -> np.ndarray:
    return project(make_camera(view, Box.cube(3, 0.5), SIZE), points)


def is_paper(image: np.ndarray) -> np.ndarray:
    return (image == render.PORCELAIN.background).all(axis=-1)


def brightness_along(image: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    at = start + np.linspace(0.2, 0.8, 40)[:, None] * (end - start)
    column, row = np.floor(pixel(at)).astype(int).T
    near = [image[row + dy, column + dx].mean(axis=-1) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return np.min(near, axis=0)


@pytest.fixture
def spiky() -> LevelSet:
    torch.manual_seed(0)
    program = lower(MLP(3, width=8, depth=2)).to(dtype=torch.float64).detach()
    middle = float(program(torch.zeros(1, 3, dtype=torch.float64)))
    return extract_level_set(program, Box.cube(3, 0.5), middle)


def line(dim: int, bias: float) -> LevelSet:
    weight = torch.zeros(1, dim, dtype=torch.float64)
    weight[0, 0] = 1
    return extract_level_set(Program((), Affine(weight, torch.tensor([bias]).double())), Box.cube(dim, 0.5))


def test_polygon_edges_are_dark_and_diagonals_are_not() -> None:
    image = cube(line_width=2.0)
    top = CORNERS[SQUARES[3]]
    face = float(image[tuple(np.floor(pixel(top.mean(axis=0, keepdims=True))[0]).astype(int)[::-1])].mean())
    assert (brightness_along(image, top[1], top[2]) < face - 50).mean() > 0.9
    for i in (0, 1):  # both diagonals of the top, the one a fan has and the one it has not
        np.testing.assert_allclose(brightness_along(image, top[i], top[i + 2]), face, atol=4)


def test_splitting_a_face_draws_its_diagonal() -> None:
    split = [*SQUARES[:3], [2, 3, 7], [2, 7, 6], *SQUARES[4:]]
    whole, halves = (cube(polygons, line_width=2.0) for polygons in (SQUARES, split))
    along = [brightness_along(image, CORNERS[2], CORNERS[7]) for image in (whole, halves)]
    assert (along[0] - along[1]).mean() > 50


def test_silhouette_covers_the_projected_square() -> None:
    image = cube(view=FRONT)
    low, high = pixel(CORNERS[[1, 7]], FRONT)
    covered = (~is_paper(image)).sum()
    assert covered == pytest.approx(abs(np.prod(high - low)), rel=0.04)
    low_pixel, high_pixel = np.floor(np.minimum(low, high)), np.ceil(np.maximum(low, high))
    outside = np.ones((SIZE, SIZE), dtype=bool)
    outside[int(low_pixel[1]) : int(high_pixel[1]), int(low_pixel[0]) : int(high_pixel[0])] = False
    assert is_paper(image)[outside].all()


def test_background_can_be_chosen() -> None:
    image = cube(theme=replace(render.PORCELAIN, background=(1, 2, 3)))
    assert (image[[0, 0, -1, -1], [0, -1, 0, -1]] == (1, 2, 3)).all()


def test_open_edges_are_in_the_warning_colour_and_insides_in_that_of_backs() -> None:
    closed, opened = cube(), cube(SQUARES[:5])  # without +z
    is_warning = [(im[..., 0].astype(int) - im[..., 2] > 80).sum() for im in (closed, opened)]
    assert is_warning[0] == 0
    assert is_warning[1] > 200
    x, y = np.floor(pixel(np.array([[0.0, 0.0, 0.3]]))[0]).astype(int)
    assert opened[y, x, 2] > opened[y, x, 0] + 5  # bluish
    assert opened[y, x].mean() < closed[y, x].mean()


def test_creases_are_left_out_where_polygons_are_small() -> None:
    fine = np.stack(np.meshgrid(np.linspace(-0.3, 0.3, 121), np.linspace(-0.3, 0.3, 121)), -1).reshape(-1, 2)
    first = (np.arange(120)[:, None] * 121 + np.arange(120)).reshape(-1, 1)
    squares = (first + np.array([0, 1, 122, 121])).tolist()
    vertices = np.c_[fine, np.zeros(len(fine))]
    image = render.render_surface(mesh_of(vertices, squares), size=SIZE, view=FRONT)
    bare = render.render_surface(mesh_of(vertices, squares), size=SIZE, view=FRONT, line_width=0)
    assert (image == bare)[70:90, 70:90].all()  # they could not be told apart


def test_same_input_gives_the_same_picture(spiky: LevelSet) -> None:
    drawn = [render.render_level_set(spiky, size=SIZE) for _ in range(2)]
    np.testing.assert_array_equal(*drawn)
    assert 0 < is_paper(drawn[0]).mean() < 0.95


def test_picture_moves_with_the_surface_and_not_with_its_extent() -> None:
    half = render.render_surface(mesh_of(CORNERS / 2, SQUARES), size=SIZE, view=FRONT)
    assert (~is_paper(half)).sum() == pytest.approx((~is_paper(cube(view=FRONT))).sum() / 4, rel=0.15)


@pytest.mark.parametrize("dim", [2, 3])
def test_empty_level_set_gives_a_frame_that_says_so(dim: int) -> None:
    empty = line(dim, 7.0)
    assert empty.is_empty
    image = render.render_level_set(empty, size=SIZE)
    assert image.shape == (SIZE, SIZE, 3)
    assert 0 < (~is_paper(image)).sum() < 0.05 * SIZE**2


def test_polylines_are_drawn_where_they_are() -> None:
    image = render.render_level_set(line(2, 0.0), size=SIZE)
    assert image.shape == (SIZE, SIZE, 3)
    middle = image[SIZE // 2, SIZE // 4 : -SIZE // 4].mean(axis=-1)
    assert abs(int(middle.argmin()) - SIZE // 4) <= 1
    assert (middle < 200).sum() <= 3


@pytest.mark.parametrize("dim", [1, 4])
def test_other_dimensions_are_refused(dim: int) -> None:
    with pytest.raises(ValueError, match=f"D = {dim}"):
        render.render_level_set(line(dim, 0.0))
