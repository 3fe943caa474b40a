"""Figures show every cell once, and say in their texts what it is; what does not fit a page is refused."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import creased
from creased import Box, tropical
from creased.tropical import TropicalPolynomial
from tests.browser import Browser, find_chromium
from tests.viewer.nets import tiny_program, tiny_surface

pytest.importorskip("plotly")

SQUARE, CUBE = Box.cube(2, 1.0), Box.cube(3, 1.0)
FOLD = TropicalPolynomial([(1, 0), (0, 1), (0, 0)], [0, 0, Fraction(1, 3)])


def _named(drawn: Any, name: str) -> Any:
    return next(trace for trace in drawn.data if trace.name == name)


def _filled(drawn: Any) -> list[Any]:
    return [trace for trace in drawn.data if trace.fill == "toself"]


def test_a_complex_in_the_plane_is_filled_region_by_region_with_its_affine_map() -> None:
    program = tiny_program(2)
    found = creased.extract_complex(program, SQUARE, level=None)
    drawn = creased.figure(found, program=program)
    regions = _filled(drawn)
    assert len(regions) == found.f_vector()[2]
    areas = [0.5 * abs(np.dot(t.x, np.roll(t.y, 1)) - np.dot(t.y, np.roll(t.x, 1))) for t in regions]
    assert sum(areas) == pytest.approx(4)
    maps = creased.find_regions(found).maps(program)[:, :, 0].tolist()
    for number, (trace, (a, b, c)) in enumerate(zip(regions, maps, strict=True)):
        assert trace.text.startswith(f"region {number}<br>layer 1: ")
        assert trace.text.endswith("f = " + creased.core.formatting.format_affine((a, b), c))
    middle = _named(drawn, "layer 2"), [t for t in drawn.data if t.name == "layer 2"][1]
    assert middle[1].text[0].startswith("layer 2, neuron ")
    assert middle[1].marker.color == middle[0].line.color
    assert not any("f = " in trace.text for trace in _filled(creased.figure(found)))


def test_signs_in_texts_are_those_of_the_region() -> None:
    found = creased.extract_complex(tiny_program(2), SQUARE, level=None)
    signs = creased.find_regions(found).sign_vectors()[:, found.layout.n_walls :]
    words = ["".join("+" if s > 0 else "-" for s in row) for row in signs.tolist()]
    texts = [trace.text.split("<br>")[1:3] for trace in _filled(creased.figure(found))]
    assert [a.removeprefix("layer 1: ") + b.removeprefix("layer 2: ") for a, b in texts] == words


def test_a_complex_in_space_has_all_its_edges_and_regions() -> None:
    program = tiny_program()
    found = creased.extract_complex(program, CUBE)
    drawn = creased.figure(found, program=program)
    lines = [trace for trace in drawn.data if trace.mode == "lines"]
    assert sum(int(np.isnan(line.x).sum()) for line in lines) == found.f_vector()[1]
    dots = _named(drawn, "regions")
    assert len(dots.x) == found.f_vector()[3]
    assert all("f = " in text for text in dots.text)
    assert {"wall of the domain", "layer 1", "layer 2", "output"} == {line.name for line in lines}


def test_a_graph_joins_neighbours_by_the_neuron_between_them() -> None:
    graph = creased.region_graph(tiny_program(2), SQUARE)
    drawn = creased.figure(graph)
    line, unseen = (trace for trace in drawn.data if trace.name == "neighbours")
    assert int(np.isnan(line.x).sum()) == len(unseen.text) == len(graph.pairs)
    (a, b), row = graph.pairs[0].tolist(), int(graph.rows[0]) - graph.regions.layout.n_walls
    layer, neuron = divmod(row, 10)
    assert unseen.text[0] == f"regions {a} and {b}<br>layer {layer + 1}, neuron {neuron}"
    dots = _named(drawn, "regions")
    at = graph.at(torch.tensor(np.stack([dots.x, dots.y], axis=1)))
    assert at.tolist() == list(range(graph.n))
    in_space = creased.figure(creased.region_graph(tiny_program(), CUBE))
    assert _named(in_space, "layer 1").visible == "legendonly"


def test_faces_of_a_level_set_have_the_gradient_of_their_region() -> None:
    program = tiny_program()
    surface, level = tiny_surface(program)
    solid = creased.figure(surface, program=program).data[0]
    slopes = creased.geometry.polygon_gradients(surface, program)
    start = int(surface.polygons.offsets[1])
    number = creased.core.formatting.format_number(float(slopes[1, 0]))
    assert f"f = {number}x" in solid.hovertext[start]
    assert solid.hovertext[start].startswith(f"face 1, {int(surface.polygons.sizes[1])} corners")
    assert level == surface.level


def test_a_curve_is_beside_its_dual_subdivision() -> None:
    for shown in (FOLD, tropical.dual_subdivision(FOLD)):
        drawn = creased.figure(shown)
        left = [t for t in _filled(drawn) if t.xaxis != "x2"]
        right = [t for t in _filled(drawn) if t.xaxis == "x2"]
        assert [trace.text for trace in left] == ["monomial 1: 1/3", "monomial 2: y", "monomial 3: x"]
        assert [trace.text for trace in right] == ["dual to vertex (1/3, 1/3)<br>monomials 1, 2, 3"]
        assert sorted(zip(_named(drawn, "monomials").x, _named(drawn, "monomials").y, strict=True)) == [
            (0, 0),
            (0, 1),
            (1, 0),
        ]


def test_edges_of_a_zonotope_are_parallel_to_their_neuron() -> None:
    zonotope = tropical.Zonotope(
        tuple(tuple(map(Fraction, g)) for g in [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 2)]), 3
    )
    drawn = creased.figure(zonotope)
    edges = _named(drawn, "edges")
    ends = np.stack([edges.x, edges.y, edges.z], axis=1).reshape(-1, 3, 3)
    assert len(ends) == 12  # of a box
    words = {(1, 0, 0): "neuron 0", (0, 1, 0): "neuron 1", (0, 0, 3): "neuron 2, neuron 3"}
    for segment, text in zip(ends, edges.text[::3], strict=True):
        assert words[tuple(np.abs(segment[1] - segment[0]).astype(int).tolist())] == text
    assert len(_named(drawn, "upper vertices").x) == len(zonotope.upper_vertices())


def test_a_fan_has_a_dot_for_each_cone_and_a_trace_for_each_labeling() -> None:
    fan = tropical.classification_fan([(0, 0), (1, 0), (0, 1)], 1, 1)
    figure = creased.figure(fan)
    assert figure.layout.scene.xaxis.title.text == "principal axis 1"
    lines, *labelings = figure.data
    assert [trace.name for trace in labelings][:2] == ["+++: 1 cone", "++-: 1 cone"]
    assert len(labelings) == 8
    assert int(np.isnan(lines.x).sum()) == 12  # the polytope of two terms on three points is a cube
    assert labelings[1].text == ("labeling ++-<br>largest terms 0, 0, 1",)


def test_a_persistence_diagram_puts_what_never_dies_on_top() -> None:
    diagram = creased.persistence(tiny_program(2), SQUARE)
    drawn = creased.figure(diagram)
    n_shown = sum(len(trace.x) for trace in drawn.data if trace.mode == "markers")
    assert n_shown == len(diagram)
    top = _named(drawn, "infinity").y[0]
    dots = _named(drawn, f"H0: {len(diagram.of_dim(0))}")
    assert dots.y[0] == top > max(dots.x)
    assert dots.text[0].startswith("H0: [")
    assert "inf)<br>born at (" in dots.text[0]


def test_what_cannot_be_drawn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    program = tiny_program(2)
    found = creased.extract_complex(program, SQUARE)
    with pytest.raises(TypeError, match=r"draws LevelSet, PolyhedralComplex, .*, got Box"):
        creased.figure(SQUARE)
    with pytest.raises(ValueError, match="got it with TropicalPolynomial"):
        creased.figure(FOLD, program=program)
    with pytest.raises(ValueError, match=r"has layers \(10, 10\), the program \(3,\)"):
        creased.figure(found, program=creased.MLP(2, 3, 1))
    with pytest.raises(ValueError, match="the complex is unbounded"):
        creased.figure(creased.extract_complex(program, creased.WholeSpace(2)))
    with pytest.raises(ValueError, match="in 2 and 3 dimensions, got D = 4"):
        creased.figure(creased.extract_complex(tiny_program(4), Box.cube(4, 0.1)))
    monkeypatch.setattr("creased.viewer.figures.complexes.MOST_POLYGONS", 5)
    n = found.f_vector()[2]
    with pytest.raises(ValueError, match=f"figure: {n} regions, more than the 5 that .*: take a smaller box"):
        creased.figure(found)


def test_beyond_a_size_faces_have_no_texts_and_the_title_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("creased.viewer.figures.surfaces.MOST_TEXTS", 2)
    surface, _ = tiny_surface(tiny_program())
    drawn = creased.figure(surface)
    assert drawn.data[0].hovertext is None
    assert "no texts, for over 2 faces" in drawn.layout.title.text


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="no browser")
def test_hovering_over_a_region_shows_its_text(tmp_path: Path) -> None:
    import time

    program = creased.lower(creased.MLP(2, 1, 1).double()).detach()
    drawn = creased.figure(creased.extract_complex(program, SQUARE, level=None), program=program)
    (tmp_path / "page.html").write_text(drawn.to_html(include_plotlyjs=True))
    with Browser((tmp_path / "page.html").as_uri(), tmp_path / "browser", (700, 600)) as browser:
        text = "[...document.querySelectorAll('.hoverlayer text')].map(t => t.textContent).join()"
        for step in range(40):
            browser._ask("Input.dispatchMouseEvent", type="mouseMoved", x=200 + step % 5, y=150)
            time.sleep(0.5)
            shown = browser._ask("Runtime.evaluate", expression=text)["result"].get("value", "")
            if shown:
                break
        assert shown.startswith("region ")
        assert "f = " in shown
