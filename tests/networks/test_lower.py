"""From modules to programs: agreement, sharing of weights, and refusals that help."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from creased import MLP, Box, Program, UnsupportedModuleError, extract_complex, extract_level_set, lower
from tests.invariants import check_edges, check_stubs, check_vertices
from tests.modules import Does

MODULES: dict[str, Callable[[], nn.Module]] = {
    "linear alone": lambda: nn.Linear(3, 1),
    "one layer": lambda: nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1)),
    "no bias": lambda: nn.Sequential(nn.Linear(3, 5, bias=False), nn.ReLU(), nn.Linear(5, 1, bias=False)),
    "leaky": lambda: nn.Sequential(
        nn.Linear(3, 5), nn.LeakyReLU(0.2), nn.Linear(5, 4), nn.LeakyReLU(), nn.Linear(4, 1)
    ),
    "steep leak": lambda: nn.Sequential(nn.Linear(3, 5), nn.LeakyReLU(2.0), nn.Linear(5, 1)),
    "no leak": lambda: nn.Sequential(nn.Linear(3, 5), nn.LeakyReLU(0.0), nn.Linear(5, 1)),
    "nested": lambda: nn.Sequential(
        nn.Sequential(nn.Linear(3, 5), nn.ReLU()),
        nn.Identity(),
        nn.Sequential(nn.Sequential(nn.Linear(5, 1))),
    ),
    "two linear layers": lambda: nn.Sequential(
        nn.Linear(3, 4), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2, bias=False), nn.Linear(2, 1)
    ),
    "dropout": lambda: nn.Sequential(
        nn.Linear(3, 5), nn.ReLU(), nn.Dropout(0.5), nn.AlphaDropout(), nn.Linear(5, 1)
    ),
    "in place": lambda: nn.Sequential(nn.Linear(3, 5), nn.ReLU(inplace=True), nn.Linear(5, 1)),
    "several outputs": lambda: MLP(3, 6, 2, out_dim=4),
}


def build(name: str, dtype: torch.dtype, device: torch.device) -> nn.Module:
    torch.manual_seed(0)
    return MODULES[name]().to(device, dtype)


def points(n: int, module: nn.Module) -> Tensor:
    weight = next(module.parameters())
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(3)).to(weight)


@pytest.mark.parametrize("name", MODULES)
def test_program_agrees_with_its_module(name: str, dtype: torch.dtype, device: torch.device) -> None:
    module = build(name, dtype, device)
    program = lower(module)
    x = points(100, module)
    torch.testing.assert_close(program(x), module.eval()(x))
    assert (program.dtype, program.device.type) == (dtype, device.type)


@pytest.mark.parametrize("name", MODULES)
def test_complex_of_a_lowered_module_has_its_signs(
    name: str, dtype: torch.dtype, device: torch.device
) -> None:
    module = build(name, dtype, device)
    complex_ = extract_complex(module, Box.cube(3, 2))
    check_edges(complex_)
    check_stubs(complex_)
    check_vertices(complex_, lower(module))
    assert complex_.euler_characteristic() == 1


def test_leaky_preactivations_are_those_of_the_module() -> None:
    module = build("leaky", torch.float64, torch.device("cpu"))
    assert isinstance(module, nn.Sequential)
    x = points(50, module)
    rows = [module[0](x), module[:3](x), module(x)]
    torch.testing.assert_close(lower(module).preactivations(x), torch.cat(rows, dim=1))


def test_weights_are_shared_and_receive_gradients() -> None:
    module = build("leaky", torch.float64, torch.device("cpu"))
    program = lower(module)
    x = points(50, module)
    program(x).square().sum().backward()
    found = [parameter.grad.clone() for parameter in module.parameters() if parameter.grad is not None]
    module.zero_grad()
    module(x).square().sum().backward()
    for gradient, parameter in zip(found, module.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad)


def test_program_of_a_plain_network_follows_its_weights() -> None:
    module = MLP(2, 4, 2).double()
    program = lower(module)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1)
    x = torch.randn(10, 2, dtype=torch.float64)
    torch.testing.assert_close(program(x), module(x))


def test_front_doors_take_modules_and_programs() -> None:
    module = MLP(3, 6, 2).double()
    for extract in (extract_complex, extract_level_set):
        from_module, from_program = extract(module, Box.cube(3, 1)), extract(lower(module), Box.cube(3, 1))
        torch.testing.assert_close(from_module.vertices, from_program.vertices)


@pytest.mark.parametrize(
    ("activation", "nearest"),
    [
        (nn.GELU(), "ReLU"),
        (nn.SiLU(), "ReLU"),
        (nn.Softplus(), "ReLU"),
        (nn.Tanh(), "ReLU"),
        (nn.Sigmoid(), "ReLU"),
        (nn.ELU(), "LeakyReLU"),
        (nn.SELU(), "LeakyReLU"),
        (nn.CELU(), "LeakyReLU"),
        (nn.Mish(), "ReLU"),
        (nn.Softmax(dim=-1), "logits"),
        (nn.LayerNorm(5), "no normalisation"),
    ],
)
def test_refusal_names_module_place_and_nearest(activation: nn.Module, nearest: str) -> None:
    module = nn.Sequential(nn.Sequential(nn.Linear(3, 5), activation), nn.Linear(5, 1))
    name = type(activation).__name__
    with pytest.raises(UnsupportedModuleError) as refusal:
        lower(module)
    message = str(refusal.value)
    assert message.startswith(f"lower: Sequential[0][1] ({name}): {name} is not piecewise affine")
    assert message.split("nearest supported is ")[1].startswith(nearest) or nearest in message


@pytest.mark.parametrize("shape", [None, (2,)])
def test_a_refusal_within_a_module_has_the_prefix_once(shape: tuple[int] | None) -> None:
    class Lowering(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            lower(nn.Sequential(nn.Linear(3, 3), nn.GELU()))
            return x

    with pytest.raises(ValueError, match="GELU is not piecewise affine") as refusal:
        lower(nn.Sequential(nn.Linear(2, 2), Lowering()), input_shape=shape)
    assert str(refusal.value).count("lower:") == 1


def test_module_that_does_nothing_is_refused() -> None:
    class Custom(nn.Module):
        pass

    with pytest.raises(
        ValueError, match=r"cannot be evaluated.* Sequential says: Module \[Custom\] is missing"
    ):
        lower(nn.Sequential(nn.Linear(2, 2), Custom(), nn.Linear(2, 1)))


@pytest.mark.parametrize(
    ("module", "widths"),
    [
        (nn.Sequential(nn.Linear(2, 3), nn.ReLU()), (3,)),
        (nn.Sequential(nn.ReLU(), nn.Linear(2, 3), nn.ReLU(), nn.ReLU(), nn.Linear(3, 1)), (2, 3)),
        (nn.Sequential(nn.Linear(2, 2), nn.Dropout()), ()),
    ],
)
def test_layers_stand_in_any_order(module: nn.Module, widths: tuple[int, ...]) -> None:
    program = lower(module)
    assert program.widths == widths
    x = torch.randn(20, 2)
    torch.testing.assert_close(program(x), module.eval()(x))


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["weight", "bias"])
def test_weights_that_are_not_finite_are_refused_by_place(name: str, value: float) -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    with torch.no_grad():
        getattr(module[2], name).view(-1)[0] = value
    with pytest.raises(ValueError, match=rf"{name} of Sequential\[2\] \(Linear\) holds NaN or infinity"):
        lower(module)


@pytest.mark.parametrize(
    "layers",
    [[nn.Linear(2, 3), nn.Linear(4, 1)], [nn.Linear(2, 3), nn.ReLU(), nn.Linear(4, 1)]],
)
def test_layers_that_do_not_fit_are_refused(layers: list[nn.Module]) -> None:
    with pytest.raises(ValueError, match=r"takes 4 inputs, but gets 3|cannot be evaluated"):
        lower(nn.Sequential(*layers))


def test_module_that_is_more_than_its_layers_is_refused() -> None:
    class Squared(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) ** 2

    with pytest.raises(
        UnsupportedModuleError, match=r"Squared \(Squared\), line \d+ .*: pow is not piecewise"
    ):
        lower(Squared(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)))


def test_program_that_does_not_agree_is_refused() -> None:
    module = nn.Linear(2, 2)
    y = torch.zeros(1, 2)
    wobbly = Does(lambda m, x: m.parts[0](x) + y.add_(1), module)
    with pytest.raises(ValueError, match="does not agree with the module"):
        lower(wobbly)


@pytest.mark.parametrize("is_training", [True, False])
def test_lowering_leaves_the_module_in_its_mode(is_training: bool) -> None:
    module = MLP(2, 3, 1).train(is_training)
    lower(module)
    assert all(part.training is is_training for part in module.modules())


def test_lowering_draws_no_random_numbers() -> None:
    module = MLP(2, 3, 1)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    program: Program = lower(module)
    assert program.widths == (3,)
    torch.testing.assert_close(torch.rand(3), expected)


def test_a_step_of_training_traces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, other = MLP(3, 4, 2), Does(lambda m, x: m.parts[0](x).abs(), nn.Linear(3, 4))
    lower(other)

    def refuse(*_: object) -> None:
        raise AssertionError("traced")

    monkeypatch.setattr(sys.modules[lower.__module__], "trace", refuse)
    assert lower(plain, check=False).widths == (4, 4)
    assert lower(other, check=False).widths == (4,)
    with pytest.raises(AssertionError, match="traced"):
        lower(other)
