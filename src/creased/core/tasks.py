"""What is to be cut, made of what a user asks for, and checked."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch

from creased.core.cofaces import Arrangement, arrange
from creased.core.domain import Box
from creased.core.program import Affine, Program
from creased.core.signs import RowLayout
from creased.core.tolerance import steps_across

FEWEST_STEPS = 1 << 18  # floating-point numbers across the domain; with fewer, vertices are lost


class Task(NamedTuple):
    """What is to be cut, and how."""

    program: Program  # detached, finite; its outputs less the level
    domain: Box
    rows: Arrangement
    has_outputs: bool  # whether the zeros of the outputs cut too
    prune: bool  # whether what cannot meet them is dropped
    at_once: int | None = None  # vertices that are worked on at once; None: what fits in `working_bytes`


def make_task(
    program: Program,
    domain: Box,
    level: float | None,
    at_once: int | None,
    device: torch.device | str | None,
    dtype: torch.dtype,
    *,
    prune: bool = False,
) -> Task:
    """The task of cutting a program, its outputs less the level, on a domain.

    Raises:
        ValueError: dimensions differ, or a weight is not finite.
    """
    if program.in_dim != domain.dim:
        raise ValueError(
            f"the program takes {program.in_dim} inputs, but the domain has {domain.dim} dimensions"
        )
    if at_once is not None and at_once < 1:
        raise ValueError(f"at_once must be 1 or more, got {at_once}")
    program = program.detach().to(device, dtype)
    for tensor in program.tensors():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(
                f"a weight of shape {tuple(tensor.shape)} holds NaN or infinity: nothing to extract"
            )
    if level is not None:
        program = replace(program, head=Affine(program.head.weight, program.head.bias - level))
    layout = RowLayout(domain.n_walls, program.widths, 0 if level is None else program.out_dim)
    rows = arrange(layout, program.device)
    return Task(program, domain, rows, has_outputs=level is not None, prune=prune, at_once=at_once)


def choose_dtype(dtype: torch.dtype, domain: Box) -> tuple[torch.dtype, tuple[str, ...]]:
    """The type to work in, with a note where it is not the one asked for."""
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"extraction works in dtype float32 or float64, got {dtype}")
    n_steps = steps_across(dtype, domain.lower, domain.upper)
    if dtype == torch.float32 and n_steps < FEWEST_STEPS:
        return torch.float64, (f"in float64: float32 has {n_steps:.2g} steps across the domain",)
    return dtype, ()
