"""Modules as people write them: assertions, several outputs, sets of points, autocast inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import creased
from creased import UnsupportedModuleError, lower
from tests.modules import Does, asserting


def layers(n_inputs: int = 3) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(n_inputs, 8), nn.ReLU(), nn.Linear(8, 1))


def _does(function: Callable[[Any, Tensor], Any], n_inputs: int = 3) -> nn.Module:
    return Does(lambda m, x: function(m.parts[0], x), layers(n_inputs))


def _equals_the_layers(program: creased.Program) -> None:
    x = torch.randn(10, 3)
    torch.testing.assert_close(program(x), layers()(x))


def test_assertions_hold() -> None:
    _equals_the_layers(lower(_does(asserting)))


class Both(NamedTuple):
    """Two outputs."""

    sdf: Tensor
    colour: Tensor


@pytest.mark.parametrize(
    ("function", "output", "names"),
    [
        (lambda net, x: (net(x), x), 0, "0, 1"),
        (lambda net, x: [x, net(x)], 1, "0, 1"),
        (lambda net, x: {"sdf": net(x), "x": x}, "sdf", "'sdf', 'x'"),
        (lambda net, x: Both(net(x), x), "sdf", "'sdf', 'colour'"),
        (lambda net, x: Both(net(x), x), 0, "'sdf', 'colour'"),
    ],
)
def test_one_of_several_outputs_is_chosen(
    function: Callable[[Any, Tensor], Any], output: int | str, names: str
) -> None:
    module = _does(function)
    _equals_the_layers(lower(module, output=output))
    _equals_the_layers(lower(module, output=output, check=False))
    with pytest.raises(ValueError, match=f"has 2 outputs, choose one by output=: {names}"):
        lower(module)
    with pytest.raises(ValueError, match=f"no output 'y': choose one by output=: {names}"):
        lower(module, output="y")


def test_the_only_output_is_taken() -> None:
    _equals_the_layers(lower(_does(lambda net, x: (net(x),))))
    with pytest.raises(ValueError, match="one output alone, and no output 1"):
        lower(layers(), output=1)


def test_autocast_inside_is_no_part_of_the_function() -> None:
    def half(net: nn.Module, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return net(x).float()  # type: ignore[no-any-return]

    _equals_the_layers(lower(_does(half)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        program = lower(layers())
    _equals_the_layers(program)


def test_sets_of_points_are_taken_one_by_one() -> None:
    def of_sets(net: nn.Module, x: Tensor) -> Tensor:
        n_sets, n_points, dim = x.shape
        return net(x.reshape(n_sets * n_points, dim)).view(n_sets, n_points)  # type: ignore[no-any-return]

    _equals_the_layers(lower(_does(of_sets)))
    _equals_the_layers(lower(_does(of_sets), input_shape=(1, 3)))


@pytest.mark.parametrize("last", [lambda y: y.squeeze(), lambda y: y.squeeze(-1), lambda y: y[..., 0]])
def test_outputs_may_be_one_number_a_point(last: Callable[[Tensor], Tensor]) -> None:
    _equals_the_layers(lower(_does(lambda net, x: last(net(x)))))
    _equals_the_layers(lower(_does(lambda net, x: last(torch.tanh(net(x))))))


def test_sampled_grids_are_refused_with_the_way_to_grids_of_simplices() -> None:
    volume = torch.rand(1, 4, 5, 5, 5)

    def sampled(net: nn.Module, x: Tensor) -> Tensor:
        features = functional.grid_sample(volume, x.view(1, -1, 1, 1, 3), align_corners=True)
        return net(features.view(4, -1).T)  # type: ignore[no-any-return]

    with pytest.raises(UnsupportedModuleError, match=r"grid_sample.* is not piecewise affine; .* GridMLP"):
        lower(_does(sampled, 4))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_programs_of_torch_are_refused_by_name() -> None:
    made = {
        "TorchScript": torch.jit.trace(layers(), torch.rand(1, 3)),
        "torch.export": torch.export.export(layers(), (torch.rand(2, 3),)),
    }
    for name, program in (*made.items(), ("torch.export", made["torch.export"].module())):
        with pytest.raises(UnsupportedModuleError, match=f"a program of {name} cannot be traced"):
            lower(program)
    for name, program in (*list(made.items())[:1], ("torch.export", made["torch.export"].module())):
        with pytest.raises(UnsupportedModuleError, match=rf"Sequential\[0\] .*: a part of {name} cannot"):
            lower(nn.Sequential(program, nn.ReLU()))
