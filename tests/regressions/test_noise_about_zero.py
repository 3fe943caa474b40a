"""Rounding noise on creases that coincide gave vertices of one face signs at random, and tore the complex."""

import pytest
import torch

from creased import MLP, Box, extract_complex, extract_level_set


def _degenerate(kind: str, seed: int) -> MLP:
    torch.manual_seed(seed)
    network = MLP(3, 6, 2).double()
    with torch.no_grad():
        for layer in (network[0], network[2]):
            factor = -1 if kind == "negated" else 1
            if kind in ("duplicate", "negated"):
                layer.weight[1], layer.bias[1] = factor * layer.weight[0], factor * layer.bias[0]
            elif kind == "zero bias":
                layer.bias.zero_()
            else:
                layer.weight.copy_((16 * layer.weight).round() / 16)
                layer.bias.copy_((16 * layer.bias).round() / 16)
    return network


@pytest.mark.parametrize("kind", ["duplicate", "negated", "quantised", "zero bias"])
def test_degenerate_networks_do_not_tear(kind: str) -> None:
    for seed in range(10):
        network, box = _degenerate(kind, seed), Box.cube(3, 1.0)
        complex_ = extract_complex(network, box, level=0.05)
        surface = extract_level_set(network, box, 0.05)
        assert complex_.n_inconsistent == 0
        assert complex_.euler_characteristic() == 1
        assert surface.n_inconsistent == 0
        assert surface.audit().is_oriented
