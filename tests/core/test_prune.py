"""Pruning drops nothing of the level set, and what it drops is proven not to meet it."""

from functools import partial

import torch
from hypothesis import given
from hypothesis import strategies as st

from creased import MLP, Box, LevelSet, Program, extract_level_set, lower
from creased.core import prune
from creased.core.bounds import advance_maps, excludes_zero, prepare_tail


def _network(dim: int, width: int, depth: int, seed: int, activation: type = torch.nn.ReLU) -> MLP:
    torch.manual_seed(seed)
    network = MLP(dim, width, depth, activation=activation).double()
    with torch.no_grad():  # a level set that is met: the median of the values
        network[-1].bias -= network(torch.rand(200, dim, dtype=torch.float64) * 2 - 1).median()
    return network


def _vertices(level_set: LevelSet) -> list[tuple[int, ...]]:
    return sorted(map(tuple, level_set.zero_ids.tolist()))


def _assert_same(pruned: LevelSet, whole: LevelSet) -> None:
    assert _vertices(pruned) == _vertices(whole)
    assert pruned.edges.shape == whole.edges.shape
    assert pruned.polygons.n == whole.polygons.n
    assert pruned.n_torn == whole.n_torn


@given(
    dim=st.integers(1, 4),
    width=st.integers(2, 12),
    depth=st.integers(1, 4),
    seed=st.integers(0, 10**6),
    activation=st.sampled_from([torch.nn.ReLU, torch.nn.LeakyReLU]),
)
def test_pruned_equals_unpruned(dim: int, width: int, depth: int, seed: int, activation: type) -> None:
    width = width if dim < 4 else min(width, 5)
    network = _network(dim, width, depth, seed, activation)
    box = Box.cube(dim, 1.0)
    _assert_same(extract_level_set(network, box, prune=True), extract_level_set(network, box, prune=False))


def test_pruning_within_a_block_changes_nothing(monkeypatch) -> None:  # noqa: ANN001
    monkeypatch.setattr(prune, "FEWEST", 50)
    monkeypatch.setattr(prune, "GROWTH", 1.3)
    for dim, width in ((2, 40), (3, 20)):
        network = _network(dim, width, 2, seed=3)
        box = Box.cube(dim, 1.0)
        _assert_same(
            extract_level_set(network, box, prune=True), extract_level_set(network, box, prune=False)
        )


def test_pruning_does_prune(monkeypatch) -> None:  # noqa: ANN001
    histories = []
    after_block = prune.Pruner.after_block

    def watched(self: prune.Pruner, *arguments: object) -> torch.Tensor:
        state = after_block(self, *arguments)
        histories.append(self.history)
        return state

    monkeypatch.setattr(prune.Pruner, "after_block", watched)
    extract_level_set(_network(3, 16, 4, seed=0), Box.cube(3, 1.0), prune=True)
    assert all(after < 0.7 * before for _, before, after in histories[-1][1:])


@given(dim=st.integers(1, 3), width=st.integers(2, 10), depth=st.integers(1, 4), seed=st.integers(0, 999))
def test_only_cells_without_a_zero_are_excluded(dim: int, width: int, depth: int, seed: int) -> None:
    program = lower(_network(dim, width, depth, seed)).detach()
    n_cells, n_corners = 50, dim + 2
    uniform = partial(torch.rand, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    centre, size = 2 * uniform((n_cells, 1, dim)) - 1, uniform((n_cells, 1, 1)) / 2
    corners = centre + size * (uniform((n_cells, n_corners, dim)) - 0.5)
    tail = prepare_tail(program, 0, torch.full((dim,), 2.0, dtype=torch.float64))
    identity = torch.cat([torch.eye(dim), torch.zeros(1, dim)]).double().expand(n_cells, -1, -1)
    side = program(corners)[:, 0, 0].sign()
    excluded = excludes_zero(tail, identity, torch.nn.functional.pad(corners, (0, 1), value=1), side)
    weights = uniform((n_cells, 300, n_corners))
    inside = (weights / weights.sum(-1, keepdim=True)) @ corners
    values = program(inside)[:, :, 0] * side[:, None]
    assert bool((values[excluded] > 0).all())


def test_small_cells_away_from_zero_are_excluded() -> None:
    program = lower(_network(3, 12, 4, seed=1)).detach()
    points = torch.rand((200, 3), dtype=torch.float64) * 2 - 1
    values = program(points)[:, 0]
    corners = points[:, None] + 1e-4 * torch.eye(3, dtype=torch.float64)
    far = values.abs() > 0.05
    tail = prepare_tail(program, 0, torch.ones(3, dtype=torch.float64))
    identity = torch.cat([torch.eye(3), torch.zeros(1, 3)]).double().expand(200, -1, -1)
    excluded = excludes_zero(tail, identity, torch.nn.functional.pad(corners, (0, 1), value=1), values.sign())
    assert bool(far.any())
    assert bool(excluded[far].all())


def test_maps_of_cells_are_those_of_the_network() -> None:
    program: Program = lower(_network(2, 6, 2, seed=4, activation=torch.nn.LeakyReLU)).detach()
    points = torch.rand((40, 2), dtype=torch.float64)
    maps = torch.cat([torch.eye(2), torch.zeros(1, 2)]).double().expand(40, -1, -1)
    state = points
    for block in program.blocks:
        z = block.affine(state)
        maps = advance_maps(block, maps, (z > 0).double())
        state = block.advance(state, torch.relu(z))
    homogeneous = torch.nn.functional.pad(points, (0, 1), value=1)
    torch.testing.assert_close((homogeneous[:, None] @ maps)[:, 0], state)
