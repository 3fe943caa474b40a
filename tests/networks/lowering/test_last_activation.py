"""Last activations that are monotone are taken off; what does more than move or scale them refuses them."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import creased
from creased.core.complexes.polygons import area_vectors
from creased.io.checkpoint import Record, write_record
from creased.io.similarity import Similarity
from creased.networks import lower_with_last
from creased.networks.lowering.last_activation import MONOTONE, LastActivation
from tests.modules import Does


def layers(n: int = 2) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, n)).double()


LAST: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "tanh": (torch.tanh, "tanh(z)"),
    "sigmoid": (torch.sigmoid, "sigmoid(z)"),
    "in place": (lambda z: z.sigmoid_(), "sigmoid(z)"),
    "expit": (torch.special.expit, "sigmoid(z)"),
    "softplus": (lambda z: functional.softplus(z, beta=3), "softplus(z)"),
    "softplus, linear from 0.1 on": (lambda z: functional.softplus(z, 100, 10), "softplus(z)"),
    "logsigmoid": (functional.logsigmoid, "log_sigmoid(z)"),
    "softsign": (functional.softsign, "softsign(z)"),
    "exp": (torch.exp, "exp(z)"),
    "expm1": (torch.expm1, "expm1(z)"),
    "atan": (torch.arctan, "atan(z)"),
    "erf": (torch.erf, "erf(z)"),
    "elu": (lambda z: functional.elu(z, 0.5), "elu(z)"),
    "celu": (lambda z: functional.celu(z, 0.5), "celu(z)"),
    "selu": (functional.selu, "selu(z)"),
    "scaled": (lambda z: 2 * torch.sigmoid(z) - 1, "2 sigmoid(z) - 1"),
    "by each output": (lambda z: torch.tanh(z) * torch.tensor([2.0, 3.0]) + 0.25, "scaled(tanh(z))"),
    "its negative": (lambda z: -torch.tanh(z), "-tanh(-z)"),
    "what is left of one": (lambda z: 1 - torch.sigmoid(z), "-sigmoid(-z) + 1"),
    "one after another": (lambda z: torch.tanh(3 * torch.sigmoid(z)), "tanh(3 sigmoid(z))"),
    "one column": (lambda z: torch.tanh(z)[:, 1] / 2, "0.5 tanh(z)"),
    "factors that move": (lambda z: (torch.tanh(z) * torch.tensor([2.0, 3.0])).flip(1)[:, 0], "3 tanh(z)"),
}


@pytest.mark.parametrize("name", LAST)
def test_the_program_is_the_value_before_and_levels_are_mapped(name: str) -> None:
    function, said = LAST[name]
    module = Does(lambda m, x: function(m.parts[0](x)), layers()).double()
    program, last = lower_with_last(module)
    assert last is not None
    assert program.widths == (8,)
    x = torch.randn(20, 3, dtype=torch.float64)
    expected = module(x).detach().reshape(20, -1)
    torch.testing.assert_close(last(program(x)), expected)
    mapped = [[last.before(float(y), i) for i, y in enumerate(row)] for row in expected]
    torch.testing.assert_close(torch.tensor(mapped, dtype=torch.float64), program(x).detach())
    assert str(last) == said or "scaled" in said


def test_every_activation_increases_and_is_inverted() -> None:
    for name, make in MONOTONE.items():
        z = torch.linspace(-3, 3, 61, dtype=torch.float64)
        activation = make()
        values = activation.function(z)
        assert bool((values.diff() > 0).all()), name
        inverse = torch.tensor([activation.inverse(y) for y in values.tolist()], dtype=torch.float64)
        torch.testing.assert_close(inverse, z, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "follows",
    [
        torch.relu,
        lambda y: y * y,
        lambda y: y + y.flip(1),
        lambda y: y.sum(1),
        lambda y: torch.cat([y, y], 1),
        lambda y: 1 / y,
        lambda y: 0 * y,
    ],
)
def test_activations_that_are_not_the_last_are_refused_at_their_place(
    follows: Callable[[Tensor], Tensor],
) -> None:
    module = Does(lambda m, x: follows(torch.sigmoid(m.parts[0](x))), layers()).double()
    with pytest.raises(
        creased.UnsupportedModuleError, match=r"line \d+ of .*: sigmoid is not piecewise affine"
    ):
        creased.lower(module)
    named = nn.Sequential(layers(), nn.Tanh(), nn.Linear(2, 1).double())
    with pytest.raises(
        creased.UnsupportedModuleError, match=r"Sequential\[1\] \(Tanh\): Tanh is not piecewise"
    ):
        creased.lower(named)


def test_surfaces_of_a_module_are_at_the_level_in_its_units() -> None:
    inner = layers(1)
    level = float(inner(torch.zeros(1, 3, dtype=torch.float64)).detach())
    box = creased.Box.cube(3, 1.0)
    expected = creased.extract_level_set(inner, box, level)
    assert expected.polygons.n > 0
    for last, value in ((nn.Sigmoid(), 1 / (1 + math.exp(-level))), (nn.Tanh(), math.tanh(level))):
        module = nn.Sequential(inner, last)
        found = creased.extract_level_set(module, box, value)
        torch.testing.assert_close(found.vertices, expected.vertices)
        torch.testing.assert_close(module(found.vertices), torch.full_like(found.vertices[:, :1], value))
        assert creased.certify(found, module).is_certified
        n = creased.count_cells(module, box, level=value)
        assert n == creased.count_cells(inner, box, level=level)


def test_surfaces_of_a_decreasing_activation_are_turned_inside_out() -> None:
    inner, box = layers(1), creased.Box.cube(3, 1.0)
    level = float(inner(torch.zeros(1, 3, dtype=torch.float64)).detach())
    module = Does(lambda m, x: 1 - torch.sigmoid(m.parts[0](x)), inner).double()
    found = creased.extract_level_set(module, box, 1 / (1 + math.exp(level)))
    expected = creased.extract_level_set(inner, box, level)
    area = area_vectors(expected.vertices, expected.polygons).sum(0)
    torch.testing.assert_close(area_vectors(found.vertices, found.polygons).sum(0), -area)


def test_a_level_that_is_not_taken_is_refused_with_one_that_is() -> None:
    module = nn.Sequential(layers(1), nn.Sigmoid())
    with pytest.raises(ValueError, match=r"level 0 is not taken.*between 0 and 1; .* such as 0\.5"):
        creased.extract_level_set(module, creased.Box.cube(3, 1.0))


def test_a_softmax_gives_its_arguments_and_has_no_levels() -> None:
    inner, box = layers(4), creased.Box.cube(3, 1.0)
    x = torch.randn(50, 3, dtype=torch.float64)
    for function in (
        lambda z: z.softmax(1),
        lambda z: functional.log_softmax(z, dim=-1),
        lambda z: z.softmax(-1).argmax(1),
    ):
        module = Does(lambda m, x, function=function: function(m.parts[0](x)), inner).double()
        torch.testing.assert_close(creased.lower(module)(x), inner(x))
        n = len(creased.extract_complex(module, box, level=None).vertices)
        assert n == len(creased.extract_complex(inner, box, level=None).vertices)
        with pytest.raises(ValueError, match="no level of one of its arguments"):
            creased.extract_level_set(module, box, 0.5)


def test_scales_of_both_signs_are_refused() -> None:
    module = Does(lambda m, x: torch.tanh(m.parts[0](x)) * torch.tensor([1.0, -1.0]), layers()).double()
    with pytest.raises(creased.UnsupportedModuleError, match="some outputs are scaled by negative numbers"):
        creased.lower(module)


def test_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="creased"):
        creased.lower(nn.Sequential(layers(1), nn.Tanh()))
    assert "the last activation is taken off: the module is tanh(z) of the program z" in caplog.text


def test_records_keep_it() -> None:
    module = Does(lambda m, x: 2 * functional.softplus(m.parts[0](x), beta=3) - 1, layers(1)).double()
    program, last = lower_with_last(module)
    record = Record(program, creased.Box.cube(3, 1.0), Similarity.identity(), "", 0, last=last)
    read = LastActivation.from_plain(write_record(record)["last"])
    assert read.before(0.5) == record.before(0.5) == pytest.approx(math.log(math.expm1(3 * 0.75)) / 3)
