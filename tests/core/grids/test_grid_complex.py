"""Complexes of networks on a grid: counts of an independent enumeration, and what holds for any of them."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import creased
from creased import DegenerateError
from creased.networks.models.grid_mlp import GridFeatures

ORACLES = Path(__file__).parents[4] / "shared" / "oracles" / "encoded_cells.json"
# Counted by hand: a grid of one cube whose features are zero has the cells of its triangulation
SQUARE, CUBE = (4, 5, 2), (8, 19, 18, 6)


def _rational(rows: list[list[str]]) -> Tensor:
    return torch.tensor([[float(Fraction(x)) for x in row] for row in rows], dtype=torch.float64)


def network_of(case: dict[str, Any]) -> nn.Module:
    """The network of a case of the oracle."""
    grid = GridFeatures(
        case["dim"], case["levels"], case["features"], case["log2_table"], float(Fraction(case["half_width"]))
    ).double()
    layers: list[nn.Module] = [grid]
    with torch.no_grad():
        for table, rows in zip(grid.tables, case["tables"], strict=True):
            table.copy_(_rational(rows))
        for layer in case["layers"]:
            weight, bias = _rational(layer["weight"]), _rational([layer["bias"]])[0]
            linear = nn.Linear(weight.shape[1], weight.shape[0]).double()
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
            layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def random_on_grid(dim: int, levels: tuple[int, ...], seed: int) -> creased.Program:
    """A network with hidden layers of 4 and 3 neurons and random features."""
    torch.manual_seed(seed)
    network = creased.GridMLP(dim, levels, features=2, width=(4, 3)).double()
    for table in network.grid.tables:
        nn.init.normal_(table)
    return creased.lower(network).detach()


@pytest.mark.skipif(not ORACLES.exists(), reason="counts that are not part of the project")
def test_networks_of_integers_have_the_cells_of_an_independent_enumeration() -> None:
    for name, case in json.loads(ORACLES.read_text()).items():
        program = creased.lower(network_of(case)).detach()
        for zero_sign in (1, -1):
            found = creased.extract_complex(program, degeneracy="contract", zero_sign=zero_sign)
            assert list(found.f_vector()) == case["cells"], name
            assert found.true is not None
            assert (
                list(found.true.on_row(found.layout.n_rows - 1)[: case["dim"] + 1]) == case["zero_cells"]
            ), name


@pytest.mark.parametrize(("dim", "counts"), [(2, SQUARE), (3, CUBE)])
def test_features_of_zero_leave_the_triangulation(dim: int, counts: tuple[int, ...]) -> None:
    network = creased.GridMLP(dim, (1,), features=1, width=2).double()
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    nn.init.ones_(network.mlp[0].bias)  # the neurons are constant
    program = creased.lower(network).detach()
    found = creased.extract_complex(program, level=0.5)
    assert found.f_vector() == counts
    assert creased.extract_complex(program, level=0.5, degeneracy="contract").f_vector() == counts


@pytest.mark.parametrize(("dim", "levels"), [(2, (1, 2, 4)), (3, (1, 2)), (3, (3,))])
def test_generic_networks_have_the_same_cells_perturbed_and_exactly(
    dim: int, levels: tuple[int, ...]
) -> None:
    program = random_on_grid(dim, levels, seed=dim)
    level = float(program(torch.full((1, dim), 0.037).double()))
    found = creased.extract_complex(program, level=level)
    exact = creased.extract_complex(program, level=level, degeneracy="contract")
    assert found.n_inconsistent == 0
    assert found.f_vector() == exact.f_vector()
    assert sum((-1) ** k * n for k, n in enumerate(found.f_vector())) == 1
    assert (len(found.vertices), len(found.edges)) == found.f_vector()[:2]


def test_a_smaller_domain_is_contractible_too() -> None:
    program = random_on_grid(3, (1, 2), seed=5)
    for domain in (
        creased.Box((-0.3, -0.25, -0.4), (0.3, 0.5, 0.1)),
        creased.Simplex([[-0.4, -0.4, -0.4], [0.4, -0.3, -0.2], [-0.2, 0.45, -0.1], [0.0, 0.0, 0.45]]),
    ):
        found = creased.extract_complex(program, domain)
        assert sum((-1) ** k * n for k, n in enumerate(found.f_vector())) == 1
        walls = domain.halfspaces(torch.float64, torch.device("cpu"))
        assert float((found.vertices @ walls[:-1] + walls[-1]).min()) > -1e-9


def test_sign_vectors_leave_planes_of_the_grid_out() -> None:
    program = random_on_grid(2, (1, 2), seed=1)
    found = creased.extract_complex(program)
    signs = found.sign_vectors()
    assert signs.shape == (len(found.vertices), found.layout.n_rows)
    assert torch.equal((signs == 0).sum(1), (found.zero_ids >= 0).sum(1))
    output, is_off = program.outputs_at(found.vertices)[:, 0], signs[:, -1] != 0
    assert torch.equal(output[is_off].sign().to(torch.int8), signs[is_off, -1])


def test_degenerate_points_are_an_error_on_request() -> None:
    generic = random_on_grid(2, (2,), seed=1)
    creased.extract_complex(generic, level=0.123, degeneracy="error")
    network = creased.GridMLP(2, (2,), features=1, width=2).double()
    first = network.mlp[0]
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))  # creases on planes of the grid
        first.bias.zero_()
    with pytest.raises(DegenerateError, match="rows vanish"):
        creased.extract_complex(creased.lower(network).detach(), level=0.123, degeneracy="error")


def test_what_does_not_fit_in_memory_is_said() -> None:
    program = random_on_grid(3, (1, 2, 4), seed=3)
    found = creased.extract_complex(program, memory=200_000)
    assert not found.is_whole
    assert "more than" in found.status


def test_numbers_of_cells_do_not_depend_on_batches() -> None:
    program = random_on_grid(3, (1, 2), seed=2)
    counts = {creased.extract_complex(program, at_once=n).f_vector() for n in (40, 400, 100_000)}
    counts |= {creased.count_cells(program, at_once=n) for n in (40, 100_000)}
    assert len(counts) == 1
    assert all(a > 0 for a, _ in pairwise(counts.pop()))


@pytest.mark.parametrize(("dim", "levels"), [(2, (1, 2, 4)), (3, (1, 2)), (3, (3,))])
def test_pieces_have_each_cell_once(dim: int, levels: tuple[int, ...]) -> None:
    program = random_on_grid(dim, levels, seed=3)
    for domain in (None, creased.Box((-0.3,) * dim, (0.2,) * dim)):
        whole = creased.extract_complex(program, domain)
        pieces = list(creased.stream_complex(program, domain, at_once=100))
        assert len(pieces) > 2
        assert all(piece.is_piece for piece in pieces)
        f_vectors = torch.tensor([piece.f_vector() for piece in pieces])
        assert f_vectors.sum(0).tolist() == list(whole.f_vector())
        assert creased.count_cells(program, domain) == whole.f_vector()
        points = torch.cat([piece.vertices[piece.is_own_vertex()] for piece in pieces])
        assert _rounded(points) == _rounded(whole.vertices)
        middles = [piece.vertices[piece.edges[piece.is_own_edge()].long()].mean(1) for piece in pieces]
        assert _rounded(torch.cat(middles)) == _rounded(whole.vertices[whole.edges.long()].mean(1))


def _rounded(points: Tensor) -> list[list[float]]:
    return sorted(((points * 1e9).round() + 0.0).tolist())


def test_more_neurons_than_a_word_has_bits() -> None:
    torch.manual_seed(0)
    network = creased.GridMLP(2, (2, 4), features=2, width=70).double()
    for table in network.grid.tables:
        nn.init.normal_(table)
    found = creased.extract_complex(network)
    assert found.euler_characteristic() == 1
    assert creased.count_cells(network) == found.f_vector()
    assert creased.find_regions(found).n == found.f_vector()[-1]


def test_a_complex_that_memory_cannot_hold_is_refused_before(monkeypatch: pytest.MonkeyPatch) -> None:
    program = random_on_grid(3, (1, 16), seed=3)
    monkeypatch.setattr("creased.core.numerics.memory.free_bytes", lambda device: 10_000_000)
    with pytest.raises(ValueError, match=r"16 cubes an axis has 24,576 simplices.* MB or more"):
        creased.extract_complex(program)
    assert not creased.extract_complex(program, memory=10_000_000).is_whole
