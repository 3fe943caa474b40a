"""Modules are looked into as they are written, left as they were, and refused by place."""

from __future__ import annotations

import builtins
import gc
import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from creased import UnsupportedModuleError, lower
from tests.modules import Does, agreed, points


class Layer(nn.Module):
    """A linear layer written by hand."""

    def __init__(self, n_in: int, n_out: int, act: nn.Module) -> None:
        super().__init__()
        self.weights = nn.ParameterList([torch.randn(n_in, n_out), torch.randn(n_out)])
        self.act = act

    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        return self.act(scale * (x @ self.weights[0] + self.weights[1]))


class Net(nn.Module):
    """Layers in a list, a dictionary of heads."""

    def __init__(self, act: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Layer(3, 4, nn.ReLU()), Layer(4, 4, act)])
        self.heads = nn.ModuleDict({"sdf": nn.Linear(4, 1)})

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, scale=0.5)
        return self.heads["sdf"](x)


def test_lists_dictionaries_and_keywords_are_followed() -> None:
    torch.manual_seed(0)
    assert agreed(Net(nn.LeakyReLU())).widths == (4, 4)


def test_a_module_used_twice_is_run_twice() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(3, 3)
    assert agreed(nn.Sequential(layer, nn.Hardtanh(), layer, nn.Hardtanh())).widths == (6, 6)


def test_parameters_that_are_no_attributes_are_live() -> None:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(3, 3, dtype=torch.float64))
    module = Does(lambda m, x: (x @ weight).relu())
    program = lower(module.double(), input_shape=(3,))
    (gradient,) = torch.autograd.grad(program(points(9, 3)).sum(), weight)
    (expected,) = torch.autograd.grad(module(points(9, 3)).sum(), weight)
    torch.testing.assert_close(gradient, expected)


def test_hooks_are_run() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(3, 4)
    layer.register_forward_hook(lambda module, args, output: 2 * output)
    layer.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    agreed(nn.Sequential(layer, nn.ReLU(), nn.Linear(4, 1)))


def test_a_module_made_on_the_fly_is_followed() -> None:
    assert agreed(Does(lambda m, x: nn.ReLU()(x))).widths == (3,)


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_a_module_is_left_as_it_was() -> None:
    class Remembers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.utils.weight_norm(nn.Linear(3, 2))

        def forward(self, x: Tensor) -> Tensor:
            self.seen = x
            return self.layer(x).relu()

    module = Remembers().train()
    module(torch.zeros(1, 3))
    before = {name: dict(vars(part)) for name, part in module.named_modules()}
    lower(module)
    after = {name: dict(vars(part)) for name, part in module.named_modules()}
    assert before.keys() == after.keys()
    for name, attributes in before.items():
        assert attributes.keys() == after[name].keys()
        assert all(after[name][key] is value for key, value in attributes.items())


def test_a_module_that_was_lowered_can_be_forgotten() -> None:
    module = Does(lambda m, x: (x * m.w).relu())
    lower(module, input_shape=(3,))
    dead = weakref.ref(module)
    del module
    gc.collect()
    assert dead() is None


def test_a_schedule_is_kept_by_type_and_shape() -> None:
    module = Does(lambda m, x: (x * m.w).to(m.w.dtype).relu())
    for dtype in (torch.float32, torch.float64):
        module.to(dtype)
        assert lower(module, input_shape=(3,), check=False).dtype == dtype
    for shape in ((3,), (2, 3)):
        assert lower(module, input_shape=shape, check=False).in_dim == torch.Size(shape).numel()


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (
            lambda: Net(nn.GELU()),
            r"lower: Net.blocks\[1\].act \(GELU\): GELU is not piecewise affine; .* ReLU",
        ),
        (
            lambda: Net(Does(lambda m, x: torch.sigmoid(x))),
            r"Net.blocks\[1\].act \(Does\), line \d+ of test_trace.py: sigmoid is not .* Hardsigmoid",
        ),
        (
            lambda: nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4)),
            r"Sequential\[1\] \(LayerNorm\): .*BatchNorm",
        ),
        (lambda: nn.MultiheadAttention(4, 1), r"MultiheadAttention \(MultiheadAttention\): .*Maxout"),
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.LSTM(4, 4)), r"Sequential\[1\] \(LSTM\): LSTM is not"),
    ],
)
def test_refusals_name_the_place(module: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(UnsupportedModuleError, match=message):
        lower(module())


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda m, x: x if x.sum() > 0 else -x, "gt is not continuous|points of a batch"),
        (lambda m, x: x if x else -x, "cannot be evaluated"),
        (lambda m, x: x * float(x[0, 0]), "depends on the values of the input|points of a batch"),
        (lambda m, x: (x, x), "has 2 outputs, choose one by output=: 0, 1"),
        (lambda m, x: m.w.expand(len(x), -1), "the output does not depend on the input"),
        (lambda m, x: torch.special.bessel_j0(x), "special_bessel_j0 is not supported"),
        (lambda m, x: functional.layer_norm(x, (3,)), "layer_norm is not piecewise affine"),
        (lambda m, x: torch.from_numpy(x.numpy()), "numpy is not supported"),
        (lambda m, x: functional.one_hot(x.long(), 3).to(x), "long is not supported"),
    ],
)
def test_what_cannot_be_followed_is_refused(function: Callable, reason: str) -> None:
    with pytest.raises((UnsupportedModuleError, ValueError), match=reason):
        lower(Does(function), input_shape=(3,))


def test_len_is_that_of_python_after_a_trace() -> None:
    own = builtins.len
    lower(Does(lambda m, x: x.view(len(x), -1)), input_shape=(3,))
    with pytest.raises(UnsupportedModuleError, match="gelu"):
        lower(Does(lambda m, x: functional.gelu(x.view(len(x), -1))), input_shape=(3,))
    assert builtins.len is own


def test_tensors_of_the_module_are_not_changed_in_place() -> None:
    module = Does(lambda m, x: x * m.c.clone().add_(1).mul_(2) + m.c.add_(0)).double()
    before = module.c.clone()
    agreed(module)
    torch.testing.assert_close(module.c, before)
    counting = Does(lambda m, x: x * m.w.detach().add_(m.c.add_(1) * 0)).double()
    lower(counting, input_shape=(3,), check=False)
    seen = counting.c.clone()
    lower(counting, input_shape=(3,), check=False)
    torch.testing.assert_close(counting.c, seen)


def test_assignment_into_a_tensor_is_refused() -> None:
    def assign(m: nn.Module, x: Tensor) -> Tensor:
        y = x.clone()
        y[:, 0] = 0
        return y

    with pytest.raises(UnsupportedModuleError, match="item assignment"):
        lower(Does(assign), input_shape=(3,))


def test_buffers_may_decide_what_is_done() -> None:
    assert agreed(Does(lambda m, x: x.relu() if m.c.sum() > -99 and int(m.c.numel()) else -x)).widths == (3,)


def test_checks_of_numbers_and_requests_for_gradients_pass() -> None:
    def checked(m: nn.Module, x: Tensor) -> Tensor:
        assert torch.isfinite(x).all()
        if x.isnan().any():
            raise ValueError
        return x.clone().detach().requires_grad_().relu()

    program, points = lower(Does(checked), input_shape=(3,)), torch.randn(20, 3)
    torch.testing.assert_close(program(points), points.relu())


@pytest.mark.slow
def test_a_compiled_module_is_the_one_that_was_compiled() -> None:
    plain = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    points = torch.rand(5, 3)
    torch.testing.assert_close(lower(torch.compile(plain))(points), plain(points))
