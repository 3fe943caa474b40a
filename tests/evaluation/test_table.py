"""The table at the end of a run: whether the mesh is its shape, in the first line."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
import torch
import trimesh
from rich.console import Console
from torch import Tensor

from creased import Box, GridMLP, extract_level_set, lower
from creased.evaluation.advice import advise, finer_grid, warn_of_thin_parts
from creased.evaluation.measure import evaluate
from creased.evaluation.table import format_metrics
from creased.shapes import Shape, load_shape
from tests.modules import Does

pytestmark = pytest.mark.usefixtures("few_points")

DOMAIN = Box.cube(3, 0.5)


def box(half: tuple[float, float, float], at: tuple[float, float, float]) -> Callable[[Tensor], Tensor]:
    """The signed distance of a box in the maximum norm."""
    sides, centre = torch.tensor([half, at], dtype=torch.float64)
    return lambda x: ((x - centre).abs() - sides).amax(dim=1, keepdim=True)


def two_boxes(units: str | None = None) -> Shape:
    """Boxes of sides 1 and 0.2, 0.8 apart, in the user's units; 0.45 times that in the domain."""
    small = trimesh.creation.box((0.2, 0.2, 0.2)).apply_translation((1.4, 0, 0))
    both = trimesh.util.concatenate([trimesh.creation.box(), small])
    return load_shape("boxes", lambda: both, units=units)


LARGE = box((0.225, 0.225, 0.225), (-0.225, 0, 0))
SMALL = box((0.045, 0.045, 0.045), (0.405, 0, 0))


def evaluated(function: Callable[[Tensor], Tensor], units: str | None = None) -> dict[str, Any]:
    """The metrics of a function that learnt two boxes, as a run completes them."""
    program = lower(Does(lambda _, x: function(x)).double()).detach()
    level_set = extract_level_set(program, DOMAIN)
    metrics = evaluate(two_boxes(units), DOMAIN, program, level_set, 0).metrics
    advice = advise(metrics, "normal", 500_000)
    return metrics | {"shape": "boxes", "certificate": None, "seconds": {}, "advice": advice}


def first_line(metrics: dict[str, Any]) -> str:
    """The first line of the table, on a page wide enough."""
    text = StringIO()
    Console(file=text, width=250).print(format_metrics(metrics))
    return " ".join(text.getvalue().splitlines()[4].replace("│", " ").split())


def test_a_mesh_that_is_its_shape_has_no_differences() -> None:
    found = evaluated(lambda x: torch.minimum(LARGE(x), SMALL(x)))
    assert found["differences"] == []
    assert found["comparison"]["reference"]["extent"] == pytest.approx((2, 1, 1))
    assert (found["comparison"]["mesh"]["n_components"], found["comparison"]["mesh"]["volume"]) == (
        2,
        pytest.approx(1.008),
    )
    assert found["hausdorff_sampled"] < 1e-6
    assert first_line(found).startswith("faithful to the shape yes same topology, nowhere farther than ")


def test_a_lost_part_is_in_the_first_line_with_what_to_turn() -> None:
    found = evaluated(LARGE)
    assert [difference["kind"] for difference in found["differences"]] == ["COMPONENTS", "DISTANCE"]
    assert found["comparison"]["lost"] == {"share": pytest.approx(0.04, abs=0.01), "n_components": 1}
    line = first_line(found)
    assert line.startswith(
        "faithful to the shape no 1 component where the shape has 2; the shape is up to 1 from the mesh"
    )
    assert line.endswith("50 % of its longest side: quality=high, or data.n_samples=1000000")


def test_the_first_line_names_the_unit_where_it_is_known() -> None:
    assert "the shape is up to 1 mm from the mesh, 50 %" in first_line(evaluated(LARGE, "mm"))


def test_where_walls_cut_the_surface_a_larger_domain_is_advised() -> None:
    cut = box((0.2, 0.225, 0.225), (-0.35, 0, 0))
    line = first_line(evaluated(lambda x: torch.minimum(cut(x), SMALL(x))))
    assert line.startswith("faithful to the shape no open where the shape is closed")
    assert line.endswith(": domain.half_width=0.6, or quality=high, or data.n_samples=1000000")


def test_distances_are_in_both_units() -> None:
    found = evaluated(LARGE)
    for ours, yours in (("shape_to_mesh", "from_reference"), ("mesh_to_shape", "to_reference")):
        for name, length in found[ours].items():
            assert found["comparison"][yours][name] == pytest.approx(length / 0.45)
    assert found["shape_to_mesh"]["max"] == pytest.approx(0.45)


def test_specks_are_told_with_samples_first() -> None:
    speck = box((0.002, 0.002, 0.002), (0.2, 0.3, 0.1))
    found = evaluated(lambda x: torch.minimum(torch.minimum(LARGE(x), SMALL(x)), speck(x)))
    line = first_line(found)
    assert line.startswith("faithful to the shape no 3 components where the shape has 2 (1 speck, 0.0")
    assert line.endswith("data.n_samples=1000000, or quality=high")


def test_an_empty_level_set_is_said() -> None:
    found = evaluated(lambda x: LARGE(x) + 1)
    assert "comparison" not in found
    assert first_line(found).startswith("level set empty")


@pytest.mark.parametrize(
    ("quality", "words"),
    [
        ("draft", "quality=normal"),
        (None, "model=grid"),
        ("high", "quality=ultra"),
        ("ultra", "model.levels"),
    ],
)
def test_the_next_finer_quality_is_advised(quality: str | None, words: str) -> None:
    assert words in finer_grid(quality)


def plate() -> Shape:
    """A plate of 1 x 1 x 0.02, in the user's units; 0.018 thick in the domain."""
    return load_shape("plate", lambda: trimesh.creation.box((1, 1, 0.02)))


def test_thin_walls_are_said_before_training(caplog: pytest.LogCaptureFixture) -> None:
    coarse, fine = (GridMLP(3, levels, 1, 4) for levels in ((4, 8, 16), (8, 64)))
    found = warn_of_thin_parts(plate(), coarse, "draft")
    assert found is not None
    assert found["thinnest_walls"] == pytest.approx(16 * 0.018, abs=1e-3)
    (said,) = caplog.messages
    assert said.startswith("shape plate: walls of 0.29 cells: ")
    assert said.endswith("it takes 56 cells an axis, not 16; quality=normal is finer")
    caplog.clear()
    assert warn_of_thin_parts(plate(), fine, "normal") is not None
    assert warn_of_thin_parts(plate(), torch.nn.Linear(3, 1), "normal") is None
    assert not caplog.messages


def test_a_repaired_shape_is_compared_with_what_was_read_too() -> None:
    """A box whose lid is missing and invented: 1 / 6 of what is learnt, up to a unit from what was read."""
    cube = trimesh.creation.box()
    cube.update_faces(cube.face_normals[:, 2] < 0.5)
    shape = load_shape("cup", lambda: cube, repair="lenient")
    program = lower(Does(lambda _, x: box((0.45, 0.45, 0.45), (0, 0, 0))(x)).double()).detach()
    level_set = extract_level_set(program, DOMAIN)
    metrics = evaluate(shape, DOMAIN, program, level_set, 0).metrics
    assert metrics["differences"] == []
    assert metrics["original"]["to_reference"]["max"] == pytest.approx(0.5, abs=0.01)
    assert metrics["original"]["invented"]["share"] == pytest.approx(1 / 6, abs=0.02)
    assert metrics["original"]["from_reference"]["max"] < 1e-6
    change = metrics["repair"]["change"]
    assert change["invented"]["share"] == pytest.approx(1 / 6, abs=0.02)
    facts = {"shape": "cup", "certificate": None, "seconds": {}, "advice": ""}
    text = StringIO()
    Console(file=text, width=250).print(format_metrics(metrics | facts))
    assert "1 opening closed" in text.getvalue()
    assert "mesh to what was read" in text.getvalue()
