"""Random graphs of supported layers: programs agree with their modules, and extraction with brute force."""

from __future__ import annotations

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from creased import Box, extract_complex, extract_level_set, find_regions, lower
from tests.invariants import check_edges, check_faces, check_stubs, check_vertices
from tests.modules import points
from tests.networks.graphs import Graph, graphs

DOUBT = 1e-9  # values of rows that rounding may have made


@settings(max_examples=4 * settings.default.max_examples)
@given(graph=graphs(dim=3, n_nodes=14))
def test_programs_have_the_values_and_gradients_of_their_modules(graph: Graph) -> None:
    program, x = lower(graph, input_shape=(3,)), points(64, 3)
    torch.testing.assert_close(program(x), graph(x), rtol=1e-10, atol=1e-10)
    rows = program.preactivations(x)[:, : program.n_neurons]
    x = x[(rows.abs() > DOUBT).all(dim=1)]  # on a crease there are several gradients
    assume(x.shape[0] > 0)
    parameters = list(graph.parameters())
    again = lower(graph, input_shape=(3,), check=False)
    gradients = [torch.autograd.grad(f(x).sum(), parameters, allow_unused=True) for f in (again, graph)]
    for ours, theirs in zip(*gradients, strict=True):
        zero = torch.zeros(1, dtype=torch.float64)
        ours, theirs = (zero if g is None else g for g in (ours, theirs))
        torch.testing.assert_close(ours, theirs.expand_as(ours), rtol=1e-6, atol=1e-8)


@given(graph=graphs(dim=2, n_nodes=8, widest=3), half_width=st.sampled_from([1.0, 3.0]))
def test_every_sign_pattern_of_a_fine_grid_is_a_region(graph: Graph, half_width: float) -> None:
    program, box = lower(graph, input_shape=(2,)).detach(), Box.cube(2, half_width)
    assume(program.n_neurons <= 40)
    complex_ = extract_complex(program, box)
    check_edges(complex_)
    check_stubs(complex_)
    check_faces(complex_)
    check_vertices(complex_, program)
    assert complex_.euler_characteristic() == 1
    axis = torch.linspace(-half_width, half_width, 61, dtype=torch.float64) * 0.999
    values = program.preactivations(torch.cartesian_prod(axis, axis))
    signs = torch.where(values.abs() > DOUBT, values.sign(), 0).unique(dim=0)
    regions = find_regions(complex_).sign_vectors()[:, 4:]
    for pattern in signs.to(regions.dtype):
        assert bool(((regions == pattern) | (pattern == 0)).all(dim=1).any()), (
            "a cell of the grid is no region"
        )


@given(graph=graphs(dim=3, n_nodes=6, widest=3))
def test_both_methods_find_one_level_set(graph: Graph) -> None:
    program, box = lower(graph, input_shape=(3,)).detach(), Box.cube(3, 1.5)
    assume(program.n_neurons <= 30)
    grid = torch.cartesian_prod(*[torch.linspace(-1.5, 1.5, 9, dtype=torch.float64)] * 3)
    low, high = program(grid).aminmax()
    level = float(0.4 * low + 0.6 * high)
    assume(float(high - low) > 0.01)
    cut, pruned, walked = (
        extract_level_set(program, box, level, **options)
        for options in ({"prune": False}, {"prune": True}, {"method": "march", "complete": True})
    )
    assert walked.is_complete
    for other in (pruned, walked):
        assert other.vertices.shape == cut.vertices.shape
        assert other.edges.shape == cut.edges.shape
        assert other.polygons.n == cut.polygons.n
        torch.testing.assert_close(
            other.vertices[_order(other.vertices)], cut.vertices[_order(cut.vertices)], rtol=0, atol=1e-7
        )
    assert float(cut.residual.max()) < 1e-10
    assert cut.audit().is_oriented


def _order(vertices: torch.Tensor) -> torch.Tensor:
    return (vertices @ torch.tensor([1.0, 3.1, 9.7], dtype=torch.float64)).argsort()
