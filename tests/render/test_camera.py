"""Cameras: the whole box is in the picture, and up is up."""

from __future__ import annotations

import numpy as np
import pytest

from creased import Box
from creased.render.camera import View, make_camera, project

SIZE = 160


def test_whole_box_is_in_the_picture_without_zoom() -> None:
    for up in "xyz":
        box = Box((-1.0, 0.0, 2.0), (1.0, 5.0, 3.0))
        bounds = np.array([box.lower, box.upper])
        corners = bounds[np.indices((2, 2, 2)).reshape(3, 8).T, np.arange(3)]
        flat = project(make_camera(View(up=up, zoom=1), box, SIZE), corners)
        assert flat.min() >= -1e-6
        assert flat.max() <= SIZE + 1e-6


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_up_axis_points_up(axis: int) -> None:
    camera = make_camera(View(up="xyz"[axis]), Box.cube(3, 0.5), SIZE)
    flat = project(camera, np.stack([np.zeros(3), 0.3 * np.eye(3)[axis]]))
    assert flat[0, 0] == pytest.approx(flat[1, 0])
    assert flat[1, 1] < flat[0, 1] - 10


@pytest.mark.parametrize("bad", [{"up": "w"}, {"field_of_view": 180}, {"zoom": 0}])
def test_views_that_cannot_be_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="View"):
        View(**bad)  # type: ignore[arg-type]
