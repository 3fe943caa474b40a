"""Linear layers, convolutions and normalisations, in eval mode, with their reparametrizations."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from creased import UnsupportedModuleError, lower
from tests.modules import Does, agreed, points

CONVOLUTIONS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "1d": (lambda: nn.Conv1d(2, 3, 3), (2, 7)),
    "1d circular": (lambda: nn.Conv1d(2, 3, 3, padding=1, padding_mode="circular"), (2, 7)),
    "2d": (lambda: nn.Conv2d(2, 4, 3, stride=2, padding=1, dilation=2, groups=2), (2, 8, 7)),
    "2d same": (lambda: nn.Conv2d(1, 2, 3, padding="same", bias=False), (1, 5, 4)),
    "2d replicated": (lambda: nn.Conv2d(1, 2, 3, padding=1, padding_mode="replicate"), (1, 5, 4)),
    "3d": (lambda: nn.Conv3d(1, 2, 2), (1, 3, 3, 4)),
    "transposed 1d": (lambda: nn.ConvTranspose1d(2, 3, 3, stride=2), (2, 4)),
    "transposed 2d": (lambda: nn.ConvTranspose2d(2, 3, 3, stride=2, output_padding=1), (2, 3, 3)),
    "transposed 3d": (lambda: nn.ConvTranspose3d(1, 2, 2), (1, 2, 2, 3)),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_are_affine(name: str) -> None:
    make, shape = CONVOLUTIONS[name]
    torch.manual_seed(0)
    assert agreed(nn.Sequential(make()), *shape).widths == ()


def test_a_linear_layer_acts_on_the_last_axis() -> None:
    torch.manual_seed(0)
    assert agreed(nn.Linear(4, 2, bias=False), 5, 4).out_dim == 10


REPARAMETRIZED: dict[str, Callable[[nn.Module], nn.Module]] = {
    "weight norm": parametrizations.weight_norm,
    "spectral norm": parametrizations.spectral_norm,
    "orthogonal": parametrizations.orthogonal,
    "weight norm by hooks": nn.utils.weight_norm,
    "spectral norm by hooks": nn.utils.spectral_norm,
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*spectral_norm.*:FutureWarning")
@pytest.mark.parametrize("name", REPARAMETRIZED)
def test_reparametrized_weights_are_live(name: str) -> None:
    torch.manual_seed(0)
    first, last = (REPARAMETRIZED[name](layer) for layer in (nn.Linear(3, 5), nn.Linear(5, 2)))
    module = nn.Sequential(first, nn.ReLU(), last).double()
    assert agreed(module).widths == (5,)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1.25)
    x = points(10, 3)
    torch.testing.assert_close(lower(module, input_shape=(3,), check=False)(x), module(x))


def test_lowering_in_training_moves_no_estimate_of_spectral_norm() -> None:
    torch.manual_seed(0)
    layer = parametrizations.spectral_norm(nn.Linear(3, 3))
    module = nn.Sequential(layer, nn.ReLU(), nn.Linear(3, 1)).train()
    before = [buffer.clone() for buffer in module.buffers()]
    for check in (True, False):
        lower(module, check=check)
    torch.testing.assert_close(before, list(module.buffers()))
    assert module.training


@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_is_affine_in_eval_mode_and_follows_its_statistics(affine: bool) -> None:
    torch.manual_seed(0)
    norms = nn.BatchNorm2d(4, affine=affine), nn.BatchNorm1d(5, affine=affine)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 2), norms[0], nn.ReLU(), nn.Flatten(), nn.Linear(36, 5), norms[1], nn.ReLU()
    )
    module = module.double().train()
    for _ in range(5):
        module(points(32, 1, 4, 4))
    assert agreed(module, 1, 4, 4).widths == (36, 5)
    module.train()(points(32, 1, 4, 4))
    program = lower(module, input_shape=(1, 4, 4), check=False)
    x = points(9, 1, 4, 4)
    torch.testing.assert_close(program(x.flatten(1)), module.eval()(x))


def test_batch_norm_that_tracks_nothing_is_refused() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, track_running_stats=False))
    with pytest.raises(
        UnsupportedModuleError, match=r"Sequential\[1\] \(BatchNorm1d\): .*statistics of the batch"
    ):
        lower(module)


@pytest.mark.parametrize(
    "module", [nn.Dropout(), nn.AlphaDropout(), nn.FeatureAlphaDropout(), nn.Dropout1d()]
)
def test_dropout_does_nothing_in_eval_mode(module: nn.Module) -> None:
    assert agreed(nn.Sequential(nn.Conv1d(1, 2, 2), module, nn.ReLU()), 1, 4).widths == (6,)


def test_dropout_that_is_always_on_is_refused() -> None:
    with pytest.raises(UnsupportedModuleError, match="dropout with training=True is random"):
        lower(Does(lambda m, x: functional.dropout(x)), input_shape=(3,))


def test_weights_that_depend_on_the_input_are_refused() -> None:
    def hyper(m: nn.Module, x: Tensor) -> Tensor:
        return functional.linear(x, x)

    with pytest.raises(UnsupportedModuleError, match="a matrix product of two values"):
        lower(Does(hyper), input_shape=(3,))
