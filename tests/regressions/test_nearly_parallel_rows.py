"""Neurons that repeat others up to rounding: where two of them meet, interpolation was far off.

Found by the fuzz test: signs were decided in rationals and right, but a vertex was 0.1 from its place, so
that the function did not vanish on its level set.
"""

import torch
from torch import nn

from creased import Box, Program, certify, extract_complex, extract_level_set, lower
from tests.invariants import check_vertices


def repeating(seed: int) -> Program:
    """LeakyReLU, then ReLU: each crease twice, the second time with slopes that were rounded."""
    torch.manual_seed(seed)
    first, last = nn.Linear(2, 5), nn.Linear(5, 1)
    network = nn.Sequential(first, nn.LeakyReLU(0.2), nn.ReLU(), last)
    with torch.no_grad():
        last.bias -= network(torch.full((1, 2), 0.3))[0]
    return lower(network.double()).detach()


def test_vertices_that_took_rationals_are_where_these_put_them() -> None:
    n_rational = 0
    for seed in range(8):
        program, box = repeating(seed), Box([-0.7, -0.7], [1.3, 1.3])
        complex_ = extract_complex(program, box, exact=True)
        certificate = certify(complex_, program)
        assert certificate.is_certified
        check_vertices(complex_, program)
        surface = extract_level_set(program, box, exact=True)
        assert float(surface.residual.max()) < 1e-14
        n_rational += certificate.n_rational
    assert n_rational > 100
