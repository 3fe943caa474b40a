"""What functions of a program take: the program, a slice of one, or any module that `lower` understands."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import torch
from torch import nn

from creased.core.program.affine_slice import ProgramSlice
from creased.core.program.program import Program
from creased.networks.lower import lower_with_last, require_module

Network = Program | ProgramSlice | nn.Module
Options = ParamSpec("Options")
Found = TypeVar("Found")


def as_program(network: Network, caller: str) -> Program:
    """Return a program as it is, and that of a slice; lower a module in double precision.

    Raises:
        TypeError: it is none of these.
        ValueError: a last activation, such as tanh, makes the module another function than the program.
    """
    if isinstance(network, Program):
        return network
    if isinstance(network, ProgramSlice):
        return network.program
    require_module(network, f"{caller}: needs a program or")
    with torch.no_grad():
        program, last = lower_with_last(network, dtype=torch.float64)
    if last is not None:
        raise ValueError(
            f"{caller}: the network is {last} of a piecewise-affine z, and not piecewise affine itself: "
            "for z give creased.lower(network)"
        )
    return program


def of_networks(
    of_programs: Callable[Concatenate[Program, Options], Found],
) -> Callable[Concatenate[Network, Options], Found]:
    """Extend a function of a program to slices and modules, see `as_program`."""

    @wraps(of_programs)
    def of_network(network: Network, /, *args: Options.args, **kwargs: Options.kwargs) -> Found:
        return of_programs(as_program(network, of_programs.__name__), *args, **kwargs)

    return of_network
