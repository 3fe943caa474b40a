"""Choose how a level set is walked."""

from __future__ import annotations

import sys

import torch

from creased.core.marching.batch_walk import BatchWalker
from creased.core.marching.march import Walker
from creased.core.native.available import is_native
from creased.core.numerics.memory import Resources
from creased.core.subdivision.problem import SubdivisionProblem


def start_walk(problem: SubdivisionProblem, resources: Resources) -> Walker:
    """Make the walker for a dimension and a device: compiled where there is a kernel, else in batches."""
    program = problem.program
    if program.in_dim == 3 and program.dtype == torch.float64 and is_native(program.device):
        if "creased.core.marching.compiled_walk" not in sys.modules:
            resources.report("loading the compiled walk; after an installation it is compiled, in some 10 s")
        from creased.core.marching.compiled_walk import CompiledWalker  # needs numba

        return CompiledWalker(problem, resources)
    return BatchWalker(problem, resources)
