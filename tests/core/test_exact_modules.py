"""Cells of modules against rational enumeration of the modules themselves, whatever lowering multiplies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch
from torch import nn

from creased import Box, certify, extract_complex, extract_level_set
from creased.networks import GroupSort
from tests.exact_modules import Larger, Residual, stages_of
from tests.oracles import Stage, affine_of, true_cells
from tests.slow import slow

WIDTH = 2


def _batch_norm() -> nn.BatchNorm1d:
    module = nn.BatchNorm1d(WIDTH)
    module.running_var.fill_(float(torch.rand(())) + 0.5)  # one scale: parallel rows stay parallel
    module.running_mean.copy_(torch.randint(-1, 2, (WIDTH,)))
    return module


def _residual() -> nn.Module:
    return Residual(nn.Sequential(nn.Linear(WIDTH, 2), nn.LeakyReLU(0.1), nn.Linear(2, WIDTH)))


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "leaky 0.01": lambda: nn.LeakyReLU(0.01),
    "leaky 0.1": lambda: nn.LeakyReLU(0.1),
    "leaky 0.25": lambda: nn.LeakyReLU(0.25),
    "leaky 0.999999": lambda: nn.LeakyReLU(0.999999),
    "prelu": lambda: nn.PReLU(init=0.3),
    "hardtanh": lambda: nn.Hardtanh(-0.3, 0.7),
    "group sort": lambda: GroupSort(2),
    "batch norm": lambda: nn.Sequential(_batch_norm(), nn.ReLU()),
    "batch norm, leaky": lambda: nn.Sequential(_batch_norm(), nn.LeakyReLU(0.1)),
    "residual": _residual,
    "two linear layers": lambda: nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU()),
}


@torch.no_grad()
def degenerate(kind: str, dim: int, seed: int) -> nn.Sequential:
    """A small network with rows that are multiples of one another, zero biases, weights of few numbers."""
    torch.manual_seed(seed)
    if kind == "maxout":
        module = nn.Sequential(Larger(dim, 2), Larger(2, 1), nn.Linear(1, 1))
    else:
        make = ACTIVATIONS[kind]
        layers = (nn.Linear(dim, WIDTH), make(), nn.Linear(WIDTH, WIDTH), make(), nn.Linear(WIDTH, 1))
        module = nn.Sequential(*layers)
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.copy_(torch.randint(-3, 4, layer.weight.shape))
            layer.bias.copy_(torch.randint(-1, 2, layer.bias.shape) * (seed % 2) / 4)
            if len(layer.weight) > 1:
                layer.weight[-1] = 3 * layer.weight[0]
                layer.bias[-1] = 3 * layer.bias[0]
    return module.double().eval()


CASES = [
    (slow if dim > 3 or seed > 1 else pytest.param)(kind, dim, seed)
    for kind in (*ACTIVATIONS, "maxout")
    for dim, seeds in ((1, 2), (2, 4), (3, 2), (4, 1), (5, 1))
    for seed in range(seeds)
]


@pytest.mark.parametrize(("kind", "dim", "seed"), CASES)
def test_contracted_cells_are_those_of_the_module(kind: str, dim: int, seed: int) -> None:
    module, box = degenerate(kind, dim, seed), Box([-1.0] * dim, [1.5] * dim)
    *inner, _ = stages_of(module, dim)
    outputs = Stage(affine_of(module[-1]), lambda state, rows, signs: tuple(rows))
    cells = true_cells([*inner, outputs], box.lower, box.upper)
    found = extract_complex(module, box, degeneracy="contract")
    expected = Counter(cell.dim for cell in cells)
    assert found.true is not None
    assert found.true.f_vector() == tuple(expected[k] for k in range(dim + 1))
    on_level = Counter(cell.dim for cell in cells if cell.signs[-1] == 0)
    assert found.true.on_row(found.layout.n_rows - 1) == tuple(on_level[k] for k in range(dim + 1))
    assert certify(extract_complex(module, box, exact=True), module).is_certified
    certificate = certify(extract_level_set(module, box, exact=True), module)
    assert certificate.is_certified, str(certificate)
