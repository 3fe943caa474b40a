"""The front doors with a wider welcome: a program, or any module that `lower` understands."""

from __future__ import annotations

import torch
from torch import nn

from creased.core import extract
from creased.core.complex import PolyhedralComplex
from creased.core.domain import Box
from creased.core.level_set import LevelSet
from creased.core.program import Program
from creased.networks import lower


def as_program(network: Program | nn.Module) -> Program:
    """The network itself if it is a program, else lowered."""
    return network if isinstance(network, Program) else lower(network)


def extract_complex(
    network: Program | nn.Module,
    domain: Box,
    *,
    level: float | None = 0.0,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> PolyhedralComplex:
    """The polyhedral complex of a network; see `creased.core.extract.extract_complex`."""
    return extract.extract_complex(as_program(network), domain, level=level, device=device, dtype=dtype)


def extract_level_set(
    network: Program | nn.Module,
    domain: Box,
    level: float = 0.0,
    *,
    output: int = 0,
    prune: bool = True,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> LevelSet:
    """The exact level set of a network; see `creased.core.extract.extract_level_set`."""
    program = as_program(network)
    return extract.extract_level_set(
        program, domain, level, output=output, prune=prune, device=device, dtype=dtype
    )
