"""Plain networks from weights alone: names in many styles, and refusals that say what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from creased import MLP
from creased.networks.weights import WeightsError, mlp_of_weights


def _network() -> MLP:
    torch.manual_seed(0)
    return MLP(3, 5, 11)  # layer 10 stands behind layer 2 in the order of letters


def _renamed(style: str) -> dict[str, Tensor]:
    layers = [layer for layer in _network() if isinstance(layer, nn.Linear)]
    return {
        style.format(part=part, i=i): getattr(layer, part)
        for i, layer in sorted(enumerate(layers), key=lambda entry: str(entry[0]))
        for part in ("bias", "weight")
    }


@pytest.mark.parametrize(
    "style",
    ["{part}_{i}", "layers.{i}.{part}", "fc{i}.{part}", "module.net.{i}.linear.{part}", "{i}/{part}:0"],
)
def test_names_are_read_in_the_order_of_their_numbers(style: str) -> None:
    x = torch.randn(10, 3)
    torch.testing.assert_close(mlp_of_weights(_renamed(style))(x), _network()(x))


def test_a_state_dict_is_read() -> None:
    x = torch.randn(10, 3)
    torch.testing.assert_close(mlp_of_weights(_network().state_dict())(x), _network()(x))


def test_names_without_numbers_are_read_in_their_own_order() -> None:
    layers = [("first", nn.Linear(3, 4)), ("a", nn.Linear(4, 4, bias=False)), ("out", nn.Linear(4, 1))]
    tensors = {f"{name}.{part}": t for name, layer in layers for part, t in layer.state_dict().items()}
    (_, a), (_, b), (_, c) = layers
    x = torch.randn(10, 3)
    leaky = nn.functional.leaky_relu
    torch.testing.assert_close(mlp_of_weights(tensors, slope=0.1)(x), c(leaky(b(leaky(a(x), 0.1)), 0.1)))


def _deep(*names: str) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Layers under names; points, and the values there."""
    sizes = [3] + [4] * (len(names) - 1) + [1]
    layers = [nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes)]
    points = torch.rand(20, 3)
    values = nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))[:-1](points)
    named = zip(names, layers, strict=True)
    return (
        {f"{name}.{part}": t for name, layer in named for part, t in layer.state_dict().items()},
        points,
        values,
    )


HIDDEN = [f"hidden.{i}" for i in range(11)]


@pytest.mark.parametrize(
    "names",
    [[*HIDDEN, "out"], ["first", *HIDDEN, "last"], [f"{i}.layer" for i in range(12)], ["a", "zz", "m.0"]],
)
@pytest.mark.parametrize("is_sorted", [False, True])
def test_names_in_alphabetical_order_are_the_same_network(names: list[str], is_sorted: bool) -> None:
    tensors, points, values = _deep(*names)
    if is_sorted:
        tensors = dict(sorted(tensors.items()))
    torch.testing.assert_close(mlp_of_weights(tensors)(points), values)


@pytest.mark.parametrize(
    ("weight", "bias", "turned"), [("kernel", "bias", True), ("A", "b", True), ("W", "b", False)]
)
def test_names_of_other_libraries_are_known(weight: str, bias: str, turned: bool) -> None:
    tensors, points, values = _deep("Dense_0", "Dense_1", "Dense_2")
    named = {}
    for name, tensor in tensors.items():
        of_weight = name.endswith("weight")
        own = name.replace("weight", weight) if of_weight else name.replace("bias", bias)
        named[own] = tensor.T if turned and of_weight else tensor
    torch.testing.assert_close(mlp_of_weights(named)(points), values)


@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm])
@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated")
def test_weight_normalisation_is_multiplied_out(norm: Callable[[nn.Module], nn.Module]) -> None:
    network = nn.Sequential(norm(nn.Linear(3, 4)), nn.ReLU(), norm(nn.Linear(4, 1)))
    points = torch.rand(20, 3)
    torch.testing.assert_close(mlp_of_weights(network.state_dict())(points), network(points))


def _with(**changes: Tensor | None) -> Mapping[str, Tensor]:
    tensors = {name.replace(".", "_"): tensor for name, tensor in MLP(3, 4, 1).state_dict().items()}
    return {name: tensor for name, tensor in (tensors | changes).items() if tensor is not None}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({}, "no weight"),
        (_with(norm_mean=torch.ones(4)), "unexpected tensors norm_mean"),
        (
            _with(**{"2_weight": torch.ones(1, 7)}),
            r"0_weight has 4 outputs, 2_weight takes 7 inputs; .*\(out, in\)",
        ),
        (
            _with(**{"0_bias": torch.ones(3)}),
            r"0_weight of shape \(4, 3\) needs a bias of shape \(4,\), got \(3,\)",
        ),
        (
            _with(**{"0_weight": torch.ones(4, 3, dtype=torch.int64)}),
            "weights must be floating, got torch.int64",
        ),
        ({"0.weight_g": torch.ones(4, 1), "0.weight_u": torch.ones(4)}, "0.weight_g is a factor of a"),
        (
            {"a.weight": torch.ones(3, 3), "b.weight": torch.ones(3, 3)},
            "a.weight, b.weight fit in several orders",
        ),
        ({"weight": torch.ones(4, 3, 3)}, "unexpected tensors weight"),
    ],
)
def test_what_is_no_plain_network_is_refused(tensors: Mapping[str, Tensor], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        mlp_of_weights(tensors)


def _marked(*operations: str) -> tuple[dict[str, Tensor], nn.Sequential]:
    """Arrays as neural-implicit-queries writes them, and layers with ReLU between."""
    torch.manual_seed(0)
    layers = [nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 1)]
    tensors: dict[str, Tensor] = {}
    for i, layer in enumerate(layers):
        tensors |= {
            f"{2 * i:04d}.dense.A": layer.weight.detach().T,
            f"{2 * i:04d}.dense.b": layer.bias.detach(),
        }
    tensors |= {f"{2 * i + 1:04d}.{name}._": torch.zeros(0) for i, name in enumerate(operations)}
    return tensors, nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])


def test_empty_arrays_that_name_relu_are_read() -> None:
    tensors, expected = _marked("relu", "relu", "squeeze_last")
    x = torch.randn(10, 3)
    torch.testing.assert_close(mlp_of_weights(tensors)(x), expected(x))


@pytest.mark.parametrize(
    ("operations", "named"),
    [(("elu", "elu"), "elu"), (("relu", "sin", "squeeze_last"), "sin"), (("relu", "relu", "relu"), "relu")],
)
def test_empty_arrays_that_name_others_are_refused(operations: tuple[str, ...], named: str) -> None:
    with pytest.raises(WeightsError, match=f"the file names {named} where ReLU is between layers"):
        mlp_of_weights(_marked(*operations)[0])


def test_a_slope_contradicts_arrays_that_name_relu() -> None:
    with pytest.raises(WeightsError, match="names relu where LeakyReLU"):
        mlp_of_weights(_marked("relu", "relu")[0], slope=0.1)


@pytest.mark.parametrize(("weight", "bias"), [("W{}", "b{}"), ("w_{}", "b_{}"), ("layer{}/W", "layer{}/b")])
@pytest.mark.parametrize("is_turned", [False, True])
def test_biases_tell_which_way_round_weights_are(weight: str, bias: str, is_turned: bool) -> None:
    layers = [layer for layer in _network() if isinstance(layer, nn.Linear)]
    tensors = {
        weight.format(i): layer.weight.T if is_turned else layer.weight for i, layer in enumerate(layers)
    }
    tensors |= {bias.format(i): layer.bias[None] for i, layer in enumerate(layers)}
    x = torch.randn(10, 3)
    torch.testing.assert_close(mlp_of_weights(tensors)(x), _network()(x))


def test_square_weights_of_either_way_are_refused() -> None:
    square = {
        name: torch.randn(3, 3) if name[0] == "W" else torch.randn(3) for name in ("W0", "b0", "W1", "b1")
    }
    with pytest.raises(WeightsError, match=r"W0, W1 are square, .* name them weight or kernel"):
        mlp_of_weights(square)
    assert (
        len(
            mlp_of_weights(
                {name.replace("W", "kernel").replace("b", "bias"): t for name, t in square.items()}
            )
        )
        == 3
    )


def test_convolutions_of_one_point_are_linear_layers() -> None:
    tensors = {name: t[..., None] if t.ndim == 2 else t for name, t in _network().state_dict().items()}
    x = torch.randn(10, 3)
    torch.testing.assert_close(mlp_of_weights(tensors)(x), _network()(x))
    with pytest.raises(WeightsError, match="unexpected tensors"):
        mlp_of_weights({name: t.repeat(1, 1, 3) if t.ndim == 3 else t for name, t in tensors.items()})
