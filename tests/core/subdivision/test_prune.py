"""Pruning drops nothing of the level set, and what it drops is proven not to meet it."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from creased import MLP, Box, extract_level_set
from creased.core.subdivision import prune
from tests.invariants import check_same


def _network(dim: int, width: int, depth: int, seed: int, activation: type = torch.nn.ReLU) -> MLP:
    torch.manual_seed(seed)
    network = MLP(dim, width, depth, activation=activation).double()
    with torch.no_grad():  # a level set that is met: the median of the values
        network[-1].bias -= network(torch.rand(200, dim, dtype=torch.float64) * 2 - 1).median()
    return network


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
    check_same(extract_level_set(network, box, prune=True), extract_level_set(network, box, prune=False))


def test_pruning_within_a_block_changes_nothing(monkeypatch) -> None:  # noqa: ANN001
    monkeypatch.setattr(prune, "FEWEST", 50)
    monkeypatch.setattr(prune, "GROWTH", 1.3)
    for dim, width in ((2, 40), (3, 20)):
        network = _network(dim, width, 2, seed=3)
        box = Box.cube(dim, 1.0)
        check_same(extract_level_set(network, box, prune=True), extract_level_set(network, box, prune=False))


def test_pruning_does_prune(monkeypatch) -> None:  # noqa: ANN001
    shares = []
    find_kept = prune.Pruner._find_kept

    def watched(self: prune.Pruner, *arguments: object) -> torch.Tensor:
        kept = find_kept(self, *arguments)
        shares.append(float(kept.double().mean()))
        return kept

    monkeypatch.setattr(prune.Pruner, "_find_kept", watched)
    extract_level_set(_network(3, 16, 4, seed=0), Box.cube(3, 1.0), prune=True)
    assert all(share < 0.7 for share in shares[1:])
