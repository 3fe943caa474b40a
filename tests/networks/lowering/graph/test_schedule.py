"""Which neurons stand in one block, and what is remembered between blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from creased import MLP, Program, lower
from tests.modules import Does, agreed


def linears(*sizes: tuple[int, int]) -> list[nn.Module]:
    torch.manual_seed(0)
    return [nn.Linear(*size) for size in sizes]


def states(program: Program) -> list[int]:
    """Numbers that each block, and the head, is given."""
    return [block.affine.weight.shape[1] for block in program.blocks] + [program.head.weight.shape[1]]


def is_plain(program: Program) -> list[bool]:
    return [block.is_plain for block in program.blocks]


def test_a_plain_network_that_is_no_sequential_has_plain_blocks() -> None:
    torch.manual_seed(0)
    network = MLP(3, 8, 3).double()
    expected = lower(network)
    found = agreed(Does(lambda m, x: m.parts[0](x).clone(), network))
    assert is_plain(found) == [True] * 3
    for ours, theirs in zip(found.tensors(), expected.tensors(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_narrow_linear_layer_between_does_not_spoil_plain_blocks() -> None:
    parts = linears((3, 8), (8, 2), (2, 8), (8, 1))
    program = agreed(
        nn.Sequential(parts[0], nn.ReLU(), parts[1], parts[2], nn.ReLU(), parts[3], nn.Identity())
    )
    assert is_plain(program) == [True, True]
    assert states(program) == [3, 8, 8]


def test_a_skip_keeps_the_input_as_long_as_it_is_needed() -> None:
    def skip(m: nn.Module, x: Tensor) -> Tensor:
        a, b, c, d, e = m.parts
        h = b(a(x).relu()).relu()
        h = c(torch.cat([h, x], dim=1)).relu()
        return e(d(h).relu())

    program = agreed(Does(skip, *linears((3, 8), (8, 8), (11, 8), (8, 8), (8, 1))))
    assert states(program) == [3, 8 + 3, 8, 8, 8]  # behind the second block, what the third reads off
    assert is_plain(program) == [False, False, True, True]


def test_a_residual_stream_is_remembered_once() -> None:
    def residual(m: nn.Module, x: Tensor) -> Tensor:
        h = m.parts[0](x)
        for inner, outer in zip(m.parts[1:5:2], m.parts[2:5:2], strict=True):
            h = h + outer(inner(h).relu())
        return m.parts[-1](h)

    program = agreed(Does(residual, *linears((3, 6), (6, 20), (20, 6), (6, 20), (20, 6), (6, 1))))
    assert program.widths == (20, 20)
    assert states(program)[:2] == [3, 6]


def test_leaky_layers_remember_their_outputs_alone() -> None:
    parts = linears((3, 8), (8, 8), (8, 1))
    program = agreed(nn.Sequential(parts[0], nn.RReLU(), parts[1], nn.RReLU(), parts[2]))
    assert states(program) == [3, 8, 1]


def test_a_small_cause_is_remembered_rather_than_its_many_effects() -> None:
    def wide(m: nn.Module, x: Tensor) -> Tensor:
        wide, inner, outer = m.parts
        features = wide(x)
        return outer(torch.cat([features, inner(features).relu()], dim=1).relu())

    program = agreed(Does(wide, *linears((3, 50), (50, 50), (100, 1))))
    assert states(program) == [3, 50 + 3, 100]


def test_branches_of_one_depth_stand_in_one_block() -> None:
    def branches(m: nn.Module, x: Tensor) -> Tensor:
        a, b, c, d = m.parts
        left = b(a(x).relu()).relu()
        right = d(c(x).relu()).relu()
        return left + right

    assert agreed(Does(branches, *linears((3, 4), (4, 2), (3, 5), (5, 2)))).widths == (9, 4)


def test_what_does_not_lead_to_the_output_is_dropped() -> None:
    def unused(m: nn.Module, x: Tensor) -> Tensor:
        a, b = m.parts
        a(x).relu().sum(1)
        return b(x).relu()[:, :2]

    assert agreed(Does(unused, *linears((3, 4), (3, 5)))).widths == (5,)


def test_an_output_may_be_a_neuron_or_the_input() -> None:
    assert agreed(Does(lambda m, x: x)).widths == ()
    assert agreed(nn.Sequential(*linears((3, 2)), nn.ReLU())).widths == (2,)


def test_a_value_that_is_rectified_and_kept_is_remembered() -> None:
    def both(m: nn.Module, x: Tensor) -> Tensor:
        a, b, c = m.parts
        h = a(x)
        return c(b(h.relu()).relu() + h.chunk(2, dim=1)[1])

    program = agreed(Does(both, *linears((3, 8), (8, 4), (4, 1))))
    assert states(program)[1] == 4 + 3
