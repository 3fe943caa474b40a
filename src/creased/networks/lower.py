"""From a torch module to a `Program`, the canonical form that the engine knows.

The program holds the module's own weights, so it is differentiable in them. A module is traced: what it does
to its input is recorded as affine steps and rectifications (`trace`, `tape`), which are put in blocks
(`plan`) and written with the weights as they are (`write`). What is not piecewise affine is refused by name
and place, with the nearest thing that is. Before a program is returned it is compared with the module on
random points.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.program import Program
from creased.networks.lowering.graph.eval_mode import in_eval_mode
from creased.networks.lowering.graph.input_shape import find_input_shape, weights_of, why_not
from creased.networks.lowering.graph.plain import lower_plain
from creased.networks.lowering.graph.refusals import refuse_by_name, spell
from creased.networks.lowering.graph.schedule import Plan, make_plan
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.trace import trace
from creased.networks.lowering.graph.write import write

N_CHECKED = 64  # random points on which the program is compared with its module

Shape = tuple[int, ...]
_plans: WeakKeyDictionary[nn.Module, dict[object, Plan]] = WeakKeyDictionary()


def lower(module: nn.Module, *, input_shape: Shape | None = None, check: bool = True) -> Program:
    """Write a network as a program of (affine, ReLU, passthrough) blocks.

    Supported is what is piecewise affine and continuous, in eval mode, in modules, functions and methods:
    linear layers, convolutions, batch norm, weight and spectral norm, pooling, ReLU and its piecewise linear
    kin, absolute values, clamps, maxima and minima, sorting, sums, concatenations, views, slices. The program
    lives on the module's device, in its dtype, and shares its weights. It takes points as rows of numbers,
    and gives outputs as rows of numbers, whatever their shapes in the module.

    Args:
        module: the network; its ``forward`` takes a batch of points, and treats each by itself.
        input_shape: the shape of one point, such as (1, 28, 28); by default (D,), with D found by trying.
        check: trace the module, look for NaN, and compare the program with the module. Leave it out only
            where the same module was lowered before, as in a training step, and nothing but its weights has
            changed.

    Raises:
        UnsupportedModuleError: a part is not supported; the message names it, its place and the nearest
            supported one.
        ValueError: the weights hold NaN or infinity, the module takes no such points, or the program does not
            agree with the module.
    """
    if check:
        _require_finite(module)
    program = lower_plain(module) if input_shape is None else None
    if program is None:
        program = write(_plan_of(module, input_shape, anew=check), module)
    if check:
        _compare(program, module, input_shape or (program.in_dim,))
    return program


def _plan_of(module: nn.Module, shape: Shape | None, *, anew: bool) -> Plan:
    """The plan of a module, made now or kept from before."""
    weights = weights_of(module)
    key = (shape, *weights.values())
    plans = _plans.setdefault(module, {})
    if anew or key not in plans:
        shape = _shape_of(module, shape)
        tape = Tape(**weights)
        plans[key] = make_plan(tape, trace(module, shape, tape).index)
    return plans[key]


def _shape_of(module: nn.Module, shape: Shape | None) -> Shape:
    try:
        if shape is None:
            return find_input_shape(module)
        if reason := why_not(module, shape):
            raise ValueError(f"lower: the module cannot be evaluated on points of shape {shape}: {reason}")
    except ValueError:
        refuse_by_name(module)  # which says more
        raise
    return shape


def _require_finite(module: nn.Module) -> None:
    for path, part in module.named_modules():
        tensors = (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False))
        for name, weights in tensors:
            if weights.is_floating_point() and not bool(torch.isfinite(weights).all()):
                place = f"{spell(type(module).__name__, path)} ({type(part).__name__})"
                raise ValueError(f"lower: {name} of {place} holds NaN or infinity")


@torch.no_grad()
def _compare(program: Program, module: nn.Module, shape: Shape) -> None:
    """Compare program and module, in eval mode, on random points."""
    generator = torch.Generator().manual_seed(0)
    points = torch.randn((N_CHECKED, program.in_dim), generator=generator, dtype=program.dtype)
    points = points.to(program.device)
    try:
        with in_eval_mode(module):
            expected: Tensor = module(points.reshape(N_CHECKED, *shape)).reshape(N_CHECKED, -1)
    except RuntimeError as error:
        raise ValueError(f"lower: the module cannot be evaluated: {error}") from error
    found = program(points)
    tolerance = get_epsilon(program.dtype) * (1 + float(expected.abs().max()))
    if found.shape != expected.shape or not float((found - expected).abs().max()) <= tolerance:
        raise ValueError("lower: the program does not agree with the module on random points")
