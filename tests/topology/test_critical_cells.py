"""Persistence slab by slab: the same as of the whole box, on degenerate networks too."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from creased import Box, GridMLP, PersistenceDiagram, Program, lower, persistence
from creased.core.grids.slabs import slabs_of
from creased.topology.critical_cells import CriticalCellsBySlab
from creased.topology.persistence import Classes, Filtration
from creased.topology.problem import TopologyOptions, make_problem
from creased.topology.sublevel_filtration import filtered_slabs
from tests.slow import but_few

BOXES = {"cube": None, "planes": 0.25, "off planes": 0.4}  # half widths


@pytest.fixture
def thin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slabs of one layer of cubes."""
    monkeypatch.setattr("creased.topology.sublevel_filtration.slabs_of", partial(slabs_of, n_cubes=1))


def on_grid(dim: int, kind: str) -> Program:
    """A network whose features are normal, small integers, or mostly zero."""
    torch.manual_seed(3)
    network = GridMLP(
        in_dim=dim, levels=(2, 4) if dim == 2 else (1, 2), features=2, width=3, depth=1
    ).double()
    with torch.no_grad():
        for tensor in network.parameters() if kind != "normal" else network.grid.tables:
            tensor.normal_()
            if kind == "integer":
                tensor.copy_((2 * tensor).round())
            elif kind == "sparse":
                tensor.mul_(torch.rand_like(tensor) < 0.3)
    return lower(network)


def sides(program: Program, box: Box | None) -> list[Classes]:
    problem = make_problem(program, box, 0.0, TopologyOptions())
    return Filtration(problem).classes([1, -1], 2)


def rows(diagram: PersistenceDiagram) -> torch.Tensor:
    return torch.tensor(sorted(map(tuple, diagram)), dtype=torch.float64)


@pytest.mark.parametrize("half_width", BOXES.values(), ids=BOXES)
@pytest.mark.parametrize("kind", but_few(["integer", "normal", "sparse"], 1))
@pytest.mark.parametrize("dim", [2, 3])
def test_slabs_give_the_diagram_and_the_betti_numbers_of_the_whole(
    dim: int, kind: str, half_width: float | None, request: pytest.FixtureRequest
) -> None:
    program, box = on_grid(dim, kind), None if half_width is None else Box.cube(dim, half_width)
    whole, at_once = persistence(program, box), sides(program, box)
    request.getfixturevalue("thin")
    torch.testing.assert_close(rows(persistence(program, box)), rows(whole))
    for mine, theirs in zip(sides(program, box), at_once, strict=True):
        for is_closed in (False, True):
            numbers = mine.betti_numbers(is_closed=is_closed)
            assert numbers == theirs.betti_numbers(is_closed=is_closed)


@pytest.mark.usefixtures("thin")
def test_cells_between_slabs_are_counted_once() -> None:
    program, said = on_grid(3, "normal"), list[str]()
    box = Box.cube(3, 0.5)
    slabs = list(filtered_slabs(make_problem(program, box, 0.0, TopologyOptions(progress=said.append))))
    assert len(slabs) == 2
    assert slabs[0].lower is None
    assert slabs[1].upper is None
    between = slabs[0].upper
    assert between is not None
    assert slabs[1].lower is not None
    assert between.is_same(slabs[1].lower)
    assert between.cells.euler_characteristic == 1
    n = slabs[0].cells.n + slabs[1].cells.n - between.cells.n
    assert len(said) == 2
    assert said[0].startswith("2 slabs of a grid of 2 cubes an axis")
    assert said[1].startswith(f"{n:,} cells")


@pytest.mark.usefixtures("thin")
def test_slabs_that_do_not_fit_are_refused() -> None:
    problem = make_problem(on_grid(3, "normal"), None, 0.0, TopologyOptions())
    first, second = filtered_slabs(problem)
    assert second.lower is not None
    torn = replace(second, lower=second.lower._replace(names=second.lower.names + 1))
    finder = CriticalCellsBySlab(1, 2)
    finder.add(first)
    with pytest.raises(ArithmeticError, match="between slabs"):
        finder.add(torn)
