"""The face under the pointer, and the words about it."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import torch

from creased.viewer.cutting import HalfSpace
from creased.viewer.picking import corners_of, describe_face, pick_triangle
from creased.viewer.tools import picked_face
from tests.viewer.nets import tiny_program, tiny_shot, tiny_surface


def test_a_ray_meets_the_first_triangle_that_is_shown() -> None:
    near = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1]], dtype=np.float32)
    corners = np.stack([near - [0, 0, 1], near]).astype(np.float32)
    assert pick_triangle(corners, (0.2, 0.2, 5), (0, 0, -1), None) == 1
    assert pick_triangle(corners, (0.2, 0.2, 5), (0, 0, -1), HalfSpace(2, 0.5, 1)) == 0
    assert pick_triangle(corners, (0.9, 0.9, 5), (0, 0, -1), None) is None


def test_the_affine_map_is_that_of_the_function_on_the_face() -> None:
    program = tiny_program()
    surface, _ = tiny_surface(program)
    polygon = int(surface.polygons.sizes.argmax())
    words = describe_face(surface, program, polygon)
    slopes = [float(number) for number in re.findall(r"([+-]\S+) [xyz]", words)]
    middle = surface.vertices[corners_of(surface, polygon)].mean(0).requires_grad_(True)
    (expected,) = torch.autograd.grad(program(middle[None]).sum(), middle)
    np.testing.assert_allclose(slopes, expected.numpy(), rtol=1e-3, atol=1e-5)
    assert f"{len(corners_of(surface, polygon))} corners" in words
    assert re.search(r"layer 1, neuron \d|layer 2, neuron \d|wall", words)
    masks = surface.activation_masks(surface.polygon_words[polygon : polygon + 1])[0]
    assert f"layer 1: {int(masks[:10].sum())} of 10 active" in words


def test_a_click_describes_the_face_in_front() -> None:
    shot = tiny_shot()
    scene, field = shot.scene, shot.field
    assert scene.level_set is not None
    assert field is not None
    a, b, c = scene.vertices[scene.triangles[0]].astype(float)
    normal = np.cross(b - a, c - a)
    event = SimpleNamespace(ray_origin=(a + b + c) / 3 + normal, ray_direction=-normal)
    kept = None
    found = picked_face(scene, field.program, kept, event)
    assert found is not None
    assert found[0].startswith("**face ")
    assert len(found[1]) >= 3
