"""The dual graph: regions at points, neighbours, ways, distances, and networkx's view of the same."""

from __future__ import annotations

import math

import networkx
import pytest
import torch
from torch import Tensor

from creased import (
    MLP,
    Affine,
    Block,
    Box,
    CellLimitError,
    GridMLP,
    Program,
    RegionGraph,
    betti_numbers,
    extract_complex,
    extract_level_set,
    integrate,
    lipschitz,
    lower,
    region_graph,
)
from creased.tropical import linear_regions
from tests.tropical.nets import arrangement, named


@pytest.fixture(scope="module")
def graph() -> RegionGraph:
    torch.manual_seed(0)
    return region_graph(MLP(in_dim=3, width=9, depth=2).double(), Box.cube(3, 1))


def points_in(n: int, dim: int, half_width: float) -> Tensor:
    return (2 * torch.rand(n, dim, dtype=torch.float64) - 1) * half_width


def assert_right_at(graph: RegionGraph, points: Tensor) -> None:
    """Signs and affine maps of the regions are those of the network at the points."""
    at = graph.at(points)
    maps, layout = graph.maps[at], graph.regions.layout
    values = (maps[:, :-1] * points[:, :, None]).sum(1) + maps[:, -1]
    torch.testing.assert_close(values, graph.program(points))
    signs = graph.regions.sign_vectors()[at][:, layout.n_walls : layout.first_output]
    assert torch.equal(signs > 0, graph.program.preactivations(points)[:, : layout.n_neurons] >= 0)


def test_points_are_in_the_region_of_their_signs(graph: RegionGraph) -> None:
    assert_right_at(graph, points_in(500, 3, 1))
    outside = torch.tensor([[1.5, 0, 0], [0, 0, -2]], dtype=torch.float64)
    assert graph.at(outside).tolist() == [-1, -1]
    with pytest.raises(ValueError, match=r"\(\.\.\., 3\)"):
        graph.at(torch.zeros(2))


def test_points_may_be_lists_arrays_or_of_any_shape(graph: RegionGraph) -> None:
    points = points_in(12, 3, 1)
    expected = graph.at(points)
    assert torch.equal(graph.at(points.view(3, 4, 3)), expected.view(3, 4))
    assert torch.equal(graph.at(points.tolist()), expected)
    assert torch.equal(graph.at(points.numpy()), expected)
    single = graph.at(points[0].tolist())
    assert (single.shape, int(single)) == ((), int(expected[0]))
    assert torch.equal(graph.neighbours(single), graph.neighbours(int(single)))
    assert torch.equal(graph.hops(single), graph.hops(int(single)))
    assert graph.path(points[0].tolist(), points[1].numpy()).rows == graph.path(points[0], points[1]).rows


def test_numbers_that_are_none_are_refused_by_the_name_of_the_call(graph: RegionGraph) -> None:
    for call in (graph.neighbours, graph.hops):
        for region in (-1, graph.n):
            with pytest.raises(ValueError, match=f"{call.__name__}: regions are 0 to {graph.n - 1}"):
                call(region)
        with pytest.raises(TypeError, match="integer"):
            call(1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rows are 0 to 23, got 24"):
        graph.name_row(24)
    with pytest.raises(ValueError, match="path: needs finite points"):
        graph.path([math.nan, 0, 0], [0, 0, 0])


def test_the_size_is_said_before_the_work_and_a_limit_refuses_with_numbers() -> None:
    network, said = MLP(in_dim=3, width=24, depth=2), list[str]()
    graph = region_graph(network, Box.cube(3, 1), progress=said.append)
    assert said == [f"{graph.n:,} regions, {len(graph.complex.vertices):,} vertices"]
    with pytest.raises(CellLimitError, match=r"region_graph: .* MB"):
        region_graph(network, Box.cube(3, 1), memory=1_000_000)


def test_domains_and_networks_that_are_none_are_refused_by_their_type() -> None:
    network = MLP(in_dim=2, width=4, depth=1)
    for call in (region_graph, integrate, lipschitz, betti_numbers, extract_complex, extract_level_set):
        with pytest.raises(TypeError, match=r"a domain is a Box.* got a list"):
            call(network, [[-1, -1], [1, 1]])  # type: ignore[operator]
        with pytest.raises(TypeError, match=r"torch\.nn\.Module, got a str"):
            call("network", Box.cube(2, 1))  # type: ignore[operator]


def test_on_a_grid_and_in_all_of_space() -> None:
    torch.manual_seed(0)
    grid = region_graph(GridMLP(in_dim=3, levels=(2, 4), features=2, width=6, depth=1).double())
    assert_right_at(grid, points_in(300, 3, 0.5))
    torch.testing.assert_close(grid.volumes.sum(), torch.tensor(1.0, dtype=torch.float64))
    everywhere = region_graph(MLP(in_dim=2, width=6, depth=2).double())
    assert_right_at(everywhere, points_in(300, 2, 30))
    assert bool(everywhere.volumes.isinf().any())
    assert bool((everywhere.volumes > 0).all())


def test_points_on_creases_and_in_networks_with_duplicates_have_a_region() -> None:
    program = arrangement([[1, 0, 0], [1, 0, 0], [-1, 0, 0], [0, 1, 0]])
    graph = region_graph(program, Box.cube(2, 1))
    points = torch.tensor([[0, 0], [0, 0.5], [-0.5, 0], [0.3, 0.3]], dtype=torch.float64)
    at = graph.at(points)
    maps = graph.maps[at]
    values = (maps[:, :-1] * points[:, :, None]).sum(1) + maps[:, -1]
    torch.testing.assert_close(values, program(points))
    torch.testing.assert_close(graph.volumes.sum(), torch.tensor(4.0, dtype=torch.float64))
    assert int((graph.volumes > 1e-9).sum()) == linear_regions(program, Box.cube(2, 1))


def test_networkx_has_the_same_graph_with_what_is_known(graph: RegionGraph) -> None:
    found = graph.to_networkx()
    assert found.number_of_nodes() == graph.n
    assert found.number_of_edges() == len(graph.pairs)
    assert [found.degree(region) for region in range(graph.n)] == graph.degrees().tolist()
    assert networkx.diameter(found) == graph.diameter
    lengths = networkx.single_source_shortest_path_length(found, 5)
    assert [lengths[region] for region in range(graph.n)] == graph.hops(5).tolist()
    assert networkx.degree_histogram(found) == graph.degree_distribution().tolist()
    assert sorted(found.neighbors(7)) == graph.neighbours(7).tolist()
    assert sum(found.nodes[region]["volume"] for region in found) == pytest.approx(8)
    for first, second, data in found.edges(data=True):
        signs, others = found.nodes[first]["signs"], found.nodes[second]["signs"]
        assert [row for row, (a, b) in enumerate(zip(signs, others, strict=True)) if a != b] == [data["row"]]
        layer, number = data["neuron"]
        assert data["row"] == 6 + 9 * layer + number
        assert data["name"] == f"layer {layer + 1}, neuron {number}"


def test_a_path_passes_the_regions_of_the_points_between(graph: RegionGraph) -> None:
    start, end = points_in(2, 3, 1)
    path = graph.path(start, end)
    shares = torch.linspace(0, 1, 5001, dtype=torch.float64)[:, None]
    seen = graph.at(start + shares * (end - start))
    seen = seen[torch.cat([torch.tensor([True]), seen[1:] != seen[:-1]])]
    assert path.regions.tolist() == seen.tolist()
    assert path.n_crossings == len(path.regions) - 1
    edges = {(a, b): row for (a, b), row in zip(graph.pairs.tolist(), graph.rows.tolist(), strict=True)}
    for first, second, rows in zip(path.regions[:-1], path.regions[1:], path.rows, strict=True):
        assert rows == (edges[min(int(first), int(second)), max(int(first), int(second))],)
    at_rows = graph.program.preactivations(path.points)
    on_crease = at_rows[torch.arange(len(path.rows)), torch.tensor([row - 6 for (row,) in path.rows])]
    torch.testing.assert_close(on_crease, torch.zeros_like(on_crease))
    assert str(path).splitlines()[0] == f"region {int(path.regions[0])}"
    assert "across layer" in str(path)


def test_a_path_across_many_creases_at_once_names_them_all() -> None:
    graph = region_graph(arrangement([[1, 0, 0], [0, 1, 0], [1, 1, 0]]), Box.cube(2, 1))
    path = graph.path(torch.tensor([-0.5, -0.5]), torch.tensor([0.5, 0.5]))
    assert path.rows == ((4, 5, 6),)
    torch.testing.assert_close(path.shares, torch.tensor([0.5], dtype=torch.float64))
    with pytest.raises(ValueError, match="outside"):
        graph.path(torch.zeros(2), torch.full((2,), 3.0))
    with pytest.raises(ValueError, match="different"):
        graph.path(torch.zeros(2), torch.zeros(2))


def test_a_path_along_a_crease_does_not_cross_it() -> None:
    others = [[1.0, 0.0, -number / 7] for number in range(-6, 7)]
    graph = region_graph(arrangement([[1.0, -3.0, 0.0], *others]), Box.cube(2, 3))
    path = graph.path([-3, -1], [3, 1])  # x = 3 y, which rounding leaves between the others
    assert path.rows == tuple((row,) for row in range(5, 5 + len(others)))
    assert bool((graph.regions.sign_vectors()[path.regions, 4] > 0).all())


def test_outputs_cut_where_a_level_is_given() -> None:
    graph = region_graph(arrangement([[1, 0, 0], [0, 1, 0]]), Box.cube(2, 2), level=1.0)
    assert graph.n == 4 + 3  # max(x, 0) + max(y, 0) = 1 is in three quadrants
    names = {graph.name_row(row) for row in graph.rows.tolist()}
    assert "output 0" in names
    assert graph.name_row(1) == "wall 1"
    assert graph.name_row(-3) == "a plane of the grid"


def test_chains_and_squares_have_known_diameters() -> None:
    lines = [[1.0, -float(x)] for x in range(1, 8)]
    assert region_graph(arrangement(lines), Box([0.0], [9.0])).diameter == 7
    eye = torch.eye(3, dtype=torch.float64)
    cube = Program((Block(Affine(eye, torch.zeros(3, dtype=torch.float64))),), Affine(eye[:1], eye[0, :1]))
    graph = region_graph(cube, Box.cube(3, 1))
    assert (graph.n, graph.diameter, graph.degree_distribution().tolist()) == (8, 3, [0, 0, 0, 8])


def test_what_is_not_looked_at_is_refused_with_what_to_do() -> None:
    flat = lower(torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU(), torch.nn.Linear(1, 1)))
    with pytest.raises(ValueError, match=r"creased\.essential"):
        region_graph(flat)
    assert math.isinf(float(region_graph(named("L1")).volumes.max()))
