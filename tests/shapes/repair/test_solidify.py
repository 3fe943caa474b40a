"""Meshes as people have them: what is learnt of them, or why they are refused."""

import logging
import re
from typing import Any

import numpy as np
import pytest
import trimesh
from trimesh.creation import box
from trimesh.util import concatenate

from creased.shapes import ShapeError, load_shape
from creased.shapes.repair import RepairOptions
from tests.shapes.repair.meshes import (
    ball,
    block,
    capless,
    clamp,
    ground,
    halves,
    house,
    inverted,
    sheet,
    solid,
    soup,
    volume,
    without,
)
from tests.slow import slow


def test_a_closed_mesh_is_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        found = solid(ball())
    np.testing.assert_allclose(
        found.to_domain.invert(found.surface.vertices)[found.surface.triangles], ball().triangles, atol=1e-15
    )
    assert found.original is None
    assert found.report.change is None
    assert "watertight as it is" in caplog.text


def test_holes_are_closed_counted_and_measured(caplog: pytest.LogCaptureFixture) -> None:
    found = solid(capless())
    audit = found.surface.audit
    assert audit.is_closed
    assert audit.is_oriented
    assert audit.is_manifold
    assert len(found.report.openings) == found.report.n_closed == 1
    assert found.report.change is not None
    assert found.report.change.shares["lost"] == 0
    assert 0 < found.report.openings[0].extent < found.report.openings[0].perimeter < 2
    assert "1 opening closed in 1 part" in caplog.text
    assert "invented" in caplog.text


def test_off_takes_closed_meshes_alone() -> None:
    with pytest.raises(ShapeError, match=r"not watertight.*shape\.repair=off"):
        solid(without(ball(), 1), repair="off")
    crossing = concatenate([ball(), ball(centre=(1, 0, 0))])
    assert volume(solid(crossing, repair="off")) == pytest.approx(crossing.volume)
    with pytest.raises(ShapeError, match="inside out"):
        solid(inverted(ball()), repair=False)


def test_an_open_sheet_is_refused_by_name_and_can_be_thickened_or_closed() -> None:
    with pytest.raises(ShapeError, match=r"part 0 \(722 faces, 4 x 3 x 0\.99.*shape\.open=shell.*lenient"):
        solid(soup(sheet()))
    shell = solid(sheet(), open="shell", thickness=0.1)
    assert shell.surface.audit.is_closed
    assert volume(shell) == pytest.approx(0.1 * sheet().area, rel=0.01)
    closed = solid(sheet(), repair="lenient")
    change = closed.report.change
    assert change is not None
    assert change.shares["invented"] > 0.4
    assert change.shares["lost"] == 0
    assert change.comparison.to_reference.max > 0.9  # the lid is below the dome


def test_overlapping_solids_are_united() -> None:
    plus = concatenate([box(extents=[2, 0.5, 0.5]), box(extents=[0.5, 2, 0.5])])
    found = solid(soup(plus))
    assert found.surface.audit.n_components == 1
    assert volume(found) == pytest.approx(0.875)
    change = found.report.change
    assert change is not None
    assert change.volume_read == pytest.approx(0.875, rel=0.02)
    assert change.internal == pytest.approx(1 / 9, abs=0.02)
    assert max(change.shares.values()) < 0.02


@pytest.mark.parametrize("gap", [0.0, 1e-5, 1e-4])
def test_a_seam_is_welded_before_anything_is_split(gap: float) -> None:
    found = solid(soup(halves(gap)))
    assert found.surface.audit.n_components == 1
    assert found.surface.audit.euler_characteristic == 2
    assert volume(found) == pytest.approx(ball().volume, rel=1e-3)


def test_a_ball_in_the_opening_of_a_clamp_is_no_cavity() -> None:
    free = ball(0.35, (1.2, 1, 1))
    found = solid(soup(concatenate([clamp(), free])))
    assert volume(found) == pytest.approx(clamp().volume + free.volume, rel=1e-6)
    assert found.surface.audit.n_components == 2
    inward = solid(concatenate([clamp(), inverted(free)]))  # not inside the solid: it is reversed
    assert volume(inward) == pytest.approx(clamp().volume + free.volume, rel=1e-6)
    assert inward.report.n_reversed == 1
    touching = solid(concatenate([clamp(), ball(0.35, (0.55, 1, 1))]))
    assert touching.surface.audit.n_components == 1


@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_solids_that_share_a_face_are_one(turn: float) -> None:
    stacked = concatenate([block([0, 0, 0], [1, 1, 1]), block([0, 0, 1], [1, 1, 2])])
    stacked.apply_transform(trimesh.transformations.rotation_matrix(turn, [1, 2, 3]))
    found = solid(soup(stacked))
    assert volume(found) == pytest.approx(2)
    assert found.surface.audit.n_components == 1
    assert found.surface.audit.euler_characteristic == 2


def test_a_part_that_cannot_be_closed_is_named_left_out_or_thickened() -> None:
    scene = soup(concatenate([ball(subdivisions=3), ground()]))
    with pytest.raises(ShapeError, match=r"1 of 2 parts.*part 1 \(2 faces, 4 x 4 x 0.*shape\.open=drop"):
        solid(scene)
    dropped = solid(scene, open="drop")
    assert volume(dropped) == pytest.approx(ball(subdivisions=3).volume)
    assert [part.index for part in dropped.report.left_out] == [1]
    assert dropped.original is not None
    assert np.ptp(dropped.original.vertices[:, 0]) == pytest.approx(1.8)  # what was read is not forgotten
    shell = solid(scene, open="shell", thickness=0.1)
    assert shell.surface.audit.n_components == 1
    assert 5.6 < volume(shell) < 4 * 4 * 0.1 + ball(subdivisions=3).volume


def test_a_small_open_part_is_closed_and_kept() -> None:
    found = solid(soup(house()))
    assert volume(found) == pytest.approx(1000 + 0.0566, abs=1e-3)
    assert found.report.change is not None
    assert found.report.change.extent < 1e-6
    assert found.report.n_closed == 1


def test_what_fragments_cost_in_extent_is_limited() -> None:
    dust = trimesh.Trimesh([[9, 0, 0], [9.01, 0, 0], [9, 0.01, 0]], [[0, 1, 2]], process=False)
    near = dust.copy().apply_translation([-7.99, 0, 0])
    assert len(solid(concatenate([ball(), near])).report.fragments) == 1
    with pytest.raises(ShapeError, match=r"shape\.limits\.extent=0\.02.*1 open part a fragment"):
        solid(concatenate([ball(), dust]))
    lenient = solid(concatenate([ball(), dust]), repair="lenient")
    assert lenient.report.change is not None
    assert lenient.report.change.shares["extent"] > 0.5
    assert solid(concatenate([ball(), dust]), limits={"extent": 1}).report.fragments


@pytest.mark.parametrize("size", [1e-8, 1e-3, 1e6])
def test_units_of_any_size_are_accepted(size: float) -> None:
    found = solid(ball().apply_scale(size))
    assert volume(found) == pytest.approx(ball().volume * size**3)
    assert found.surface.audit.euler_characteristic == 2


def test_coordinates_far_from_the_origin_are_kept() -> None:
    far = box(extents=[20, 12, 8]).subdivide().apply_translation([447213.5, 5411978.25, 312])
    found = solid(far)
    back = found.to_domain.invert(found.surface.vertices)
    np.testing.assert_allclose(np.sort(back, axis=0), np.sort(far.vertices, axis=0), rtol=0, atol=1e-8)


def test_tunnels_and_thin_walls_are_kept() -> None:
    cut = [box(extents=[56, 36, 23]).apply_translation([0, 0, 2])]
    cut += [box(extents=[2, 60, 10]).apply_translation([x, 0, 2]) for x in (-15, -9, -3)]
    enclosure = trimesh.boolean.difference([box(extents=[60, 40, 25]), *cut], engine="manifold")
    found = solid(soup(enclosure))
    assert found.surface.audit.euler_characteristic == enclosure.euler_number
    assert volume(found) == pytest.approx(enclosure.volume)


def test_a_mesh_without_volume_is_refused() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=float)
    flat = trimesh.Trimesh(corners, [[0, 1, 2], [0, 2, 1]], process=False)
    with pytest.raises(ShapeError, match=r"cannot be closed"):
        solid(flat)
    with pytest.raises(ShapeError, match="open=drop leaves nothing"):
        solid(flat, open="drop")
    with pytest.raises(ShapeError, match="no extent"):
        solid(trimesh.Trimesh(np.ones((3, 3)), [[0, 1, 2]], process=False))


def test_vertices_at_nan_are_refused() -> None:
    cube = box()
    vertices = cube.vertices.copy()
    vertices[0, 0] = np.nan
    with pytest.raises(ShapeError, match="NaN"):
        solid(trimesh.Trimesh(vertices, cube.faces, process=False))


def test_a_file_that_is_wholly_inside_out_is_reversed_with_its_cavity() -> None:
    hollow = concatenate([ball(), inverted(ball(0.5)), ball(1, (3, 0, 0))])
    found = solid(inverted(hollow))
    assert volume(found) == pytest.approx(hollow.volume)
    assert found.report.n_reversed == 3
    assert found.report.n_cavities == 1


def test_a_solid_inside_another_is_united_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    nested = concatenate([ball(), ball(0.4)])
    found = solid(nested)
    assert volume(found) == pytest.approx(ball().volume)
    assert found.report.n_inside == 1
    assert "1 of them wholly inside others" in caplog.text


def test_a_component_that_is_inside_out_is_turned_and_a_cavity_is_kept() -> None:
    mixed = concatenate([ball(), inverted(ball(0.5, (3, 0, 0))), inverted(ball(0.4))])
    shape = load_shape("mixed", lambda: mixed)
    centres = shape.to_domain.apply(np.array([[0.0, 0, 0], [0.7, 0, 0], [3.0, 0, 0]]))
    np.testing.assert_array_equal(np.sign(shape.index.signed_distance(centres)), [1, -1, -1])


def test_the_users_coordinates_come_back() -> None:
    cube = box(extents=(2, 4, 6)).apply_translation([100, -20, 7])
    shape = load_shape("box", lambda: cube)
    back = shape.to_domain.invert(shape.mesh.vertices)
    np.testing.assert_allclose(np.sort(back, axis=0), np.sort(cube.vertices, axis=0), atol=1e-12)
    assert abs(shape.mesh.bounds).max() == pytest.approx(0.45)


def test_closed_components_beside_an_open_one_are_kept() -> None:
    found = solid(concatenate([capless(), ball(0.7, (3, 0, 0))]))
    assert found.surface.audit.n_components == 2
    assert found.surface.audit.is_closed


def test_cubes_that_share_an_edge_are_both_kept() -> None:
    touching = concatenate([box(), box().apply_translation([1, 1, 0])])
    touching.merge_vertices()
    found = solid(touching)
    assert volume(found) == pytest.approx(2)
    assert found.surface.audit.is_manifold


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"repair": "maybe"}, "strict, lenient, off"),
        ({"open": "close"}, "refuse, drop, shell"),
        ({"thickness": 0}, "above 0"),
        ({"weld": 0.5}, r"shape\.weld"),
        ({"limits": {"lost": "much"}}, r"shape\.limits\.lost"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], word: str) -> None:
    with pytest.raises(ShapeError, match=word):
        solid(ball(), **options)


@pytest.mark.parametrize(
    "option", [{"thickness": "0.2mm"}, {"thickness": float("inf")}, {"thickness": True}, {"weld": "1mm"}]
)
def test_options_of_another_kind_are_refused_by_name(option: dict[str, Any]) -> None:
    (name,) = option
    with pytest.raises(ShapeError, match=f"shape.{name} takes"):
        RepairOptions(**option)


def test_what_a_repair_did_is_said_in_the_unit_of_the_mesh() -> None:
    mesh = concatenate([without(house(), 2), sheet().apply_translation([0, 0, 30])])
    mesh.metadata["unit"] = "millimeter"
    with pytest.raises(ShapeError, match=r"4 x 3 x 0.9966 mm, about .* by default 1\.\d+ mm\)"):
        solid(mesh)
    found = solid(mesh, open="shell", thickness=0.5).report
    words = "; ".join(found.sentences())
    assert "to 0.5 mm: part" in words
    assert "mm around and" in words
    assert "mm across" in words
    said = str(found.change)
    assert re.search(r"max [\d.]+ mm; back mean", said)
    assert re.search(r"area [\d.]+ -> [\d.]+ mm\^2, volume [\d.]+ mm\^3, the bounding box", said)
    del mesh.metadata["unit"]
    again = solid(mesh, open="shell", thickness=0.5).report
    assert "mm" not in f"{again.change} {again.sentences()}"


def gutter(turn: float, growth: float, n: int = 80) -> trimesh.Trimesh:
    """A sheet bent about the z axis, of radius 1 at first, which grows in one turn; 4 long."""
    angle, z = (g.ravel() for g in np.meshgrid(np.linspace(0, turn, n), np.linspace(0, 4, n), indexing="ij"))
    radius = 1 + growth * angle / (2 * np.pi)
    mesh = sheet(n)
    mesh.vertices = np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)
    return mesh


@pytest.mark.parametrize(
    ("turn", "growth", "thickness", "share"),
    [
        (np.pi, 0.0, 0.2, 0),
        (np.pi, 0.0, 1.9, 0),
        slow(np.pi, 0.0, 2.4, 1),  # the inner side has passed the axis, everywhere
        (2 * np.pi + 0.5, 0.2, 0.1, 0),
        # for half a radian there are two layers, 0.2 apart, and sides reach each other 0.14 beyond their ends
        (2 * np.pi + 0.5, 0.2, 0.3, (1.11 + 2 * 0.138) / 7.515),
    ],
)
def test_a_shell_thicker_than_bends_allow_is_said(
    turn: float, growth: float, thickness: float, share: float
) -> None:
    report = solid(gutter(turn, growth), open="shell", thickness=thickness).report
    assert len(report.shells) == 1
    assert report.shells_overlap == pytest.approx(share, abs=0.02)
    assert ("of the thickened parts overlaps itself" in report.summary()) == (share > 0)
