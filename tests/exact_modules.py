"""Modules in rationals, layer by layer, nothing multiplied out: stages for `tests.oracles.true_cells`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial

import torch
from torch import Tensor, nn

from creased.networks import GroupSort
from tests.oracles import Row, Stage, State, affine_of, positive, scaled


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, inner: nn.Sequential) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


class Larger(nn.Module):
    """The larger one of two affine functions, for each of n numbers."""

    def __init__(self, n_inputs: int, n: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_inputs, 2 * n)

    def forward(self, x: Tensor) -> Tensor:
        return torch.maximum(*self.linear(x).chunk(2, 1))


def stages_of(module: nn.Module, n_inputs: int) -> list[Stage]:
    """A module of so many inputs, stage by stage."""
    match module:
        case nn.Sequential():
            sizes = [n_inputs]
            for part in module:
                sizes.append(part(torch.zeros(1, sizes[-1], dtype=torch.float64)).shape[1])
            return [s for part, n in zip(module, sizes, strict=False) for s in stages_of(part, n)]
        case Residual():
            return _beside_the_stream(stages_of(module.inner, n_inputs), n_inputs)
        case nn.Linear():
            rows_of = affine_of(module)
            return [Stage(_none, lambda state, rows, signs: tuple(rows_of(state)))]
        case nn.BatchNorm1d():
            return [Stage(_none, partial(_normalised, module))]
        case nn.LeakyReLU():
            return [Stage(list, lambda state, *cut: positive(*cut, Fraction(module.negative_slope)))]
        case nn.PReLU():
            return [Stage(list, lambda state, *cut: positive(*cut, Fraction(module.weight.item())))]
        case nn.ReLU():
            return [Stage(list, lambda state, *cut: positive(*cut, 0))]
        case nn.Hardtanh():
            return [Stage(partial(_beyond, module), partial(_clamped, module))]
        case GroupSort():
            return [Stage(lambda state: _differences(state[::2], state[1::2]), _sorted)]
        case Larger():
            halves = partial(_halves_of, affine_of(module.linear))
            return [
                Stage(
                    lambda state: _differences(*halves(state)), lambda s, _, signs: _larger(*halves(s), signs)
                )
            ]
    raise TypeError(type(module).__name__)


def _none(state: State) -> list[Row]:
    return []


def total(first: Row, second: Row, factor: Fraction | int = 1) -> Row:
    """first + factor second."""
    normal, offset = scaled(second, factor)
    return tuple(a + b for a, b in zip(first[0], normal, strict=True)), first[1] + offset


def _shifted(row: Row, by: float) -> Row:
    return row[0], row[1] + Fraction(by)


def _differences(first: Sequence[Row], second: Sequence[Row]) -> list[Row]:
    return [total(a, b, -1) for a, b in zip(first, second, strict=True)]


def _beside_the_stream(stages: list[Stage], n: int) -> list[Stage]:
    """Pass n numbers by behind what stages make of them, and add both at the end."""

    def beside(stage: Stage, stream: slice) -> Stage:
        own = slice(None) if stream == slice(None) else slice(-n)
        return Stage(
            lambda state: stage.rows(state[own]),
            lambda state, rows, signs: (*stage.advance(state[own], rows, signs), *state[stream]),
        )

    added = Stage(_none, lambda state, rows, signs: tuple(map(total, state[:n], state[n:])))
    streams = [slice(None), *[slice(-n, None)] * (len(stages) - 1)]
    return [*map(beside, stages, streams), added]


def _normalised(module: nn.BatchNorm1d, state: State, rows: Sequence[Row], signs: Sequence[int]) -> State:
    scale = torch.rsqrt(module.running_var + module.eps) * module.weight
    numbers = [tensor.tolist() for tensor in (module.running_mean, scale, module.bias)]
    parts = zip(state, *numbers, strict=True)
    return tuple(_shifted(scaled(_shifted(row, -mean), Fraction(s)), bias) for row, mean, s, bias in parts)


def _beyond(module: nn.Hardtanh, state: State) -> list[Row]:
    return [_shifted(row, -bound) for bound in (module.min_val, module.max_val) for row in state]


def _clamped(module: nn.Hardtanh, state: State, rows: Sequence[Row], signs: Sequence[int]) -> State:
    kept, n = positive(rows, signs, 0), len(state)
    return tuple(_shifted(row, module.min_val) for row in _differences(kept[:n], kept[n:]))


def _sorted(state: State, rows: Sequence[Row], signs: Sequence[int]) -> State:
    pairs = zip(state[::2], state[1::2], signs, strict=True)
    return tuple(row for a, b, sign in pairs for row in ((b, a) if sign > 0 else (a, b)))


def _halves_of(rows_of: Callable[[State], list[Row]], state: State) -> tuple[list[Row], list[Row]]:
    rows = rows_of(state)
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


def _larger(first: list[Row], second: list[Row], signs: Sequence[int]) -> State:
    return tuple(a if sign > 0 else b for a, b, sign in zip(first, second, signs, strict=True))
