"""Results do not depend on what surrounds a call, are ordinary tensors, and inputs are left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import creased
from creased import MLP, Box, GridMLP, LevelSet, WholeSpace, geometry, lower
from creased.tropical import stable_units


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def _default_device() -> Iterator[None]:
    torch.set_default_device("meta")  # holds nothing: what is made there by mistake fails
    try:
        yield
    finally:
        torch.set_default_device(None)


SURROUNDINGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "float64": lambda: _default_dtype(torch.float64),
    "bfloat16": lambda: _default_dtype(torch.bfloat16),
    "default device": _default_device,
    "inference mode": torch.inference_mode,
    "no grad": torch.no_grad,
}


@cache
def _networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    grid = GridMLP(in_dim=3, levels=(2, 4), features=2, width=6, depth=1, half_width=0.5)
    with torch.no_grad():
        for table in grid.grid.tables:
            table.copy_(torch.randn_like(table) / 10)
    leaky = [
        nn.Linear(2, 8),
        nn.LeakyReLU(0.1),
        nn.Linear(8, 6),
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.Linear(6, 1),
    ]
    level_zero = MLP(3, 10, 3)
    with torch.no_grad():
        last = list(level_zero.modules())[-1]
        assert isinstance(last, nn.Linear)
        last.bias -= level_zero(torch.zeros(1, 3))[0]
    return {"plain": level_zero, "leaky": nn.Sequential(*leaky).eval(), "grid": grid}


@cache
def _surface() -> LevelSet:
    return creased.extract_level_set(_networks()["plain"], Box.cube(3, 1.0))


def _regularized(name: str) -> list[Any]:
    plain = _networks()["plain"]
    with torch.inference_mode(mode=False), torch.enable_grad():
        torch.manual_seed(1)
        term = getattr(geometry, name)()(_surface(), lower(plain))
        with torch.autocast("cpu", enabled=False):
            gradients = torch.autograd.grad(term, list(plain.parameters()), allow_unused=True)
    return [term.detach(), *(g for g in gradients if g is not None)]


CALLS: dict[str, Callable[[], Any]] = {
    "complex": lambda: creased.extract_complex(_networks()["plain"], Box.cube(3, 1.0)),
    "subdivide": lambda: creased.extract_level_set(
        _networks()["plain"], Box.cube(3, 1.0), method="subdivide"
    ),
    "march": lambda: creased.extract_level_set(
        _networks()["plain"], Box.cube(3, 1.0), method="march", complete=True
    ),
    "exact": lambda: creased.extract_level_set(_networks()["leaky"], Box.cube(2, 1.0), exact=True),
    "contract": lambda: creased.extract_complex(
        _networks()["leaky"], Box.cube(2, 1.0), degeneracy="contract"
    ),
    "whole space": lambda: creased.extract_complex(_networks()["plain"], WholeSpace(3)),
    "grid": lambda: creased.extract_level_set(_networks()["grid"], None),
    "grid complex": lambda: creased.extract_complex(_networks()["grid"], None),
    "certificate": lambda: str(creased.certify(_surface(), _networks()["plain"])),
    "count": lambda: creased.count_cells(_networks()["plain"], Box.cube(3, 1.0)),
    "pieces": lambda: list(creased.stream_complex(_networks()["plain"], Box.cube(3, 1.0))),
    "parts": lambda: creased.parallel.extract_complex_in_parts(
        _networks()["leaky"], Box.cube(2, 1.0), n_parts=2
    ),
    "regions": lambda: creased.find_regions(creased.extract_complex(_networks()["plain"], Box.cube(3, 1.0))),
    "audit": lambda: str(_surface().audit()),
    "slice": lambda: creased.slice_program(
        lower(_networks()["plain"]), [0.0] * 3, [[1.0, 0], [0, 1.0], [0, 0]]
    ),
    "stable units": lambda: stable_units(lower(_networks()["leaky"]).detach(), Box.cube(2, 1.0)),
    "vertices": lambda: geometry.implicit_vertices(_surface(), lower(_networks()["plain"])).detach(),
    "edge length": lambda: _regularized("EdgeLength"),
    "mean curvature": lambda: _regularized("MeanCurvature"),
}


def leaves(value: Any) -> list[Any]:
    """Tensors, numbers and strings in nested records."""
    if is_dataclass(value):
        return [leaf for field in fields(value) for leaf in leaves(getattr(value, field.name))]
    if isinstance(value, tuple | list):
        return [leaf for part in value for leaf in leaves(part)]
    return [value] if isinstance(value, Tensor | int | float | str) else []


@cache
def _expected(name: str) -> list[Any]:
    return leaves(CALLS[name]())


def _require_same(found: list[Any], expected: list[Any]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        if isinstance(other, Tensor):
            torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
        else:
            assert one == other


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_results_do_not_depend_on_surroundings(name: str, surroundings: str) -> None:
    expected = _expected(name)
    with SURROUNDINGS[surroundings]():
        found = leaves(CALLS[name]())
    _require_same(found, expected)


@pytest.mark.parametrize("name", CALLS)
def test_results_are_ordinary_tensors_and_inputs_are_left_alone(name: str) -> None:
    tensors = [t for network in _networks().values() for t in (*network.parameters(), *network.buffers())]
    before = [(tensor.clone(), tensor._version) for tensor in tensors]
    for leaf in leaves(CALLS[name]()):
        assert not isinstance(leaf, Tensor) or not leaf.is_inference()
    for tensor, (value, version) in zip(tensors, before, strict=True):
        assert torch.equal(tensor, value)
        assert tensor._version == version


def test_signs_decided_in_rationals_leave_ordinary_vertices() -> None:
    faces = nn.Linear(3, 6).double()
    with torch.no_grad():
        faces.weight.copy_(torch.cat([torch.eye(3), -torch.eye(3)]))
        faces.bias.zero_()
    last = nn.Linear(6, 1).double()
    with torch.no_grad():
        last.weight.fill_(1)
        last.bias.fill_(-0.5)
    octahedron = nn.Sequential(faces, nn.ReLU(), last)
    surface = creased.extract_level_set(octahedron, Box.cube(3, 1.0), exact=True)
    octahedron(surface.vertices).sum().backward()
    assert faces.weight.grad is not None


def test_two_threads_at_once_give_what_one_gives() -> None:
    names = ["complex", "march", "exact", "grid", "vertices"] * 2
    expected = [_expected(name) for name in names]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda name: leaves(CALLS[name]()), names))
    for one, other in zip(found, expected, strict=True):
        _require_same(one, other)


def _count() -> list[int]:
    return list(creased.count_cells(_networks()["plain"], Box.cube(3, 1.0)))


def test_a_fork_gives_what_its_parent_gives() -> None:
    expected = _count()
    with get_context("fork").Pool(1) as pool:
        assert pool.apply_async(_count).get(timeout=60) == expected
