"""Whatever takes a program takes a network and a slice; other kinds of things are refused in words."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import creased
from creased import tropical

BOX, POINT = creased.Box.cube(2, 1.0), torch.tensor([0.25, -0.5], dtype=torch.float64)
MORE: dict[str, tuple[Any, ...]] = {  # arguments after the first
    "compress": (BOX,),
    "compress_stable": (BOX, None),
    "convex_parts": (BOX,),
    "count_cells": (BOX,),
    "distance_to_level": (BOX, POINT),
    "distance_to_other_class": (BOX, POINT),
    "equal": (None, BOX),
    "exact_distance": (BOX, (0, 0), 2),
    "extract_complex": (BOX,),
    "extract_level_set": (BOX,),
    "integrate": (BOX,),
    "local_complexity": (torch.zeros(1, 2, dtype=torch.float64), 0.5),
    "local_lipschitz": ((0.0, 0.0), 0.5),
    "slice_program": ([0.0, 0.0], [[1.0], [0.0]]),
    "slice_through": ([1.0, 0.0], [0.0, 1.0]),
    "stable_units": (BOX,),
    "stream_complex": (BOX,),
    "stream_level_set": (BOX, "mesh.ply"),
    "tetrahedra": (BOX,),
}


def _functions_of_programs() -> list[tuple[str, Callable[..., Any]]]:
    found = [("from_program", tropical.TropicalRational.from_program)]
    for package in (tropical, creased):
        for name in package.__all__:
            call = getattr(package, name)
            if inspect.isfunction(call) and name != "lower":
                first = next(iter(inspect.signature(call).parameters.values()), None)
                if first is not None and (
                    "Program" in str(first.annotation) or "Network" in str(first.annotation)
                ):
                    found.append((name, call))
    return found


FUNCTIONS = _functions_of_programs()
TRIED_BELOW = ("compress_stable", "equal", "stream_level_set")


def _network(*, in_dim: int = 2, out_dim: int = 1) -> nn.Sequential:
    torch.manual_seed(4)
    return nn.Sequential(nn.Linear(in_dim, 4), nn.ReLU(), nn.Linear(4, out_dim)).double()


def test_there_are_functions_of_programs() -> None:
    assert len(FUNCTIONS) > 30
    assert set(MORE) <= {name for name, _ in FUNCTIONS}


@pytest.mark.parametrize(("name", "call"), FUNCTIONS)
@pytest.mark.parametrize("given", ["net.onnx", None, nn.Linear], ids=["path", "nothing", "class"])
def test_all_else_is_refused_in_words(name: str, call: Callable[..., Any], given: Any) -> None:
    with pytest.raises(
        TypeError, match=r"needs a program or a torch.nn.Module, got (a str|a NoneType|the class Linear)"
    ):
        call(given, *MORE.get(name, ()))


@pytest.mark.parametrize(("name", "call"), [entry for entry in FUNCTIONS if entry[0] not in TRIED_BELOW])
def test_a_network_is_its_program(name: str, call: Callable[..., Any]) -> None:
    network = _network(out_dim=2 if name == "distance_to_other_class" else 1)
    of_network, of_program = (
        call(each, *MORE.get(name, ())) for each in (network, creased.lower(network).detach())
    )
    if inspect.isgenerator(of_network):
        of_network, of_program = list(of_network), list(of_program)
    assert repr(of_network) == repr(of_program)


def test_both_of_two_are_taken() -> None:
    network = _network()
    assert tropical.equal(network, creased.lower(network), BOX).is_equal
    assert not tropical.equal(network, nn.Linear(2, 1).double(), BOX).is_equal
    with pytest.raises(TypeError, match="two programs or two tropical rational maps"):
        tropical.equal(network, tropical.TropicalRational.from_program(creased.lower(network)))


def test_stable_units_of_a_network_compress_it() -> None:
    network = _network()
    stable = tropical.stable_units(network, BOX)
    smaller, certificate = tropical.compress_stable(network, BOX, stable)
    assert repr((smaller, certificate)) == repr(tropical.compress(network, BOX, method="linear"))


def test_a_network_is_streamed(tmp_path: Path) -> None:
    network = _network(in_dim=3)
    box, level = creased.Box.cube(3, 1.0), network(torch.zeros(1, 3).double()).item()
    for name, given in (("a.ply", network), ("b.ply", creased.lower(network).detach())):
        creased.stream_level_set(given, box, tmp_path / name, level)
    assert (tmp_path / "a.ply").read_bytes() == (tmp_path / "b.ply").read_bytes()


def test_a_slice_is_the_program_of_its_coordinates() -> None:
    part = creased.slice_program(_network(in_dim=3), [0.0, 0.0, 0.5], [[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    for call in (tropical.count, creased.betti_numbers, creased.extract_level_set, creased.lipschitz):
        assert repr(call(part, BOX)) == repr(call(part.program, BOX))
    assert "upper bound" in tropical.distance_to_level(part, BOX, POINT).status
    with pytest.raises(ValueError, match="not orthonormal"):
        tropical.exact_distance(part, BOX, (0, 0), 2)


def test_a_last_activation_is_no_affine_piece() -> None:
    with pytest.raises(ValueError, match=r"count: the network is tanh.*give creased.lower\(network\)"):
        tropical.count(nn.Sequential(_network(), nn.Tanh()), BOX)


def _first_refusal(call: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises((TypeError, ValueError)) as refused:
        call(*arguments)
    return str(refused.value)


@pytest.mark.parametrize(
    "name", ["count", "cells", "f_vector", "covectors", "stable_units", "compress", "linear_regions"]
)
@pytest.mark.parametrize("domain", [1.0, [-1.0, 1.0], "box"])
def test_a_domain_is_one(name: str, domain: Any) -> None:
    call = getattr(tropical, name)
    said = _first_refusal(lambda: list(call(_network(), domain)))
    assert (
        f"a domain is a Box, a Polytope, a Simplex or the WholeSpace, got a {type(domain).__name__}" in said
    )


@pytest.mark.parametrize(
    ("call", "needed"),
    [
        (tropical.newton_polytope, "TropicalPolynomial"),
        (tropical.dual_subdivision, "TropicalPolynomial"),
        (tropical.decision_boundary, "TropicalRational"),
        (tropical.count_vertices, "Zonotope"),
        (creased.find_regions, "PolyhedralComplex"),
        (lambda network: creased.save(network, "mesh.ply"), "LevelSet"),
        (lambda network: creased.certify(network, network), "complex or a level set"),
    ],
)
def test_objects_are_refused_by_what_is_needed(call: Callable[..., Any], needed: str) -> None:
    said = _first_refusal(call, _network())
    assert f"needs a {needed}" in said
    assert "Sequential" in said


@pytest.mark.parametrize("kind", [list, tuple, np.array, np.float32, torch.tensor])
def test_points_are_of_any_kind(kind: Callable[..., Any]) -> None:
    network, place = _network(), [0.25, -0.5]
    point = np.array(place, np.float32) if kind is np.float32 else kind(place)
    expected = tropical.distance_to_level(network, BOX, POINT)
    assert tropical.distance_to_level(network, BOX, point).value == expected.value
    assert tropical.exact_distance(network, BOX, point, 2) == tropical.exact_distance(network, BOX, place, 2)
    points = [point] if isinstance(point, list | tuple) else point[None]
    complexities = [repr(tropical.local_complexity(network, each, 0.5)) for each in ([place], points)]
    assert complexities[0] == complexities[1]


@pytest.mark.parametrize(
    ("call", "out_dim"), [(tropical.distance_to_level, 1), (tropical.distance_to_other_class, 2)]
)
def test_points_are_numbers(call: Callable[..., Any], out_dim: int) -> None:
    with pytest.raises(TypeError, match="needs points"):
        call(_network(out_dim=out_dim), BOX, "origin")


@pytest.mark.parametrize("level", [float("inf"), float("nan"), "zero", None])
def test_levels_of_exact_distances_are_finite(level: Any) -> None:
    with pytest.raises(ValueError, match="point and level must be finite numbers"):
        tropical.exact_distance(_network(), BOX, (0, 0), 2, level=level)
