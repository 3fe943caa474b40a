"""A block that hands nothing on: the head is constant, and its frames have no axes."""

from __future__ import annotations

import torch

from creased import Affine, Block, Box, Program, extract_complex


def test_a_head_of_no_inputs_is_constant() -> None:
    def t(*shape: int) -> torch.Tensor:
        return torch.zeros(shape, dtype=torch.float64)

    affine = Affine(torch.ones(1, 1, dtype=torch.float64), t(1))
    block = Block(affine=affine, mix=t(0, 1), skip=t(0, 1), shift=t(0))
    program = Program(blocks=(block,), head=Affine(t(1, 0), t(1) - 1.0))
    maps = program.maps_on(t(3, 1))
    assert maps.shape == (3, 2, 2)
    assert maps[:, :, 1].tolist() == [[0.0, -1.0]] * 3
    assert extract_complex(program, Box((-1.0,), (1.0,))).f_vector() == (3, 2)
