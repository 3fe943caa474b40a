"""Public entry points that take a program, or any module that `lower` understands."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import torch
from torch import nn

from creased.core import extract_complex as complexes
from creased.core import extract_level_set as level_sets
from creased.core.certificates import certify as certificates
from creased.core.certificates.certify import Certificate
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.complexes.level_set import LevelSet
from creased.core.program.program import Program
from creased.networks import lower
from creased.networks.lowering.graph.evaluation import weight_options

Options = ParamSpec("Options")
Found = TypeVar("Found")


def as_program(network: Program | nn.Module) -> Program:
    """Lower a module in double precision, in which nothing of it is lost; return a program as it is."""
    return network if isinstance(network, Program) else lower(network, dtype=torch.float64)


def _of_networks(
    of_programs: Callable[Concatenate[Program, Options], Found],
) -> Callable[Concatenate[Program | nn.Module, Options], Found]:
    """Extend a function of programs to modules."""

    @wraps(of_programs)
    def of_networks(network: Program | nn.Module, /, *args: Options.args, **kwargs: Options.kwargs) -> Found:
        if isinstance(network, nn.Module) and kwargs.get("dtype") is None:
            kwargs["dtype"] = weight_options(network)["dtype"]
        return of_programs(as_program(network), *args, **kwargs)

    return of_networks


def certify(
    found: PolyhedralComplex | LevelSet, network: Program | nn.Module, level: float = 0.0, **options: Any
) -> Certificate:
    """Certify what was extracted from a network; see `creased.core.certificates.certify.certify`."""
    return certificates.certify(found, as_program(network), level, **options)


count_cells = _of_networks(complexes.count_cells)
extract_complex = _of_networks(complexes.extract_complex)
extract_level_set = _of_networks(level_sets.extract_level_set)
stream_complex = _of_networks(complexes.stream_complex)
