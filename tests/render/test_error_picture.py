"""Pictures of errors: red where a mesh has too much, blue where it lacks something, both ways."""

import numpy as np
import pytest
import trimesh

from creased import Box
from creased.render.camera import View
from creased.render.error_picture import error_panels, side_by_side
from creased.shapes.comparison import Comparison, compare
from creased.shapes.surface import Surface

pytest.importorskip("warp")
pytest.importorskip("matplotlib")
pytest.importorskip("PIL")

SIZE = 120
FRONT = View(azimuth=0, elevation=0, zoom=1)


def ball(radius: float, at: tuple[float, float, float] = (0, 0, 0)) -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=3, radius=radius).apply_translation(at)


def drawn(mesh: trimesh.Trimesh, shape: trimesh.Trimesh) -> tuple[np.ndarray, Comparison]:
    """The four parts (4, SIZE, SIZE, 3), each to its caption; the last a quarter as wide."""
    here, there = (Surface.of_triangles(each.vertices, each.faces) for each in (mesh, shape))
    found = compare(here, there, "ball", 10.0, np.random.default_rng(0), 2000)
    panels = error_panels(here, there, found, domain=Box.cube(3, 0.5), view=FRONT, size=SIZE)
    picture = side_by_side(panels)
    assert picture.shape == (SIZE + 28, 3 * SIZE + SIZE // 4, 3)
    return np.stack([picture[:SIZE, i * SIZE : (i + 1) * SIZE] for i in range(3)]).astype(int), found


def redness(picture: np.ndarray, x: float, y: float) -> int:
    """Red less blue around a point of the plane through the middle, from -0.5 to 0.5."""
    row, column = round((0.5 - y) * SIZE), round((0.5 + x) * SIZE)
    near = picture[row - 2 : row + 3, column - 2 : column + 3].mean(axis=(0, 1))
    return int(near[0] - near[2])


@pytest.mark.parametrize(("radius", "sign"), [(0.31, 1), (0.29, -1)])
def test_too_much_is_red_and_lacking_is_blue(radius: float, sign: int) -> None:
    (shape, mesh, errors), _ = drawn(ball(radius), ball(0.3))
    assert sign * redness(errors, 0, 0) > 60
    assert abs(redness(shape, 0, 0)) < 40
    assert abs(redness(mesh, 0, 0)) < 40


def test_parts_that_only_one_of_the_two_has_are_seen() -> None:
    left, right = ball(0.1, (-0.25, 0, 0)), ball(0.1, (0.25, 0, 0))
    (shape, mesh, errors), found = drawn(right, left)
    assert redness(errors, -0.25, 0) < -60
    assert redness(errors, 0.25, 0) > 60
    assert (shape[SIZE // 2, SIZE * 3 // 4] == 255).all()
    assert (mesh[SIZE // 2, SIZE // 4] == 255).all()
    assert found.hausdorff == pytest.approx(10 * 0.5, rel=0.05)


def test_what_agrees_is_neither() -> None:
    moved = trimesh.util.concatenate([ball(0.1, (-0.25, 0, 0)), ball(0.105, (0.25, 0, 0))])
    (_, _, errors), _ = drawn(moved, trimesh.util.concatenate([ball(0.1, (s, 0, 0)) for s in (-0.25, 0.25)]))
    assert abs(redness(errors, -0.25, 0)) < 40
    assert redness(errors, 0.25, 0) > 60


def test_a_mesh_that_is_its_shape_has_a_picture() -> None:
    (_, _, errors), found = drawn(ball(0.3), ball(0.3))
    same = Surface.of_triangles(ball(0.3).vertices, ball(0.3).faces)
    with_unit, without = (
        side_by_side(
            error_panels(same, same, found, domain=Box.cube(3, 0.5), view=FRONT, size=SIZE, unit=unit)
        )
        for unit in ("millimeter", None)
    )
    assert (with_unit != without).any(axis=2).nonzero()[0].min() >= SIZE  # the caption of the scale alone
    assert found.hausdorff < 1e-5
    assert abs(redness(errors, 0, 0)) < 90
