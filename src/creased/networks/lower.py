"""Lower a torch module to a `Program`, the canonical form of the engine.

The program holds the module's own weights, and is differentiable in them. A module is traced into affine
steps and rectifications, which are scheduled into blocks; these are written with the present weights. Parts
that are not piecewise affine are refused by name and place, with the nearest supported part. The program is
compared with the module on random points before it is returned; elsewhere agreement is not proven.
"""

from __future__ import annotations

import logging
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.kuhn_grid import joined_grid
from creased.core.program.program import Program
from creased.networks.lowering.graph.evaluation import (
    Output,
    choose_output,
    evaluation_error,
    find_input_shape,
    in_eval_mode,
    weight_options,
)
from creased.networks.lowering.graph.refusals import place_of, reason_of, refuse_by_name, refuse_compiled
from creased.networks.lowering.graph.schedule import Schedule, make_schedule
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.unfold import unfold
from creased.networks.lowering.graph.write import write
from creased.networks.lowering.last_activation import LastActivation
from creased.networks.lowering.plain import lower_plain
from creased.networks.lowering.trace import trace
from creased.networks.models.grid_mlp import grids_of

log = logging.getLogger(__name__)

N_CHECK_POINTS = 64  # random points on which the program is compared with its module

Shape = tuple[int, ...]


class Lowered(NamedTuple):
    """A program, and what the module has behind it."""

    program: Program
    last: LastActivation | None  # taken off; None: the program is the whole module


class _Traced(NamedTuple):
    """What a trace of a module gives."""

    schedules: tuple[Schedule, ...]  # of the module, and of its unfolded form where that is another
    last: LastActivation | None
    shape: Shape  # of one point


_traces: WeakKeyDictionary[nn.Module, dict[object, _Traced]] = WeakKeyDictionary()


def lower(
    module: nn.Module,
    *,
    input_shape: Shape | None = None,
    dtype: torch.dtype | None = None,
    output: Output | None = None,
    check: bool = True,
) -> Program:
    """Write a network as a program of (affine, ReLU, passthrough) blocks.

    Supported are operations that are piecewise affine and continuous in eval mode, as modules, functions or
    methods: linear layers, convolutions, batch norm, weight and spectral norm, pooling, ReLU and other
    piecewise-linear activations, abs, clamp, max and min, sort, median, topk, sums, concatenations, stacks,
    views, slices. The program has the module's device and dtype, and shares its weights. It maps points
    (n, D) to outputs (n, O), both flattened whatever their shapes in the module. Products and sums of the
    module's weights are rounded in that dtype; what is decided in rationals, and certified, is of their
    factors and terms (`Program.unfolded`).

    A last activation that is strictly monotone (tanh, sigmoid, softplus, scaled and shifted ones, a softmax)
    is taken off, and logged: the program gives the values before it, or their negatives where it decreases.
    Functions that take a module and a level map the level; `lower_with_last` returns the activation.

    Args:
        module: the network; its ``forward`` takes a batch of points, and treats each point by itself.
        input_shape: the shape of one point, such as (1, 28, 28); by default (D,), with D found by trial. For
            a module of sets of points (B, N, D), each by itself, it is (1, D).
        dtype: another floating type for the program. In float64 a float32 module loses nothing, and numbers
            of its code, such as slopes, are in double precision.
        output: key or index of a tensor, for a module that returns several in a dict, a tuple or the like.
        check: trace the module anew, refuse NaN and infinity in its weights, and compare the program with the
            module. False only where the same module was lowered before and nothing but its weights has
            changed, as in a training step.

    Raises:
        TypeError: it is no module.
        UnsupportedModuleError: a part is not supported; the message names it, its place and the nearest
            supported one.
        ValueError: the weights hold NaN or infinity, the module rejects points of that shape, or the program
            does not agree with the module.
    """
    return lower_with_last(module, input_shape=input_shape, dtype=dtype, output=output, check=check).program


@as_written
def lower_with_last(
    module: nn.Module,
    *,
    input_shape: Shape | None = None,
    dtype: torch.dtype | None = None,
    output: Output | None = None,
    check: bool = True,
) -> Lowered:
    """Write a network as a program, as `lower` does, and return the last activation that was taken off."""
    module = getattr(module, "_orig_mod", module)  # that torch.compile wraps
    refuse_compiled(module)
    require_module(module)
    if check:
        _require_finite(module)
    is_plain = input_shape is None and output is None
    program, last = lower_plain(module, dtype) if is_plain else None, None
    shape = input_shape
    if program is None:
        traced = _traced(module, input_shape, output, anew=check)
        program, *unfolded = (write(schedule, module, dtype) for schedule in traced.schedules)
        program = program.with_unfolded(unfolded[0] if unfolded else None)
        program = program.on_grid(joined_grid([grid.grid() for grid in grids_of(module)]))
        last, shape = traced.last, traced.shape
    if check:
        _require_agreement(Lowered(program, last), module, shape or (program.in_dim,), output)
        if last is not None:
            log.info("the last activation is taken off: the module is %s of the program z", last)
    return Lowered(program, last)


def require_module(module: object, needs: str = "lower: needs") -> None:
    """Refuse what is no module.

    Raises:
        TypeError: naming what was given; it begins with what `needs` says.
    """
    if isinstance(module, nn.Module):
        return
    given = (
        f"the class {module.__name__}: call it" if isinstance(module, type) else f"a {type(module).__name__}"
    )
    raise TypeError(f"{needs} a torch.nn.Module, got {given}")


def _traced(module: nn.Module, shape: Shape | None, output: Output | None, *, anew: bool) -> _Traced:
    """Trace a module anew, or look its trace up by input shape, output, dtype and device."""
    options = weight_options(module)
    key = (shape, output, *options.values())
    traces = _traces.setdefault(module, {})
    if anew or key not in traces:
        shape = _input_shape_of(module, shape)
        tape = Tape(**options)
        value, last = trace(module, shape, tape, output)
        unfolded = unfold(tape, value.index)
        both = [make_schedule(tape, value.index), *([make_schedule(*unfolded)] if unfolded else [])]
        traces[key] = _Traced(tuple(both), last, shape)
    return traces[key]


def _input_shape_of(module: nn.Module, shape: Shape | None) -> Shape:
    """Return the shape of one point, given or found; refuse one on which the module cannot be evaluated."""
    try:
        if shape is None:
            return find_input_shape(module)
        if reason := evaluation_error(module, shape):
            raise ValueError(f"lower: the module cannot be evaluated on points of shape {shape}: {reason}")
    except ValueError:
        refuse_by_name(module)  # a better message, where it applies
        raise
    return shape


def _require_finite(module: nn.Module) -> None:
    for path, part in module.named_modules():
        tensors = (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False))
        for name, weights in tensors:
            if weights.is_floating_point() and not bool(torch.isfinite(weights).all()):
                place = place_of(type(module), path, type(part))
                raise ValueError(f"lower: {name} of {place} holds NaN or infinity")


@torch.no_grad()
def _require_agreement(lowered: Lowered, module: nn.Module, shape: Shape, output: Output | None) -> None:
    """Compare program and module, in eval mode, on random points of the module's dtype."""
    program, last = lowered
    generator, dtype = torch.Generator().manual_seed(0), weight_options(module)["dtype"]
    drawn = torch.randn((N_CHECK_POINTS, program.in_dim), generator=generator, dtype=dtype)
    points = drawn.to(program.device)
    try:
        with in_eval_mode(module):
            result = module(points.clone().reshape(N_CHECK_POINTS, *shape))
            out: Tensor = choose_output(result, output)
    except RuntimeError as error:
        raise ValueError(f"lower: the module cannot be evaluated: {reason_of(error)}") from error
    expected = out.reshape(N_CHECK_POINTS, -1)
    found = program(points.to(program.dtype))
    found = (found if last is None else last(found)).to(dtype)
    tolerance = get_epsilon(dtype) * (1 + float(expected.abs().max()))
    difference = float((found - expected).abs().max()) if found.shape == expected.shape else float("inf")
    if not difference <= tolerance:
        raise ValueError(
            f"lower: the program does not agree with the module on random points: "
            f"they differ by {difference:.3g}, more than the tolerance {tolerance:.3g}"
        )
