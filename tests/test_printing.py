"""Objects print as what they are, in a line or a few; none prints tensors or fractions by their fields."""

import inspect
import re
from dataclasses import is_dataclass
from fractions import Fraction
from importlib import import_module
from typing import Any

import pytest
import torch

import creased
from creased import Box, Simplex, WholeSpace, tropical
from creased.tropical import TropicalPolynomial, TropicalRational

PACKAGES = (
    "creased",
    "creased.drawing",
    "creased.geometry",
    "creased.regions",
    "creased.topology",
    "creased.tropical",
)
RAW = re.compile(r"Tensor|NDArray|Point|Fraction|Affine|Program|Rational")  # types of fields that need words
SQUARE = Box.cube(2, 1)
FOLD = TropicalPolynomial([(1, 0), (0, 1), (0, 0)], [0, 0, Fraction(1, 3)])


def _records() -> list[type]:
    found = {
        entry
        for package in map(import_module, PACKAGES)
        for name in package.__all__
        if isinstance(entry := getattr(package, name), type)
        and (is_dataclass(entry) or hasattr(entry, "_fields"))
    }
    return sorted(found, key=lambda record: record.__qualname__)


@pytest.mark.parametrize("record", _records(), ids=lambda record: record.__qualname__)
def test_no_record_of_tensors_prints_them(record: type) -> None:
    types = " ".join(map(str, inspect.get_annotations(record).values()))
    if RAW.search(types.replace("hanin_rolnick: Fraction", "")) and record.__name__ != "RegionBounds":
        assert "__create_fn__" not in record.__repr__.__qualname__
        assert record.__repr__.__code__.co_filename == inspect.getfile(record)


def _program(dim: int = 2, depth: int = 2) -> creased.Program:
    torch.manual_seed(0)
    return creased.lower(creased.MLP(dim, 5, depth).double()).detach()


def _complex(**keywords: Any) -> creased.PolyhedralComplex:
    return creased.extract_complex(_program(), SQUARE, **keywords)


def test_a_polynomial_is_a_maximum() -> None:
    assert repr(FOLD) == "max(1/3, y, x)"
    assert FOLD._repr_latex_() == r"$\displaystyle \max\left(\frac{1}{3},\, y,\, x\right)$"
    many = TropicalPolynomial([(i, i * i) for i in range(18)], [0] * 18)
    assert str(many) == "max(0, x + y, 2x + 4y, 3x + 9y, 4x + 16y, 5x + 25y, ... 12 more)"


def test_a_rational_is_a_difference() -> None:
    both = TropicalRational(FOLD, TropicalPolynomial([(1, -1)], [2]), SQUARE)
    assert str(both) == "max(1/3, y, x) - max(x - y + 2) in [-1, 1]^2"
    assert both._repr_latex_().count(r"\max") == 2


def test_a_program_is_its_layers() -> None:
    program = _program()
    assert repr(program) == "program R^2 -> 5 relu -> 5 relu -> R, float64"
    assert r"\xrightarrow{\text{5 relu}} \mathbb{R}^{5} \to \mathbb{R}$" in program._repr_latex_()
    assert str(_program(depth=20)).endswith("5 relu -> ... 8 more -> R, float64")
    grid = creased.lower(creased.GridMLP(2, levels=(4, 8), width=6))
    assert str(grid) == "program R^2 -> grid of 4, 8 cubes an axis, state of 10 -> 6 relu -> R, float32"
    assert r"\xrightarrow{\text{grid}} \mathbb{R}^{10}" in grid._repr_latex_()


def test_a_complex_is_its_f_vector_and_where_it_is_from() -> None:
    found = _complex()
    assert f"complex in [-1, 1]^2: f-vector {found.f_vector()}; complete in the domain" in str(found)
    assert "f-vector (37, 63, 27) unperturbed" in str(_complex(degeneracy="contract"))
    (piece, *_) = creased.stream_complex(_program(), SQUARE, at_once=4)
    assert str(piece).startswith("piece of a complex in [-1, 1]^2: f-vector")


def test_of_a_large_complex_no_cells_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _complex()
    monkeypatch.setattr("creased.core.complexes.complex.MOST_KEYS", 100)
    assert "37 vertices, 63 edges (f_vector() counts the others)" in str(found)


def test_a_level_set_says_its_level_its_cells_and_its_status() -> None:
    program = _program(3)
    level = program(torch.zeros(1, 3).double()).item()
    found = creased.extract_level_set(program, Box.cube(3, 1), level)
    counts = f"{len(found.vertices)} vertices, {len(found.edges)} edges, {found.polygons.n} polygons"
    assert f"in [-1, 1]^3: {counts} of 3 to" in str(found)
    assert str(found).endswith(found.status)
    assert "f = 9 in [-1, 1]^3: empty" in str(creased.extract_level_set(program, Box.cube(3, 1), 9.0))


def test_a_fan_is_its_labelings() -> None:
    fan = tropical.classification_fan([(0, 0), (1, 0), (0, 1)], 1, 1)
    listed = "+++ 1, ++- 1, +-+ 1, +-- 1, -++ 1, -+- 1, ... 2 more"
    assert str(fan) == f"classification fan of 3 points, 1 + 1 terms: 8 cones, 8 labelings: {listed}"
    assert fan == {signs: fan[signs] for signs in fan}


def test_domains_are_sets() -> None:
    assert str(SQUARE) == "[-1, 1]^2"
    assert str(Box([0.0, -2], [1.0, 2])) == "[0, 1] x [-2, 2]"
    assert str(Box([0.0], [1.0])) == "[0, 1]"
    assert str(WholeSpace(3)) == "R^3"
    assert str(Simplex([[0, 0], [1, 0], [0, 1]])) == "the simplex of (0, 0), (1, 0), (0, 1)"


def test_the_results_of_a_plane_network_print_no_arrays() -> None:
    program, square = _program(), SQUARE
    graph = creased.region_graph(program, square)
    shallow = creased.lower(creased.MLP(2, 9, 1)).detach()
    one = torch.ones(2).double() / 2
    found = [
        graph,
        graph.regions,
        graph.regions.halfspaces(graph.program),
        graph.path(-one, one),
        creased.integrate(program, square, exact=True),
        creased.lipschitz(program, square),
        creased.persistence(program, square),
        creased.certify(graph.complex, program),
        creased.essential(program),
        creased.slice_program(program, torch.zeros(2), torch.eye(2)[:, :1]),
        tropical.zonotope_of_layer(shallow),
        tropical.dual_subdivision(FOLD),
        *tropical.decision_boundary(TropicalRational(FOLD, TropicalPolynomial([(1, 1)], [0])), square),
        next(tropical.cells(program, square)),
        tropical.local_complexity(program, one[None], 0.1),
        tropical.stable_units(program, square),
        tropical.compress(program, square)[1],
        tropical.distance_to_level(program, square, one, level=float(program(one[None])) + 0.01),
        tropical.exact_distance(program, square, (0, 0), 1, level=Fraction(1, 4)),
        tropical.equal(FOLD_MAP, SHIFTED, square),
    ]
    for entry in found:
        assert repr(entry) == str(entry)
        assert not re.search(r"tensor\(|Fraction\(|array\(", str(entry)), type(entry)
        assert len(str(entry)) < 700, type(entry)


FOLD_MAP = TropicalRational(FOLD, TropicalPolynomial([(0, 0)], [0]))
SHIFTED = TropicalRational(FOLD, TropicalPolynomial([(0, 0)], [1]))


def test_one_thing_is_in_the_singular() -> None:
    line, edge = torch.nn.Linear(2, 1), TropicalPolynomial([(1, 0), (0, 1)], [0, 0])
    assert str(creased.persistence(line, SQUARE)).startswith("persistence of sublevel sets, 1 class\n")
    assert str(creased.lipschitz(line, SQUARE)).endswith("; 1 region")
    assert str(tropical.dual_subdivision(edge)).endswith(": 0 full-dimensional cells, 1 edge, 2 points")


def test_functions_that_differ_are_told_by_a_point() -> None:
    found = tropical.equal(FOLD_MAP, SHIFTED, SQUARE)
    assert re.fullmatch(r"not equal, as at \(\S+, \S+\)", str(found))
